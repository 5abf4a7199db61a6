"""M1, domain adaptation: the base model reads on in computer-science text.

    python -m training m1 --config config/training/embedded.yaml

Decoders by the next token, encoders by masked tokens (`objective`). Documents are packed: cut
into pieces of max_length without gaps, so that no step is spent on padding. Writes an adapter (or
with rank 0 all weights) and its manifest to <runs>/m1, with the perplexity on documents that were
held out before and after.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from training.config import Stage, TrainingConfig, adapter_step
from training.sets.corpus import texts

# Pieces whose loss is read before and after.
_HELD = 32
_MASKED = 0.15


def packed(documents: Iterable[list[int]], end: int, size: int) -> Iterator[tuple[int, ...]]:
    """Pieces of exactly `size` tokens; an end token stands between documents. The last, shorter
    piece is left out unless it is the only one."""
    waiting: list[int] = []
    given = False
    for document in documents:
        waiting += [*document, end]
        while len(waiting) >= size:
            yield tuple(waiting[:size])
            given = True
            waiting = waiting[size:]
    if waiting and not given:
        yield tuple(waiting)


def pieces(template: Any, root: Path, stage: Stage, *, held: bool) -> Any:
    """What is read, as Examples of the Trainer."""
    from training.model.tuning import Example, Examples

    tokenizer = template.tokenizer
    end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0
    encoded = (
        tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        for text in texts(root, stage.data, held=held)
    )
    most = _HELD if held else _most(stage)
    found = []
    for piece in packed(encoded, end, stage.max_length):
        found.append(Example(piece, (True,) * len(piece)))
        if len(found) >= most:
            break
    return Examples(found)


def _most(stage: Stage) -> float:
    """No more is read than the steps will see."""
    steps = stage.max_steps
    return steps * stage.batch_size * stage.accumulate if steps else math.inf


def run(config: TrainingConfig) -> Path:
    """The folder of the adapter."""
    from training.model.bases import base_folder, open_base
    from training.model.m2 import card, save
    from training.model.tuning import is_first, processes, tune, with_lora
    from training.tracking import Recorder, manifest, write_manifest

    stage = config.m1
    if stage is None:
        raise SettingsError(["the configuration has no part m1"])
    out = config.runs / "m1"
    model, template = open_base(base_folder(config), masked=stage.objective == "masked")
    train = pieces(template, config.data, stage, held=False)
    held = pieces(template, config.data, stage, held=True)
    settings = config.model_dump(mode="json")
    recorder = Recorder(out, config.tracking, "m1", settings)
    try:
        tuned = with_lora(model, stage.lora, stage.seed)
        figures = tune(
            tuned,
            stage,
            train,
            held,
            out,
            recorder,
            padding=template.tokenizer.pad_token_id or 0,
            collator=_masking(template.tokenizer) if stage.objective == "masked" else None,
        )
    finally:
        recorder.close()
    if processes() == 1:
        save(tuned, out)
    if not is_first():
        return out
    files = [path for name in stage.data for path in config.data.glob(f"{name}.jsonl*")]
    made = manifest("m1", settings, files, {}, figures, base=config.base)
    write_manifest(out, made)
    (out / "README.md").write_text(card(made, stage.data), encoding="utf-8")
    return out


def _masking(tokenizer: Any) -> Any:
    """transformers' collator: 15 % of the tokens, 80/10/10 (Devlin et al. 2019)."""
    from transformers import DataCollatorForLanguageModeling

    mask = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm_probability=_MASKED)
    return lambda batch: mask([{"input_ids": list(one.ids)} for one in batch])


def main(arguments: list[str] | None = None) -> int:
    return adapter_step("m1", __doc__, run, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
