"""A sweep: many ways of training side by side on one card, judged alike, in one table.

    python -m training sweep --config config/training/sweep.yaml [--only NAME …] [--seconds N]

Each variant is a process of its own: its tokenizer, M1 and M2 by the steps of these names, then
the perplexity of held-out answers and the ROUGE of its likeliest draft of held-out articles. One
that fails or takes too long leaves the others as they are, and one that is finished is not run
again. Of the best variants every draft is kept in the form in which `headline --drafts` reads
them. Writes <runs>/report.md, results.json and a folder for each variant.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import Field, ValidationError, model_validator

from core.errors import SettingsError
from core.judging.gist import SHOWN_WORDS
from core.ports import Generation
from training.config import Part, TrainingConfig, read
from training.questions import Question

log = logging.getLogger("training.sweep")

_RESULT, _DRAFTS, _JUDGEMENTS = "result.json", "drafts.jsonl", "judgements.jsonl"
# As much as `core/drafting.py` lets a judgement have.
_JUDGED = Generation(max_new_tokens=240)


class Judging(Part):
    """`held`: sets that are scored, the first `rows` of each. `unseen`: sets that the forest of
    `headline` learns from. `best`: of so many variants every draft is made. `batch`: prompts that
    are answered at once."""

    held: tuple[str, ...] = Field(min_length=1)
    unseen: tuple[str, ...] = ()
    rows: int = Field(120, ge=1)
    best: int = Field(3, ge=0)
    batch: int = Field(192, ge=1)


class Sweep(Part):
    """`usual`: parts m1, tokenizer and m2 as in any configuration; a variant names what is
    different, and `words` where articles are shown with another number of words. `together`:
    processes at once. `seconds`: after so many no variant goes on (0: no end); `last_seconds`:
    for the drafts of the best after that."""

    base: str = "embedded"
    runs: Path = Path("runs/sweep")
    data: Path = Path("../shared/data")
    examples: Path = Path("runs/examples")
    usual: dict[str, Any]
    variants: dict[str, dict[str, Any]] = Field(min_length=1)
    judging: Judging
    together: int = Field(6, ge=1, le=64)
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
        changes = {key: value for key, value in self.variants[name].items() if key != "words"}
        words = self.words(name)
        apart = "" if words == SHOWN_WORDS else f"-{words}"
        fixed = {
            "base": self.base,
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


# --- what is asked


def prepare(sweep: Sweep) -> None:
    """Examples, questions and the base, where they are not there yet."""
    from training import examples, questions

    judging = sweep.judging
    for name in sweep.variants:
        config, words = sweep.variant(name), sweep.words(name)
        if not any(config.examples.glob("*.jsonl")):
            log.info("examples of %d words", words)
            examples.build(config.data, config.examples, words=words)
        if not sweep.questions(name).is_file():
            log.info("questions of %d words", words)
            asked = questions.summaries(
                sweep.data, judging.held, judging.unseen, judging.rows, words
            )
            questions.write(sweep.questions(name), asked)
    if not sweep.judgement_questions().is_file():
        asked = questions.judgements(sweep.data, sweep.examples)
        questions.write(sweep.judgement_questions(), asked)


def with_base(sweep: Sweep) -> Sweep:
    """The embedded base is unpacked once, for all."""
    from training.bases import plain_folder

    found = plain_folder(TrainingConfig(base=sweep.base, runs=sweep.runs))
    return sweep.model_copy(update={"base": found})


# --- one variant, in its own process


def train_and_judge(sweep: Sweep, name: str) -> dict[str, Any]:
    """What also stands in <runs>/<name>/result.json."""
    from training import m1, m2, tokenizer
    from training.bases import MANIFEST

    config, begin = sweep.variant(name), time.monotonic()
    steps = {"tokenizer": tokenizer.run, "m1": m1.run, "m2": m2.run}
    for step, run in steps.items():
        if getattr(config, step) and not (config.runs / step / MANIFEST).is_file():
            run(config)
            log.info("%s: %s after %.0f s", name, step, time.monotonic() - begin)
    figures = {
        step: json.loads(path.read_text(encoding="utf-8"))["figures"]
        for step in steps
        if (path := config.runs / step / MANIFEST).is_file()
    }
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
    (config.runs / _RESULT).write_text(text + "\n", encoding="utf-8")
    return result


def trained(config: TrainingConfig) -> tuple[Any, Any]:
    """The model after all stages, ready to write: in bfloat16 on a card that has it."""
    import torch

    from core.engine.checkpoints import chosen_device, dtype_for
    from training.bases import after, base_folder, open_base, rounded
    from training.merge import adapters_of

    model, template = open_base(base_folder(config))
    for folder in adapters_of(config):
        model = after(model, folder)
    device = chosen_device("auto")
    if device == "cuda":
        torch.cuda.empty_cache()
    model.config.use_cache = True
    return rounded(model, dtype_for(device)).to(device).eval(), template


def search(
    model: Any, template: Any, asked: Sequence[Question], out: Path, batch: int
) -> dict[str, tuple[str, ...]]:
    """The beams' answers, kept in <out>/beams.jsonl by id."""
    from core.summarizing import BEAMS
    from training.drafting import answers

    path = out / "beams.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    known = {key: tuple(found) for key, found in map(json.loads, lines)}
    lacking = [one for one in asked if one.id not in known]
    found = answers(model, template, [one.prompt for one in lacking], BEAMS, batch)
    with path.open("a", encoding="utf-8") as file:
        for one, replies in zip(lacking, found, strict=True):
            known[one.id] = replies
            file.write(json.dumps([one.id, replies], ensure_ascii=False) + "\n")
    return known


