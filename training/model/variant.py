"""One variant of a sweep: what it is, how it is trained and judged, all in its own process."""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import Field, ValidationError, model_validator

from core.article import Language
from core.judging.gist import SHOWN_WORDS
from core.ports import Generation
from core.summarizing import BEAMS
from training.config import Part, TrainingConfig
from training.model.questions import Question

log = logging.getLogger("training.model.variant")

RESULT, DRAFTS, _JUDGEMENTS = "result.json", "drafts.jsonl", "judgements.jsonl"
# As much as `core/drafting.py` lets a judgement have.
_JUDGED = Generation(max_new_tokens=240)
# A syllable is up to three tokens of a vocabulary that has few Korean ones: a sentence takes more of
# them, and the same syllable twice is no repetition.
BEAMS_OF: dict[Language, Generation] = {
    "en": BEAMS,
    "ko": replace(BEAMS, max_new_tokens=160, no_repeat_ngram=12),
}


class Judging(Part):
    """`held`: sets that are scored, the first `rows` of each. `unseen`: sets that the forest of
    `headline` learns from. `best`: of so many variants every draft is made. `batch`: prompts that
    are answered at once; fewer on a processor."""

    held: tuple[str, ...] = Field(min_length=1)
    unseen: tuple[str, ...] = ()
    rows: int = Field(120, ge=1)
    best: int = Field(3, ge=0)
    batch: int = Field(192, ge=1)


class Sweep(Part):
    """`usual`: parts m1, tokenizer and m2 as in any configuration; a variant names what is
    different, `words` where articles are shown with another number of words, and `base` where it
    starts from another folder. `together`:
    processes at once. `seconds`: after so many no variant goes on (0: no end); `last_seconds`:
    for the drafts of the best after that."""

    base: str = "embedded"
    runs: Path = Path("runs/sweep")
    data: Path = Path("../shared/data")
    examples: Path = Path("runs/examples")
    usual: dict[str, Any]
    variants: dict[str, dict[str, Any]] = Field(min_length=1)
    judging: Judging
    together: int = Field(1, ge=1, le=64)
    seconds: float = Field(0, ge=0)
    last_seconds: float = Field(0, ge=0)

    @model_validator(mode="after")
    def _every_variant_can_be_run(self) -> Sweep:
        for name in self.variants:
            try:
                self.variant(name)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(step) for step in first["loc"])
                raise ValueError(f"variant {name}: {where}: {first['msg']}") from error
        return self

    def variant(self, name: str) -> TrainingConfig:
        apart_from = ("words", "base")
        changes = {k: value for k, value in self.variants[name].items() if k not in apart_from}
        words = self.words(name)
        apart = "" if words == SHOWN_WORDS else f"-{words}"
        fixed = {
            "base": self.variants[name].get("base", self.base),
            "runs": self.runs / name,
            "data": self.data,
            "examples": self.examples.with_name(self.examples.name + apart),
        }
        return TrainingConfig.model_validate(mixed(self.usual, changes) | fixed)

    def words(self, name: str) -> int:
        return int(self.variants[name].get("words") or SHOWN_WORDS)

    def questions(self, name: str) -> Path:
        return self.runs / f"questions-{self.words(name)}.jsonl"

    def judgement_questions(self) -> Path:
        return self.runs / "questions-judgement.jsonl"


