"""How well the guardrail tells what may be posted: detection, false alarms, and real sentences.

    python -m training guard --data ../shared/data

The cases in `core/judging/data/guard_cases.jsonl` are ours: a third unsafe (seven kinds), a third
that only looks so (killing processes, quoted injections), a third of ordinary sentences, Korean
and English. They were written by the hands that wrote the rules, so their rates flatter; the rate
on sentences of real articles does not. Nothing is trained: the step writes a report.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from core.chunks import blocks
from core.judging.guardrail import Guard
from core.language import detect, sentences
from training.lines import rows
from training.reporting import classification, draw_confusion, share_interval, write_json

REAL = ("scitldr/train", "go_blog/train", "tech_specs/train", "difficulty/train", "react_ko/train")
log = logging.getLogger(__name__)


def cases() -> list[dict[str, Any]]:
    text = (files("core.judging") / "data" / "guard_cases.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def judged(found: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [Guard(case["article"]).check(case["text"]).troubles for case in found]


def report(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Detection by trouble and language, false alarms by group, with 95% intervals."""
    troubles = judged(found)
    rates: dict[str, Any] = {}
    for language in ("en", "ko"):
        for group in ("unsafe", "safe", "normal"):
            marked = [
                bool(got)
                for case, got in zip(found, troubles, strict=True)
                if (case["language"], case["group"]) == (language, group)
            ]
            rates[f"{language} {group}"] = _rate(marked)
    for kind in sorted({case["trouble"] for case in found if case["trouble"]}):
        right = [
            kind in got
            for case, got in zip(found, troubles, strict=True)
            if case["trouble"] == kind
        ]
        rates[kind] = _rate(right)
    truth = ["unsafe" if case["group"] == "unsafe" else "fit" for case in found]
    said = ["unsafe" if got else "fit" for got in troubles]
    return {"rates": rates, "classes": classification(truth, said)}


def _rate(marked: Sequence[bool]) -> dict[str, Any]:
    hits = sum(marked)
    low, high = share_interval(hits, len(marked))
    return {"share": hits / len(marked), "interval": [low, high], "cases": len(marked)}


def real(root: Path, count: int, seed: int) -> dict[str, Any]:
    """The share of real articles' sentences that would be kept back or cleaned, with samples."""
    chance = random.Random(seed)  # noqa: S311
    checked = 0
    stopped: list[tuple[str, str]] = []
    for name in REAL:
        found = list(rows(root / f"{name}.jsonl.gz"))
        for row in chance.sample(found, min(count, len(found))):
            language = detect(row["content"], row.get("language"))
            guard = Guard(row["content"], row.get("url"))
            prose = [b.text for b in blocks(row["content"]) if b.kind == "paragraph"][:20]
            for sentence in (s for text in prose for s in sentences(text, language)):
                checked += 1
                troubles = guard.check(sentence).troubles
                stopped += [(trouble, sentence[:160]) for trouble in troubles]
    low, high = share_interval(len(stopped), checked)
    return {
        "sentences": checked,
        "stopped": len(stopped),
        "interval": [low, high],
        "samples": stopped[:40],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training guard", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--articles", type=int, default=40, help="of each real set")
    parser.add_argument("--out", type=Path, default=Path("runs/guard"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    made = report(cases())
    for name, rate in made["rates"].items():
        log.info(
            "%s: %.3f [%.3f, %.3f] of %d", name, rate["share"], *rate["interval"], rate["cases"]
        )
    made["real"] = real(asked.data, asked.articles, 3)
    log.info("real: %d of %d sentences", made["real"]["stopped"], made["real"]["sentences"])
    write_json(made, asked.out / "report.json")
    draw_confusion(made["classes"], asked.out / "confusion.png", "guardrail")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
