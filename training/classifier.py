"""An encoder that tells what a text or a pair of texts is, taught by the Trainer.

Either the upper layers learn whole (`frozen_layers`) or, with `lora_rank`, small matrices beside
every linear layer; the embeddings never learn: most of the time, little of the gain.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Encoded = list[dict[str, Any]]


def fit(
    folder: str,
    encoded: Callable[[Any], Encoded],
    labels: int,
    seed: int,
    settings: dict[str, Any],
) -> tuple[Any, Any]:
    """Model and tokenizer. `folder`: a transformers folder or hub id."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels)
    model = _prepared(model, settings)
    with tempfile.TemporaryDirectory() as place:
        arguments = TrainingArguments(
            output_dir=place,
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["batch"],
            learning_rate=settings["learning_rate"],
            lr_scheduler_type="linear",
            warmup_steps=settings.get("warmup", 0),
            train_sampling_strategy="group_by_length",
            seed=seed,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=settings.get("cpu", True),
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=encoded(tokenizer),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        trainer.train()
    return model, tokenizer


def _prepared(model: Any, settings: dict[str, Any]) -> Any:
    rank = settings.get("lora_rank", 0)
    if rank:
        from peft import LoraConfig, get_peft_model

        return get_peft_model(
            model,
            LoraConfig(
                task_type="SEQ_CLS",
                r=rank,
                lora_alpha=2 * rank,
                lora_dropout=0.05,
                target_modules=["query", "key", "value", "dense"],
                modules_to_save=["classifier"],
            ),
        )
    still = [
        model.base_model.embeddings,
        *model.base_model.encoder.layer[: settings["frozen_layers"]],
    ]
    for part in still:
        for weight in part.parameters():
            weight.requires_grad = False
    return model


def predict(model: Any, tokenizer: Any, encoded: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """Probabilities, shape (rows, labels); short and long rows in batches of their own."""
    import torch

    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]["input_ids"]))
    made = np.zeros((len(encoded), model.config.num_labels))
    model.eval()
    with torch.no_grad():
        for start in range(0, len(order), 32):
            chosen = order[start : start + 32]
            kept = [{k: v for k, v in encoded[i].items() if k != "labels"} for i in chosen]
            batch = tokenizer.pad(kept, return_tensors="pt").to(model.device)
            made[chosen] = torch.softmax(model(**batch).logits.float(), dim=-1).cpu().numpy()
    return made
