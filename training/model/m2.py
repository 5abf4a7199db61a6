"""M2, task tuning: LoRA on prompts with the answers people wrote; loss on the answer only.

    python -m training m2 --config config/training/embedded.yaml

Starts from M1's adapter if there is one (merged first), writes an adapter of a few MB with its
manifest and a model card to <runs>/m2. Killed, the same command goes on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.engine.templating import Template
from core.errors import BadArticle, SettingsError
from training.config import Stage, TrainingConfig, adapter_step
from training.lines import read as read_rows
from training.sets.examples import VERSIONS, prompt_of

log = logging.getLogger("training.model.m2")

# Examples whose loss is read before and after; the report comes from `evaluate`.
_HELD = 48


def encode(template: Template, row: dict[str, Any], most: int, end: int) -> Any | None:
    """Prompt and answer as the service will see them; None where they are too long."""
    from training.model.tuning import Example

    prompt, answer = template.ids(prompt_of(row)), answer_ids(template, row["answer"], end)
    if len(prompt) + len(answer) > most:
        return None
    return Example((*prompt, *answer), (False,) * len(prompt) + (True,) * len(answer))


def answer_ids(template: Template, text: str, end: int) -> tuple[int, ...]:
    """An answer as the model writes it: control tokens in it are plain text, and it ends."""
    tokens = template.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    return (*tokens, end)


def end_of_turn(template: Template) -> int:
    known = template.tokenizer.get_vocab()
    for name in (template.card.turn_end, *template.card.ends, template.tokenizer.eos_token):
        if name in known:
            return int(known[name])
    raise SettingsError(["the tokenizer knows no token that ends an answer"])


def load(template: Template, files: Sequence[Path], most: int) -> Any:
    """Raises BadArticle (file and line) for a broken row, SettingsError for other prompts."""
    from training.model.tuning import Examples

    found, long, end = [], 0, end_of_turn(template)
    for path in files:
        for number, row in read_rows(path):
            try:
                version = row.get("version", VERSIONS[row["task"]])
                if version != VERSIONS[row["task"]]:
                    raise SettingsError(
                        [
                            f"{path}: made for prompt {version}; run python -m training examples again"
                        ]
                    )
                example = encode(template, row, most, end)
            except (KeyError, TypeError) as error:
                raise BadArticle(f"{path}:{number}", f"a field is missing ({error})") from error
            found += [example] if example else []
            long += example is None
    if long:
        log.info("%d examples of more than %d tokens were left out", long, most)
    return Examples(found)


def run(config: TrainingConfig) -> Path:
    """The folder of the adapter."""
    stage = _stage(config)
    files = [config.examples / f"{name}.jsonl" for name in stage.data]
    held = [config.examples / f"{stage.validation}.jsonl"] if stage.validation else []
    for path in (*files, *held):
        next(read_rows(path), None)  # what cannot be read is told before a model is loaded
    from training.model.bases import after, base_folder, has_weights, open_base
    from training.model.tuning import is_first, processes, tune, with_lora
    from training.tracking import Recorder, manifest, write_manifest

    out = config.runs / "m2"
    folder = base_folder(config)
    model, template = open_base(folder)
    before = config.runs / "m1"
    if config.m1 is not None and has_weights(before):
        log.info("on top of %s", before)
        model = after(model, before)
    train = load(template, files, stage.max_length)
    valid = load(template, held, stage.max_length) if held else None
    if valid is not None:
        valid.examples = valid.examples[:_HELD]
    settings = config.model_dump(mode="json")
    recorder = Recorder(out, config.tracking, "m2", settings)
    try:
        tuned = with_lora(model, stage.lora, stage.seed)
        padding = template.tokenizer.pad_token_id or 0
        figures = tune(tuned, stage, train, valid, out, recorder, padding)
    finally:
        recorder.close()
    if processes() == 1:
        save(tuned, out)
    if not is_first():
        return out
    made = manifest("m2", settings, [*files, *held], VERSIONS, figures, base=config.base)
    write_manifest(out, made)
    (out / "README.md").write_text(card(made, sources(files)), encoding="utf-8")
    return out


def _stage(config: TrainingConfig) -> Stage:
    if config.m2 is None:
        raise SettingsError(["the configuration has no part m2"])
    return config.m2


def save(model: Any, out: Path) -> None:
    """The adapter in 16 bits: half the size, and far finer than what training leaves uncertain."""
    import torch

    for name, weights in model.named_parameters():
        if "lora_" in name:
            weights.data = weights.data.to(torch.float16)
    model.save_pretrained(str(out))
    (out / "README.md").unlink(missing_ok=True)


def sources(files: Sequence[Path]) -> list[str]:
    """Who is owed attribution: "source (licence): examples"."""
    counts: Counter[str] = Counter()
    for path in files:
        for _, row in read_rows(path):
            counts[f"{row.get('source') or 'unnamed'} ({row.get('license') or 'no licence'})"] += 1
    return [f"{name}: {count}" for name, count in sorted(counts.items())]


def card(made: dict[str, Any], learned: Sequence[str]) -> str:
    """The model card. `learned`: what it was trained on, a line each."""
    figures = made["figures"]
    before, after = figures["valid_perplexity_before"], figures["valid_perplexity"]
    read = "not read" if before is None else f"{before:.2f} before, {after:.2f} after"
    listed = "\n".join(f"- {line}" for line in learned)
    return f"""# Adapter: {made["step"]} on {made["base"]}

Made {made["made"]} by `python -m training {made["step"]}` at commit {made["commit"]}:
{figures["examples"]} examples, {figures["steps"]} steps, {figures["seconds"]:.0f} s.
Validation perplexity {read}. Everything that decided the run stands in manifest.json.

Learned from (examples each):

{listed}

No chat messages, no rows for non-commercial use, no saved web pages.

Meant for digests of technical articles. It condenses; it can still be wrong, which is why every
sentence is checked against its article before it is shown.
"""


def main(arguments: list[str] | None = None) -> int:
    return adapter_step("m2", __doc__, run, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