def scores(asked: Sequence[Question], beams: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """ROUGE-1, -2, -L of each set: the likeliest draft, and what costs nothing."""
    from core.summarizing import drafts_of
    from training.headline import rouge

    found: dict[str, dict[str, list[Any]]] = {}
    for one in asked:
        drafts = drafts_of(beams[one.id], one.language)
        said = {"draft": drafts[0] if drafts else "", "title": one.title, "first": one.first}
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


def _perplexity(model: Any, template: Any, held: Sequence[Question]) -> float:
    """Of the first sentence of what people wrote."""
    from training.drafting import perplexity
    from training.examples import first_sentence
    from training.m2 import encode, end_of_turn

    end = end_of_turn(template)
    rows = [
        {
            "prompt": {"user": q.prompt.user, "system": q.prompt.system, "opening": ""},
            "answer": first_sentence(q.answers[0]),
        }
        for q in held
    ]
    found = [encode(template, row, 10**9, end) for row in rows]
    return round(perplexity(model, [one for one in found if one is not None]), 3)


def _judge(model: Any, template: Any, sweep: Sweep, out: Path) -> None:
    from training.drafting import answers

    asked = _load(sweep.judgement_questions())
    found = answers(model, template, [one.prompt for one in asked], _JUDGED, sweep.judging.batch)
    with (out / _JUDGEMENTS).open("w", encoding="utf-8") as file:
        for one, (reply, *_) in zip(asked, found, strict=True):
            row = {"id": one.id, "set": one.set, "reply": reply}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def draft(sweep: Sweep, name: str) -> Path:
    """Every draft that the service would get, of every article; as `headline --drafts` reads."""
    from core.summarizing import PLAIN, drafts_of
    from training.drafting import answers

    config = sweep.variant(name)
    model, template = trained(config)
    path = config.runs / _DRAFTS
    asked = _load(sweep.questions(name))
    # Should time run out, what the forest needs is there first.
    for parts in (("held", "unseen"), ("more",)):
        some = [one for one in asked if one.part in parts]
        batch = sweep.judging.batch
        beams = search(model, template, some, config.runs, batch)
        plain = answers(model, template, [one.prompt for one in some], PLAIN, batch)
        with path.open("a", encoding="utf-8") as file:
            for one, replies in zip(some, plain, strict=True):
                drafts = drafts_of([*beams[one.id], *replies], one.language)
                file.write(json.dumps([one.id, drafts], ensure_ascii=False) + "\n")
    return path


def _load(path: Path) -> list[Question]:
    from training.questions import load

    return load(path)


# --- all of them


def run(path: Path, sweep: Sweep, only: Sequence[str] = (), seconds: float = 0) -> str:
    """The report. `path`: the configuration, which each process reads again."""
    begin = time.monotonic()
    prepare(sweep)
    with_base(sweep)
    names = [name for name in sweep.variants if not only or name in only]
    limit = seconds or sweep.seconds

    def go(name: str, flag: str, until: float) -> None:
        left = begin + until - time.monotonic() if until else None
        out = sweep.variant(name).runs
        out.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "training", "sweep", "--config", str(path), flag, name]
        with (out / "log.txt").open("a", encoding="utf-8") as file:
            try:
                if left is not None and left < 1:
                    raise subprocess.TimeoutExpired(command, 0)
                ended = subprocess.run(command, stdout=file, stderr=file, timeout=left, check=False)  # noqa: S603 - our own words
                said = "done" if ended.returncode == 0 else f"failed, see {out / 'log.txt'}"
            except subprocess.TimeoutExpired:
                said = "no time left"
        log.info("%4.0f s  %s %s: %s", time.monotonic() - begin, flag, name, said)

    with ThreadPoolExecutor(sweep.together) as pool:
        waiting = [n for n in names if not (sweep.variant(n).runs / _RESULT).is_file()]
        list(pool.map(lambda name: go(name, "--variant", limit), waiting))
        results = found(sweep, names)
        best = [one["name"] for one in results[: sweep.judging.best]]
        undrafted = [n for n in best if not (sweep.variant(n).runs / _DRAFTS).is_file()]
        end = limit + sweep.last_seconds if limit else 0.0
        list(pool.map(lambda name: go(name, "--draft", end), undrafted))
    text = table(results, [name for name in names if name not in {r["name"] for r in results}])
    (sweep.runs / "report.md").write_text(text, encoding="utf-8")
    (sweep.runs / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return text


def found(sweep: Sweep, names: Sequence[str]) -> list[dict[str, Any]]:
    """The finished variants, best first: by the mean ROUGE on the first of the sets."""
    paths = [sweep.variant(name).runs / _RESULT for name in names]
    results = [json.loads(p.read_text(encoding="utf-8")) for p in paths if p.is_file()]
    first = sweep.judging.held[0]
    return sorted(results, key=lambda one: -fmean(one["rouge"][first]["draft"]))


def table(results: Sequence[Mapping[str, Any]], missing: Sequence[str]) -> str:
    """Markdown; ROUGE-1/2/L of the likeliest draft, the dumb answers first."""
    if not results:
        return f"No variant was finished: {', '.join(missing)}.\n"
    sets = list(results[0]["rouge"])
    heads = [f"{name} ({results[0]['rouge'][name]['articles']})" for name in sets]
    lines = [
        f"| variant | steps | seconds | perplexity of answers | {' | '.join(heads)} |",
        "|" + "---|" * (4 + len(sets)),
    ]
    for kind, called in (("title", "title"), ("first", "first sentence")):
        read = " | ".join(_three(results[0]["rouge"][name][kind]) for name in sets)
        lines.append(f"| {called} | | | | {read} |")
    for one in results:
        read = " | ".join(_three(one["rouge"][name]["draft"]) for name in sets)
        steps = " + ".join(str(f["steps"]) for f in one["figures"].values() if "steps" in f)
        lines.append(
            f"| {one['name']} | {steps} | {one['seconds']:.0f} | {one['perplexity']:.2f} | {read} |"
        )
    text = "\n".join(lines) + "\n"
    return text + (f"\nNot finished: {', '.join(missing)}.\n" if missing else "")


def _three(values: Sequence[float]) -> str:
    return "/".join(f"{value:.1f}" for value in values)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training sweep", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/sweep.yaml"))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--seconds", type=float, default=0, help="instead of the configuration's")
    parser.add_argument("--prepare", action="store_true", help="examples and questions, no more")
    parser.add_argument("--variant", metavar="NAME", help="this one, in this process")
    parser.add_argument("--draft", metavar="NAME", help="the drafts of this one, in this process")
    asked = parser.parse_args(arguments)
    # rouge-score brings a root handler of its own
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    sweep = read(asked.config, Sweep)
    unknown = {asked.variant, asked.draft, *asked.only} - {None, *sweep.variants}
    if unknown:
        known = ", ".join(sweep.variants)
        raise SettingsError([f"no variant {', '.join(sorted(unknown))}; there are {known}"])
    if asked.prepare:
        prepare(sweep)
    elif asked.variant:
        train_and_judge(with_base(sweep), asked.variant)
    elif asked.draft:
        draft(with_base(sweep), asked.draft)
    else:
        sys.stdout.write(run(asked.config, sweep, asked.only, asked.seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
