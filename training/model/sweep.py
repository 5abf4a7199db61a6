"""A sweep: many ways of training side by side on one card, judged alike, in one table.

    python -m training sweep --config config/training/sweep.yaml [--only NAME …] [--seconds N]
        [--together N]

Each variant is a process of its own: its tokenizer, M1 and M2 by the steps of these names, then
the perplexity of held-out answers and the ROUGE of its likeliest draft of held-out articles. One
that fails or takes too long leaves the others as they are, and one that is finished is not run
again. Of the best variants every draft is kept in the form in which `headline --drafts` reads
them. Writes <runs>/report.md, results.json and a folder for each variant.
"""

from __future__ import annotations

import argparse
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

from core.errors import SettingsError
from training.config import TrainingConfig, read
from training.model.variant import DRAFTS, RESULT, Sweep, draft, train_and_judge

log = logging.getLogger("training.model.sweep")

# --- what is asked


def prepare(sweep: Sweep) -> None:
    """Examples, questions and the base, where they are not there yet."""
    from training.model import questions
    from training.sets import examples

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
    from training.model.bases import plain_folder

    found = plain_folder(TrainingConfig(base=sweep.base, runs=sweep.runs))
    return sweep.model_copy(update={"base": found})


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
        waiting = [n for n in names if not (sweep.variant(n).runs / RESULT).is_file()]
        list(pool.map(lambda name: go(name, "--variant", limit), waiting))
        results = found(sweep, names)
        best = [one["name"] for one in results[: sweep.judging.best]]
        undrafted = [n for n in best if not (sweep.variant(n).runs / DRAFTS).is_file()]
        end = limit + sweep.last_seconds if limit else 0.0
        list(pool.map(lambda name: go(name, "--draft", end), undrafted))
    text = table(results, [name for name in names if name not in {r["name"] for r in results}])
    (sweep.runs / "report.md").write_text(text, encoding="utf-8")
    (sweep.runs / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return text


def found(sweep: Sweep, names: Sequence[str]) -> list[dict[str, Any]]:
    """The finished variants, best first: by the mean ROUGE on the first of the sets."""
    paths = [sweep.variant(name).runs / RESULT for name in names]
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
    called = {"title": "title", "first": "first sentence", "lead": "first three sentences"}
    for kind, named in called.items():
        read = " | ".join(_three(results[0]["rouge"][name][kind]) for name in sets)
        lines.append(f"| {named} | | | | {read} |")
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
    parser.add_argument("--together", type=int, default=0, help="instead of the configuration's")
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
        many = sweep.model_copy(update={"together": asked.together or sweep.together})
        sys.stdout.write(run(asked.config, many, asked.only, asked.seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
