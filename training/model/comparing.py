"""What a model in few bits loses against itself in sixteen, on rows that its calibration never saw."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from core.engine.checkpoints import kernels, load_checkpoint
from training.config import Part
from training.model.measuring import Example, Measured, linear_bytes, lost_between, measure

log = logging.getLogger("training.model.comparing")

Device = Literal["auto", "cpu", "cuda"]


class Measuring(Part):
    """`rows` of `files` are read, `answers` of them answered; `batch`: so many at once."""

    files: tuple[Path, ...] = Field(min_length=1)
    rows: int = Field(60, ge=1)
    max_tokens: int = Field(1024, ge=64)
    answers: int = Field(40, ge=0)
    max_new_tokens: int = Field(48, ge=1)
    most_loss: float = Field(1.5, ge=0)
    batch: int = Field(1, ge=1)


def measured(folder: Path, device: Device, wanted: Measuring, rows: Sequence[Example]) -> Measured:
    """Raises ModelNotReady, EngineOutOfMemory."""
    checkpoint = load_checkpoint(folder, device=device)
    found = measure(
        checkpoint.model,
        checkpoint.template,
        rows,
        max_tokens=wanted.max_tokens,
        answers=wanted.answers,
        new_tokens=wanted.max_new_tokens,
        batch=wanted.batch,
    )
    log.info("%s (%s): %s", folder, kernels(checkpoint.model) or "plain layers", found)
    return found


def compared(
    plain: Path, quantised: Path, before: Measured, after: Measured, most_loss: float
) -> dict[str, Any]:
    """The figures of both folders beside each other; `within`: whether at most so many per cent of
    ROUGE-L are lost, None where nothing was answered."""
    sizes = linear_bytes(plain), linear_bytes(quantised)
    loss = lost(before, after)
    return {
        "linear_bytes": {
            "before": sizes[0],
            "after": sizes[1],
            "ratio": round(sizes[0] / sizes[1], 3),
        },
        "before": before.figures,
        "after": after.figures,
        "rouge_l_loss_percent": loss,
        "rouge_l_loss_interval": lost_between(before.scores, after.scores)
        if before.scores
        else None,
        "within": None if loss is None else loss <= most_loss,
    }


def compare(
    plain: Path, quantised: Path, device: Device, wanted: Measuring, rows: Sequence[Example]
) -> dict[str, Any]:
    """Two folders that are there. Raises ModelNotReady, EngineOutOfMemory."""
    before, after = (measured(one, device, wanted, rows) for one in (plain, quantised))
    found = compared(plain, quantised, before, after, wanted.most_loss)
    return {"plain": str(plain), "quantised": str(quantised), "rows": len(rows), **found}


def lost(before: Measured, after: Measured) -> float | None:
    """Per cent of the 16-bit model's ROUGE-L that is gone; negative: it gained."""
    if not before.rouge_l or after.rouge_l is None:
        return None
    return round(100 * (before.rouge_l - after.rouge_l) / before.rouge_l, 2)


def summary_of(found: dict[str, Any]) -> str:
    """One line for people, of what `compared` found."""
    before, after, sizes = found["before"], found["after"], found["linear_bytes"]
    return (
        f"perplexity of answers {before['answer_perplexity']:.2f} -> {after['answer_perplexity']:.2f}, "
        f"of texts {before['text_perplexity']:.2f} -> {after['text_perplexity']:.2f}; "
        f"ROUGE-L {_said(before['rouge_l'])} -> {_said(after['rouge_l'])}{_margin(found)} "
        f"(title {_said(before['title_rouge_l'])}); linear layers {sizes['before'] / 2**20:.1f} -> "
        f"{sizes['after'] / 2**20:.1f} MiB, {sizes['ratio']:.2f} times smaller"
    )


def _margin(found: dict[str, Any]) -> str:
    if found["rouge_l_loss_interval"] is None:
        return ""
    low, high = found["rouge_l_loss_interval"]
    return f", {found['rouge_l_loss_percent']}% lost (95%: {low} to {high})"


def _said(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"