def mixed(usual: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes in place of what is usual, setting by setting; null takes a part away."""
    found = dict(usual)
    for name, value in changes.items():
        before = found.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        found[name] = mixed(before or {}, value) if both else value
    return found


def train(config: TrainingConfig, name: str) -> dict[str, Any]:
    """The stages that it has and that are not finished; the figures of all of them."""
    from training.model import m1, m2, tokenizer
    from training.model.bases import MANIFEST

    begin = time.monotonic()
    steps = {"tokenizer": tokenizer.run, "m1": m1.run, "m2": m2.run}
    for step, run in steps.items():
        if getattr(config, step) and not (config.runs / step / MANIFEST).is_file():
            run(config)
            log.info("%s: %s after %.0f s", name, step, time.monotonic() - begin)
    return {
        step: json.loads(path.read_text(encoding="utf-8"))["figures"]
        for step in steps
        if (path := config.runs / step / MANIFEST).is_file()
    }


def train_and_judge(sweep: Sweep, name: str) -> dict[str, Any]:
    """What also stands in <runs>/<name>/result.json."""
    config, begin = sweep.variant(name), time.monotonic()
    figures = train(config, name)
    gc.collect()
    model, template = trained(config)
    held = [one for one in _load(sweep.questions(name)) if one.part == "held"]
    result = {
        "name": name,
        "figures": figures,
        "perplexity": _perplexity(model, template, held),
        "rouge": scores(held, search(model, template, held, config.runs, sweep.judging.batch)),
    }
    if config.m2 and any(one.startswith("judgement.") for one in config.m2.data):
        _judge(model, template, sweep, config.runs)
    result["seconds"] = round(time.monotonic() - begin, 1)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    (config.runs / RESULT).write_text(text + "\n", encoding="utf-8")
    return result


def trained(config: TrainingConfig) -> tuple[Any, Any]:
    """The model after all stages, ready to write: in bfloat16 where that is fast."""
    import torch

    from core.engine.checkpoints import chosen_device, dtype_for
    from training.model.bases import after, base_folder, open_base, rounded
    from training.model.merge import adapters_of
    from training.model.tuning import in_halves

    model, template = open_base(base_folder(config))
    for folder in adapters_of(config):
        model = after(model, folder)
    device = chosen_device("auto")
    if device == "cuda":
        torch.cuda.empty_cache()
    model.config.use_cache = True
    dtype = torch.bfloat16 if in_halves() else dtype_for(device)
    return rounded(model, dtype).to(device).eval(), template


def search(
    model: Any, template: Any, asked: Sequence[Question], out: Path, batch: int
) -> dict[str, tuple[str, ...]]:
    """The beams' answers, kept in <out>/beams.jsonl by id."""
    from training.model.drafting import answers

    path = out / "beams.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    known = {key: tuple(found) for key, found in map(json.loads, lines)}
    with path.open("a", encoding="utf-8") as file:
        for language, beams in BEAMS_OF.items():
            lacking = [q for q in asked if q.id not in known and q.language == language]
            found = answers(model, template, [q.prompt for q in lacking], beams, batch)
            for one, replies in zip(lacking, found, strict=True):
                known[one.id] = replies
                file.write(json.dumps([one.id, replies], ensure_ascii=False) + "\n")
    return known


def scores(asked: Sequence[Question], beams: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """ROUGE-1, -2, -L of each set: the likeliest draft, and what costs nothing."""
    from core.summarizing import drafts_of
    from training.sentences.headline import rouge

    found: dict[str, dict[str, list[Any]]] = {}
    for one in asked:
        drafts = drafts_of(beams[one.id], one.language)
        said = {"draft": drafts[0] if drafts else "", **dumb(one)}
        for kind, text in said.items():
            row = rouge(one.answers, text, one.language)
            found.setdefault(one.set, {}).setdefault(kind, []).append(row)
    return {
        name: {
            "articles": len(kinds["draft"]),
            **{
                kind: [round(fmean(x), 2) for x in zip(*rows, strict=True)]
                for kind, rows in kinds.items()
            },
        }
        for name, kinds in found.items()
    }


def dumb(one: Question) -> dict[str, str]:
    """What costs nothing."""
    return {"title": one.title, "first": one.first, "lead": one.lead}


def _perplexity(model: Any, template: Any, held: Sequence[Question]) -> float:
    """Of the first sentence of what people wrote."""
    from training.model.drafting import perplexity
    from training.model.m2 import encode, end_of_turn
    from training.sets.examples import first_sentence

    end = end_of_turn(template)
    rows = [
        {
            "prompt": {"user": q.prompt.user, "system": q.prompt.system, "opening": ""},
            "answer": first_sentence(q.answers[0], q.language),
        }
        for q in held
    ]
    found = [encode(template, row, 10**9, end) for row in rows]
    return round(perplexity(model, [one for one in found if one is not None]), 3)


def _judge(model: Any, template: Any, sweep: Sweep, out: Path) -> None:
    from training.model.drafting import answers

    asked = _load(sweep.judgement_questions())
    found = answers(model, template, [one.prompt for one in asked], _JUDGED, sweep.judging.batch)
    with (out / _JUDGEMENTS).open("w", encoding="utf-8") as file:
        for one, (reply, *_) in zip(asked, found, strict=True):
            row = {"id": one.id, "set": one.set, "reply": reply}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def draft(sweep: Sweep, name: str) -> Path:
    """Every draft that the service would get, of every article; as `headline --drafts` reads."""
    config = sweep.variant(name)
    model, template = trained(config)
    asked = _load(sweep.questions(name))
    # Should time run out, what the forest needs is there first.
    for parts in (("held", "unseen"), ("more",)):
        some = [one for one in asked if one.part in parts]
        drafted(model, template, some, config.runs, sweep.judging.batch)
    return config.runs / DRAFTS


def drafted(model: Any, template: Any, asked: Sequence[Question], out: Path, batch: int) -> None:
    """Appends a line for each to <out>/drafts.jsonl: its id, and its drafts as the service gets them."""
    from core.summarizing import PLAIN, drafts_of
    from training.model.drafting import answers

    beams = search(model, template, asked, out, batch)
    plain = answers(model, template, [one.prompt for one in asked], PLAIN, batch)
    with (out / DRAFTS).open("a", encoding="utf-8") as file:
        for one, replies in zip(asked, plain, strict=True):
            drafts = drafts_of([*beams[one.id], *replies], one.language)
            file.write(json.dumps([one.id, drafts], ensure_ascii=False) + "\n")


def _load(path: Path) -> list[Question]:
    from training.model.questions import load

    return load(path)
