"""An encoder that tells what a text or a pair of texts is, taught by the Trainer.

Either the upper layers learn whole (`frozen_layers`) or, with `lora_rank`, small matrices beside
every linear layer. Embeddings rest unless `embeddings: true`; beside small matrices only those of
the token types learn then, whose second the encoder has never been shown. A card is used where
there is one (bf16 arithmetic, 32-bit weights), unless the settings say `cpu: true`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.engine.checkpoints import attention_without_plans

Encoded = list[dict[str, Any]]
log = logging.getLogger(__name__)


def fit(
    folder: str,
    encoded: Callable[[Any], Encoded],
    labels: int,
    seed: int,
    settings: dict[str, Any],
) -> tuple[Any, Any]:
    """Model and tokenizer. `folder`: a transformers folder or hub id."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    card = _card(settings)
    attention_without_plans()
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels, dtype=torch.float32
    )
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
            weight_decay=settings.get("weight_decay", 0.0),
            use_cpu=not card,
            bf16=card,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=encoded(tokenizer),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        taught = trainer.train()
        log.info("loss %.3f in the mean of %d steps", taught.training_loss, taught.global_step)
    return model, tokenizer


def _card(settings: dict[str, Any]) -> bool:
    import torch

    return torch.cuda.is_available() and not settings.get("cpu", False)


def _prepared(model: Any, settings: dict[str, Any]) -> Any:
    """What shall rest rests. `model` itself, or with small matrices beside."""
    rank, types = settings.get("lora_rank", 0), settings.get("embeddings", False)
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
                modules_to_save=["classifier", *(["token_type_embeddings"] if types else [])],
            ),
        )
    still = [*model.base_model.encoder.layer[: settings["frozen_layers"]]]
    if not types:
        still.append(model.base_model.embeddings)
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
    size = 256 if model.device.type == "cuda" else 32
    with torch.no_grad():
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            kept = [{k: v for k, v in encoded[i].items() if k != "labels"} for i in chosen]
            batch = tokenizer.pad(kept, return_tensors="pt").to(model.device)
            made[chosen] = torch.softmax(model(**batch).logits.float(), dim=-1).cpu().numpy()
    return made
