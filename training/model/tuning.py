"""One run of the Trainer, for M1 and M2: model in, adapter (or weights) and manifest out.

The loss is counted on the wanted positions only, and the language-model head is applied to
nothing else: whole-vocabulary logits for every position would cost more memory than the rest.
A run that was killed goes on from its last checkpoint with the same order of examples.
"""

from __future__ import annotations

import errno
import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.utils.data import Dataset, Sampler
from transformers import Trainer, TrainingArguments

from core.engine.checkpoints import attention_without_plans, chosen_device
from core.errors import SettingsError
from training.config import Lora, Stage
from training.model.bases import rounded
from training.tracking import Recorder

log = logging.getLogger("training.model.tuning")

_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens, and of each whether it is learned (its prediction counts in the loss)."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]


class Examples(Dataset[Any]):  # type: ignore[misc]
    """Of Example, or whatever else has `ids` and a collator of its own."""

    def __init__(self, examples: Sequence[Any]) -> None:
        if not examples:
            raise SettingsError(["there is nothing to learn from: the data is empty"])
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Any:
        return self.examples[index]


def collate(batch: Sequence[Example], padding: int = 0) -> dict[str, torch.Tensor]:
    """Shape (batch, longest) each. `labels`: IGNORED where nothing is learned. `learned`, shape
    (places,): which of the flat places before a learned token; told here, since a card that has
    to find them makes the processor wait at every step."""
    longest = max(len(one.ids) for one in batch)
    ids = torch.full((len(batch), longest), padding, dtype=torch.long)
    labels = torch.full((len(batch), longest), IGNORED, dtype=torch.long)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, one in enumerate(batch):
        size = len(one.ids)
        ids[row, :size] = torch.tensor(one.ids)
        mask[row, :size] = 1
        wanted = torch.tensor(one.learned)
        labels[row, :size] = torch.where(wanted, ids[row, :size], IGNORED)
    before = torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
    learned = (before.flatten() != IGNORED).nonzero().flatten()
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "learned": learned}


class ByLength(Sampler[int]):  # type: ignore[misc]
    """A random order in which neighbours are of like length: little padding.

    Epoch and seed decide the order, so a resumed run sees what the killed one would have seen.
    """

    def __init__(self, sizes: Sequence[int], batch: int, seed: int) -> None:
        self.sizes, self.batch, self.seed, self.epoch = list(sizes), batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[int]:
        chance = torch.Generator().manual_seed(self.seed * 1009 + self.epoch)
        order: list[int] = torch.randperm(len(self.sizes), generator=chance).tolist()
        pool = self.batch * 32
        batches: list[list[int]] = []
        for start in range(0, len(order), pool):
            near = sorted(order[start : start + pool], key=lambda i: self.sizes[i])
            batches += [near[i : i + self.batch] for i in range(0, len(near), self.batch)]
        # A smaller last batch stays last, or it would shift all others.
        whole = [one for one in batches if len(one) == self.batch]
        rest = [i for one in batches if len(one) < self.batch for i in one]
        shuffled = torch.randperm(len(whole), generator=chance).tolist()
        for number in shuffled:
            yield from whole[number]
        yield from rest


