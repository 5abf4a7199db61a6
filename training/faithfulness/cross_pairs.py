"""What the cross-encoder is taught and judged on: passages of an article with claims about it.

Weak claims (`training/faithfulness/claims.py`) for teaching, `consistency/dev` for judging; each pair has what
the signs in service say of it. Measuring takes minutes, so both are remembered as JSON.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.article import Article
from core.chunks import cut
from core.judging.evidence import Measured, Measuring, Passage
from core.judging.faithful import judge
from core.language import sentences
from training.faithfulness.claims import SOURCES, Claim, compared, excluded, sources
from training.lines import leave, rows
from training.reporting import write_json

# Sentences of the wide passage, and its words at most.
PLACES, WORDS = 8, 170
Row = dict[str, Any]


def weak(
    root: Path,
    seed: int,
    articles: int,
    out: Path,
    wanted: Mapping[str, int] | None = None,
    language: str = "en",
) -> list[Row]:
    """Claims of so many articles with their best passages; remembered in `out`.

    `wanted`: how many articles of each file, as `training.faithfulness.claims.SOURCES`.
    """
    if out.is_file():
        return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    chance = random.Random(seed)  # noqa: S311 - weak labels, no secrets
    files = tuple((wanted or dict(SOURCES)).items())
    found = [
        s for s in sources(root, excluded(root), chance, files) if s.document.language == language
    ]
    chance.shuffle(found)
    kept = [_row(claim, one) for claim, one in compared(found[:articles], chance)]
    leave(kept, out)
    return kept


def mnli(found: Sequence[Row], seed: int, words: int = 60) -> list[Row]:
    """Pairs of at most so many words, as many of each label, in an order of chance."""
    chance = random.Random(seed)  # noqa: S311
    by_label: dict[str, list[Row]] = {}
    for row in found:
        if len(row["premise"].split()) + len(row["hypothesis"].split()) <= words:
            by_label.setdefault(row["label"], []).append(row)
    fewest = min(map(len, by_label.values()), default=0)
    kept = [row for mine in by_label.values() for row in chance.sample(mine, fewest)]
    chance.shuffle(kept)
    return [{k: v for k, v in row.items() if k != "wide"} for row in kept]


def _row(claim: Claim, measured: Measured) -> Row:
    """A sentence of another article is as good as unrelated; what was turned round contradicts."""
    label = "neutral" if claim.kind == "other_document" else "contradiction"
    return {
        "premise": passage(measured),
        "wide": wide(measured),
        "hypothesis": claim.text,
        "label": "entailment" if claim.true else label,
        "kind": claim.kind,
        "article": claim.article,
        "signs": judge(claim.language).probability(measured.signs),
    }


def passage(measured: Measured) -> str:
    """The two places that cover the claim best, in the article's order, no sentence twice."""
    best = measured.closest[0]
    used = {best.index, best.second}
    other = next((p for p in measured.closest[1:] if not {p.index, p.second} & used), None)
    chosen = sorted([best, *([other] if other else [])], key=lambda p: p.index)
    return " ".join(one.text for one in chosen)


def wide(measured: Measured) -> str:
    """All the places that cover the claim well, the best chosen first, in the article's order."""
    used: set[int | None] = set()
    chosen: list[Passage] = []
    words = 0
    for one in measured.closest[:PLACES]:
        own = {one.index, *([] if one.second is None else [one.second])}
        size = len(one.text.split())
        if own & used or (chosen and words + size > WORDS):
            continue
        used |= own
        words += size
        chosen.append(one)
    return " ".join(one.text for one in sorted(chosen, key=lambda p: p.index))


def evaluation(root: Path, out: Path, language: str = "en") -> list[Row]:
    """Rows of `consistency/dev`: a pair for each sentence of the claim; remembered."""
    if out.is_file():
        return list(json.loads(out.read_text("utf-8")))
    found: list[Row] = []
    known: dict[str, Measuring] = {}
    for row in rows(root / "consistency" / "dev.jsonl.gz"):
        if row["language"] != language:
            continue
        if row["article"] not in known:
            article = Article(title=row["title"], content=row["article"], language=row["language"])
            known = {row["article"]: Measuring(cut(article, 330))}
        parts = list(_parts(known[row["article"]], row["claim"]))
        if parts:
            found.append(
                {"kind": row["kind"], "true": row["label"] == "consistent", "parts": parts}
            )
    write_json(found, out)
    return found


def _parts(measuring: Measuring, claim: str) -> Iterator[Row]:
    for text in sentences(claim, measuring.language):
        one = measuring.measure(text)
        if one is not None:
            yield {
                "premise": passage(one),
                "wide": wide(one),
                "hypothesis": text,
                "signs": judge(measuring.language).probability(one.signs),
            }
