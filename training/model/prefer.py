"""Preference tuning: of several answers, those worth more become the likelier ones.

    python -m training answers --config config/training/prefer.yaml
    python -m training prefer --config config/training/prefer.yaml

M2 learns a person's words one after another; what the model then says on its own it was never
taught. Here it is: the likelihoods of its own answers, by length, are drawn into the order of what
each is worth (BRIO, Liu et al. 2022, arXiv 2203.16804; here the whole order at once, as in ListNet,
Cao et al. 2007), or the best of them is learned as an answer (RAFT, Dong et al. 2023, arXiv
2304.06767), beside the person's. The prompt is read once for all answers to it.

Goes on from the adapter `prefer.adapter`; leaves an adapter in <runs>/prefer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from core.engine.templating import Template
from core.errors import BadArticle, SettingsError
from training.config import Preferring, TrainingConfig, adapter_step
from training.lines import read as read_rows
from training.model.bases import base_folder, check_prompts, open_base
from training.model.m2 import answer_ids, card, end_of_turn, save, sources
from training.model.tuning import Examples, causal_of, tune
from training.sets.examples import VERSIONS, prompt_of
from training.tracking import Recorder, manifest, write_manifest

# Of how many groups one is kept to read the loss on.
_HELD = 25
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Group:
    """A prompt, the person's answer first among the answers, and what the others are worth."""

    ids: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]
    worth: tuple[float, ...]
    times: int = 1


def load(template: Template, path: Path, most: int, twice: str) -> list[Group]:
    """Rows of `python -m training answers`; those of the task `twice` are learned two times."""
    end = end_of_turn(template)
    found: list[Group] = []
    for number, row in read_rows(path):
        try:
            ids, told = tuple(template.ids(prompt_of(row))), (row["answer"], *row["answers"])
            answers = tuple(answer_ids(template, text, end) for text in told)
            group = Group(ids, answers, tuple(row["worth"]), 2 if row["task"] == twice else 1)
        except (KeyError, TypeError) as error:
            raise BadArticle(f"{path}:{number}", f"a field is missing ({error})") from error
        if len(ids) <= most and len(group.worth) >= _FEWEST:
            found.append(group)
    return found


def parted(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """What is learned, as often as it shall be, and what is held back to read the loss on."""
    held = list(groups[_HELD - 1 :: _HELD])
    learned = (one for number, one in enumerate(groups, 1) if number % _HELD)
    return [one for one in learned for _ in range(one.times)], held


def collate(batch: Sequence[Group]) -> dict[str, torch.Tensor]:
    """One group at a time: `ids` (1, prompt), `answers` and `mask` (answers, longest), `worth`."""
    (one,) = batch
    longest = max(map(len, one.answers))
    answers = torch.zeros((len(one.answers), longest), dtype=torch.long)
    mask = torch.zeros_like(answers)
    for row, tokens in enumerate(one.answers):
        answers[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return {
        "input_ids": torch.tensor([one.ids]),
        "answers": answers,
        "mask": mask,
        "worth": torch.tensor(one.worth, dtype=torch.float32),
    }


def likelihoods(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean log-probability of each answer's tokens, shape (answers,)."""
    from transformers import DynamicCache

    causal = causal_of(model)
    answers, mask, prompt = inputs["answers"], inputs["mask"], inputs["input_ids"]
    read, count = DynamicCache(), len(answers)
    last = causal.model(input_ids=prompt, past_key_values=read, use_cache=True).last_hidden_state[
        :, -1:
    ]
    read.batch_repeat_interleave(count)
    seen = torch.ones((count, prompt.shape[1]), dtype=torch.long, device=mask.device)
    hidden = causal.model(
        input_ids=answers[:, :-1],
        attention_mask=torch.cat([seen, mask[:, :-1]], dim=1),
        past_key_values=read,
        use_cache=True,
    ).last_hidden_state
    # what stands before a token foretells it, and the prompt's end the first one
    before = torch.cat([last.expand(count, 1, last.shape[-1]), hidden], dim=1)
    wanted = mask.bool()
    logits = causal.lm_head(before[wanted]).float()
    told = -functional.cross_entropy(logits, answers[wanted], reduction="none")
    whole = torch.zeros(mask.shape, device=told.device).masked_scatter(wanted, told)
    return whole.sum(dim=1) / mask.sum(dim=1)


def loss(model: Any, inputs: dict[str, torch.Tensor], stage: Preferring) -> torch.Tensor:
    """Cross-entropy of the person's answer and of the best one, and how far the order of likelihoods
    is from the worth; each as much as the settings say."""
    found, worth = likelihoods(model, inputs), inputs["worth"]
    total = -stage.person * found[0]
    if stage.best:
        total = total - stage.best * found[1 + int(worth.argmax())]
    if stage.order:
        target = functional.softmax(worth / stage.closeness, dim=0)
        said = functional.log_softmax(stage.sharpness * found[1:], dim=0)
        total = total + stage.order * functional.kl_div(said, target, reduction="sum")
    return total


def run(config: TrainingConfig) -> Path:
    """The folder of the adapter."""
    stage = config.prefer
    if stage is None:
        raise SettingsError(["the configuration has no part prefer"])
    adapter = stage.adapter or config.runs / "m2"
    check_prompts(adapter, VERSIONS)
    path = config.examples / f"{stage.data[0]}.jsonl"
    next(read_rows(path), None)  # what cannot be read is told before a model is loaded
    from peft import PeftModel

    out = config.runs / "prefer"
    model, template = open_base(base_folder(config))
    learned, held = parted(load(template, path, stage.max_length, stage.twice))
    tuned = PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    for weights in tuned.parameters():
        weights.data = weights.data.to(torch.float32)
    settings = config.model_dump(mode="json")
    recorder = Recorder(out, config.tracking, "prefer", settings)
    try:
        figures = tune(
            tuned,
            stage,
            Examples(learned),
            Examples(held) if held else None,
            out,
            recorder,
            collator=collate,
            loss=lambda model, inputs: loss(model, inputs, stage),
        )
    finally:
        recorder.close()
    save(tuned, out)
    made = manifest("prefer", settings, [path], VERSIONS, figures, base=config.base)
    write_manifest(out, made)
    (out / "README.md").write_text(card(made, sources([path])), encoding="utf-8")
    return out


def main(arguments: list[str] | None = None) -> int:
    return adapter_step("prefer", __doc__, run, arguments, "config/training/prefer.yaml")


if __name__ == "__main__":
    raise SystemExit(main())