def answer_loss(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy over the learned positions. Falls back on the model's own loss for
    architectures whose body and head we cannot tell apart."""
    causal = causal_of(model)
    if causal is None:
        return torch.as_tensor(model(**_plain(inputs)).loss)
    hidden = causal.model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
    ).last_hidden_state
    learned = inputs["learned"]
    logits = causal.lm_head(hidden.flatten(0, 1)[learned])
    return functional.cross_entropy(logits.float(), inputs["labels"].flatten()[learned + 1])


def _plain(inputs: dict[str, Any]) -> dict[str, Any]:
    """What models themselves take."""
    return {name: value for name, value in inputs.items() if name != "learned"}


def causal_of(model: Any) -> Any:
    """Body and head apart; None where they cannot be told."""
    inner = getattr(model, "module", model)  # data parallel
    if hasattr(inner, "get_base_model"):
        inner = inner.get_base_model()
    return inner if hasattr(inner, "lm_head") and hasattr(inner, "model") else None


Loss = Callable[[Any, dict[str, torch.Tensor]], torch.Tensor]


class Tuner(Trainer):  # type: ignore[misc]
    """Transformers' Trainer with our loss and our order of examples."""

    def __init__(
        self,
        *arguments: Any,
        stage: Stage,
        sharded: bool = False,
        loss: Loss = answer_loss,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._stage = stage
        self._loss = loss
        # A sharded model must be entered by its front door.
        self._sharded = sharded
        self.model_accepts_loss_kwargs = False

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any
    ) -> Any:
        plain = self._sharded or self._stage.objective == "masked"
        # accelerate does so behind the model's front door, where our loss does not go in
        with torch.autocast(chosen_device("auto"), torch.bfloat16, enabled=in_halves()):
            loss = model(**_plain(inputs)).loss if plain else self._loss(model, inputs)
        return (loss, {}) if return_outputs else loss

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if not self._stage.sort_by_length or processes() > 1:
            return super()._get_train_sampler(train_dataset)
        sizes = [len(one.ids) for one in (train_dataset or self.train_dataset).examples]
        return ByLength(sizes, self._stage.batch_size, self._stage.seed)

    def prediction_step(
        self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        with torch.no_grad():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
        return loss.detach(), None, None


def with_lora(model: Any, lora: Lora, seed: int) -> Any:
    """Matrices on every linear layer of the (last `layers`) blocks; `rank` 0: the model itself."""
    if lora.rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    halves = in_halves() and processes() == 1
    if halves:
        # What stays as it is, is cast once and not at every step; the matrices stay in 32 bits.
        model = rounded(model, torch.bfloat16)
    total = model.config.num_hidden_layers
    count = min(lora.layers or total, total)
    chosen = list(range(total - count, total))
    tuned = get_peft_model(
        model,
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=_targets(model),
            layers_to_transform=None if count == total else chosen,
            task_type="CAUSAL_LM" if hasattr(model, "lm_head") else None,
        ),
    )
    for part in tuned.modules() if halves else ():
        # or every layer's input goes into 32 bits, and at once back again
        if hasattr(part, "cast_input_dtype_enabled"):
            part.cast_input_dtype_enabled = False
    return tuned


def _targets(model: Any) -> list[str] | str:
    known = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    found = [name for name in _LINEAR if name in known]
    return found or "all-linear"


def tune(
    model: Any,
    stage: Stage,
    train: Examples,
    held: Examples | None,
    out: Path,
    recorder: Recorder,
    padding: int = 0,
    collator: Any = None,
    loss: Loss = answer_loss,
) -> dict[str, Any]:
    """Trains in place; returns the figures. Goes on where `out/checkpoints` ends.

    Raises SettingsError where the disk is full.
    """
    arguments = _arguments(stage, out, train)
    trainer = Tuner(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=held,
        data_collator=collator or (lambda batch: collate(batch, padding)),
        callbacks=[recorder.callback()],
        stage=stage,
        loss=loss,
        sharded=bool(getattr(arguments, "fsdp", "")) or _is_fsdp(),
    )
    try:
        before = trainer.evaluate()["eval_loss"] if held is not None else None
        result = trainer.train(resume_from_checkpoint=_last_checkpoint(out / "checkpoints"))
        after = trainer.evaluate()["eval_loss"] if held is not None else None
    except OSError as error:
        raise _full(error, out) from error
    except RuntimeError as error:
        if "enforce fail" in str(error) or "No space left" in str(error):
            raise _full(OSError(errno.ENOSPC, str(error)), out) from error
        raise
    if processes() > 1:
        # Shards are gathered by the Trainer; the first process writes.
        trainer.save_model(str(out))
    trainer.accelerator.wait_for_everyone()
    return {
        "steps": trainer.state.global_step,
        "examples": len(train),
        "processes": processes(),
        "seconds": round(result.metrics.get("train_runtime", 0.0), 1),
        "train_loss": result.training_loss,
        "valid_loss_before": before,
        "valid_loss": after,
        "valid_perplexity_before": None if before is None else math.exp(min(before, 30)),
        "valid_perplexity": None if after is None else math.exp(min(after, 30)),
    }


def _arguments(stage: Stage, out: Path, train: Examples) -> TrainingArguments:
    accelerated = torch.cuda.is_available()
    attention_without_plans()
    steps = math.ceil(len(train) / (stage.batch_size * stage.accumulate)) * stage.epochs
    return TrainingArguments(
        output_dir=str(out / "checkpoints"),
        num_train_epochs=stage.epochs,
        max_steps=stage.max_steps or -1,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=int((stage.max_steps or steps) * stage.warmup),
        weight_decay=stage.weight_decay,
        per_device_train_batch_size=stage.batch_size,
        per_device_eval_batch_size=stage.batch_size,
        gradient_accumulation_steps=stage.accumulate,
        activation_checkpointing=stage.gradient_checkpointing or None,
        seed=stage.seed,
        data_seed=stage.seed,
        bf16=in_halves(),
        use_cpu=not accelerated,
        logging_steps=5,
        # the filter asks the card at every step, and would hide what went wrong
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=stage.save_steps,
        save_total_limit=1,
        report_to=[],
        disable_tqdm=False,
        remove_unused_columns=False,
        dataloader_pin_memory=accelerated,
    )


def in_halves() -> bool:
    """Whether the card, or the processor's matrix unit (AMX), calculates in bfloat16: a processor
    without one would only be slower by it."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def _is_fsdp() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"


def processes() -> int:
    """How many train together (`accelerate launch` says so)."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process writes what all have made."""
    return os.environ.get("RANK", "0") == "0"


def _last_checkpoint(folder: Path) -> str | None:
    """The newest whole one: the state of the Trainer is written last."""
    found = [
        (int(path.name.rsplit("-", 1)[-1]), path)
        for path in folder.glob("checkpoint-*")
        if (path / "trainer_state.json").is_file()
    ]
    return str(max(found)[1]) if found else None


def _full(error: OSError, out: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return SettingsError(
            [f"{out}: the disk is full; free some, run the same command and it goes on"]
        )
    return error
