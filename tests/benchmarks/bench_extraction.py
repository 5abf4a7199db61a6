"""How well and how fast articles are found, against trafilatura alone, in one run.

    python tests/benchmarks/bench_extraction.py --data ../shared/data/extraction

`zyte` is scored as scrapinghub/article-extraction-benchmark scores it: shingles of four tokens,
precision and recall of each page, F1 from their means. `readability` is scored the same way.
`trafilatura` has segments that must be in the text and others that must not. The times are the
best of `--rounds` over all pages of a set, taken in turn, so that a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import platform
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import trafilatura

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.article import Page
from core.errors import DigestError
from core.settings import WebSettings
from core.web.blocks import markdown_of
from core.web.charsets import decoded
from core.web.extract import Extractor
from core.web.html import found_in, parsed

SETS = ("zyte", "readability", "trafilatura")
_TOKEN = re.compile(r"\w+")
Reader = Callable[["Saved"], str]


@dataclass(frozen=True)
class Saved:
    """A saved page with what is expected of it."""

    id: str
    url: str
    html: bytes
    text: str
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def load(folder: Path, name: str) -> list[Saved]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        Saved(
            id=row["id"],
            url=row["url"] if row["url"].startswith("http") else "",
            html=gzip.decompress((folder / row["html_file"]).read_bytes()),
            text=row.get("text", ""),
            wanted=tuple(row.get("must_contain", ())),
            unwanted=tuple(row.get("must_not_contain", ())),
        )
        for row in rows
    ]


# --- what is compared


def ours(page: Saved) -> str:
    """The text that the extractor finds, before anything is refused."""
    html = decoded(page.html)
    tree = parsed(html)
    return "" if tree is None else markdown_of(found_in(tree, html, page.url).blocks)


def product(page: Saved) -> str:
    """What people get: a refused page counts as no text."""
    try:
        return EXTRACTOR(Page(page.url, page.html, "text/html")).content
    except DigestError:
        return ""


def alone(**options: Any) -> Reader:
    def read(page: Saved) -> str:
        return trafilatura.extract(page.html, **options) or ""

    return read


def with_metadata(page: Saved) -> str:
    document = trafilatura.bare_extraction(page.html, include_comments=False, with_metadata=True)
    return "" if document is None else str(getattr(document, "text", "") or "")


EXTRACTOR = Extractor(WebSettings())
READERS: dict[str, Reader] = {
    "trafilatura, defaults": alone(),
    "trafilatura, no comments": alone(include_comments=False),
    "trafilatura, no comments, fast": alone(include_comments=False, fast=True),
    "trafilatura, no comments, precision": alone(include_comments=False, favor_precision=True),
    "trafilatura, no comments, recall": alone(include_comments=False, favor_recall=True),
    "trafilatura, no comments, metadata": with_metadata,
    "ours": ours,
    "ours, walls refused": product,
}
BASE = "trafilatura, no comments"


# --- scores


def shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    grams = (tuple(tokens[n : n + 4]) for n in range(max(1, len(tokens) - 3)))
    return Counter(gram for gram in grams if gram)


def page_score(expected: str, found: str) -> tuple[float | None, float | None]:
    """Precision and recall of a page; None where there is nothing to take them from."""
    true, pred = shingles(expected), shingles(found)
    hits, found_all, true_all = (true & pred).total(), pred.total(), true.total()
    return (hits / found_all if found_all else None, hits / true_all if true_all else None)


@dataclass(frozen=True)
class Score:
    f1: float
    precision: float
    recall: float


def shingle_score(pages: Sequence[Saved], texts: Sequence[str]) -> Score:
    scores = [page_score(page.text, text) for page, text in zip(pages, texts, strict=True)]
    precision = statistics.mean(p for p, _ in scores if p is not None)
    recall = statistics.mean(r for _, r in scores if r is not None)
    return Score(2 * precision * recall / (precision + recall), precision, recall)


def segment_score(pages: Sequence[Saved], texts: Sequence[str]) -> Score:
    hit = missed = wrong = 0
    for page, text in zip(pages, texts, strict=True):
        flat = _squeezed(text)
        here = sum(_squeezed(segment) in flat for segment in page.wanted)
        hit, missed = hit + here, missed + len(page.wanted) - here
        wrong += sum(_squeezed(segment) in flat for segment in page.unwanted)
    precision, recall = hit / max(1, hit + wrong), hit / max(1, hit + missed)
    return Score(2 * precision * recall / max(1e-9, precision + recall), precision, recall)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


# --- the run


def run(pages: Sequence[Saved], rounds: int) -> tuple[dict[str, list[str]], dict[str, float]]:
    texts: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for _ in range(rounds):
        for name, reader in READERS.items():
            began = time.perf_counter()
            texts[name] = [reader(page) for page in pages]
            seconds[name] = min(time.perf_counter() - began, seconds.get(name, 1e9))
    return texts, seconds


def table(name: str, pages: Sequence[Saved], rounds: int, *, half: int | None) -> list[str]:
    chosen = list(pages) if half is None else list(pages)[half::2]
    texts, seconds = run(chosen, rounds)
    score = segment_score if name == "trafilatura" else shingle_score
    part = "" if half is None else f", half {'AB'[half]}"
    lines = [
        f"### {name}{part}: {len(chosen)} pages",
        "",
        "| | F1 | precision | recall | seconds | × trafilatura | empty |",
        "|---|---|---|---|---|---|---|",
    ]
    for reader in READERS:
        got = score(chosen, texts[reader])
        lines.append(
            f"| {reader} | {got.f1:.4f} | {got.precision:.4f} | {got.recall:.4f} "
            f"| {seconds[reader]:.2f} | {seconds[reader] / seconds[BASE]:.2f} "
            f"| {sum(not text.strip() for text in texts[reader])} |"
        )
    return [*lines, ""]


def refusals(pages: Sequence[Saved]) -> list[str]:
    lines: list[str] = []
    for page in pages:
        try:
            EXTRACTOR(Page(page.url, page.html, "text/html"))
        except DigestError as error:
            lines.append(f"- {page.id} {page.url[:60]}: {type(error).__name__}, {error.reason}")
    return lines


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("--data", type=Path, default=Path("../shared/data/extraction"))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    options.add_argument("--half", choices=("A", "B"), help="every second page, to tune on")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)
    half = None if given.half is None else "AB".index(given.half)

    out = [
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}, "
        f"trafilatura {version('trafilatura')}, best of {given.rounds}",
        "",
    ]
    refused: list[str] = []
    count = 0
    for name in given.sets:
        pages = load(given.data, name)
        out += table(name, pages, given.rounds, half=half)
        refused += refusals(pages)
        count += len(pages)
    out += [f"Refused of {count} pages: {len(refused)}", "", *refused, ""]
    sys.stdout.write("\n".join(out))


if __name__ == "__main__":
    main()
