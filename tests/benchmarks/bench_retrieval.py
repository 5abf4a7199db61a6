"""Known articles found again by human summaries of them, with BM25 alone beside it.

    python tests/benchmarks/bench_retrieval.py --data FOLDER [--encoder FOLDER] [--kept FILE]
    python tests/benchmarks/bench_retrieval.py --data FOLDER --tune     # weights, see BENCHMARKS.md

FOLDER holds *_docs.jsonl.gz and *_queries.jsonl.gz (../shared/data/retrieval); the encoder is that
of the service (a prepared folder, else the one in the data folder). `--kept` remembers vectors
between runs. Prints R@1 and MRR@10 of BM25 (text, title and text) and of the product's ranking
for each set, for all of them in one pool, and across languages (CNCF glossary: a definition in
one language looks for the entry in the other).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.kept_vectors import KeptVectors  # noqa: E402

from core.engine.encoder import CTranslate2Encoder  # noqa: E402
from core.engine.prepared import find_encoder  # noqa: E402
from core.language import words  # noqa: E402
from core.ports import Encoder  # noqa: E402
from core.retrieval.ranking import Shelf  # noqa: E402
from core.retrieval.searching import understand  # noqa: E402
from core.settings import RetrievalSettings  # noqa: E402

Row = dict[str, Any]
Set = tuple[list[Row], list[Row]]


def bm25(docs: Sequence[Row], queries: Sequence[Row], *, title: bool) -> list[list[str]]:
    """The baseline: Robertson's formula with k1 1.2 and b 0.75 over content words."""
    texts = [
        words(f"{d['title']}\n{d['text']}" if title else d["text"], d["language"]) for d in docs
    ]
    mean = sum(map(len, texts)) / len(texts)
    counted = [Counter(text) for text in texts]
    frequency = Counter(word for text in counted for word in text)
    found = []
    for query in queries:
        asked = set(words(query["query"], query["language"]))
        scores = []
        for text, count in zip(texts, counted, strict=True):
            norm = 1.2 * (0.25 + 0.75 * len(text) / mean)
            scores.append(
                sum(
                    math.log1p((len(docs) - frequency[w] + 0.5) / (frequency[w] + 0.5))
                    * count[w] * 2.2 / (count[w] + norm)
                    for w in asked if w in count
                )
            )  # fmt: skip
        best = sorted(range(len(docs)), key=lambda at: -scores[at])[:10]
        found.append([docs[at]["id"] for at in best])
    return found


def measured(ranked: Sequence[Sequence[str]], queries: Sequence[Row]) -> tuple[float, float]:
    """R@1 and MRR@10."""
    first = reciprocal = 0.0
    for found, query in zip(ranked, queries, strict=True):
        at = next((n for n, key in enumerate(found[:10]) if key in query["relevant"]), None)
        if at is not None:
            first += at == 0
            reciprocal += 1 / (at + 1)
    return first / len(queries), reciprocal / len(queries)


def rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def sets_in(folder: Path) -> dict[str, Set]:
    names = sorted(path.name.removesuffix("_docs.jsonl.gz") for path in folder.glob("*_docs.*"))
    return {
        name: (rows(folder / f"{name}_docs.jsonl.gz"), rows(folder / f"{name}_queries.jsonl.gz"))
        for name in names
    }


def across(glossary: Path) -> Iterator[tuple[str, Set]]:
    """Definitions in one language, entries in the other, their names left out of the question."""
    entries = [row for row in rows(glossary) if row["source"] == "cncf" or "slug" in row]
    for asked, kept in (("ko", "en"), ("en", "ko")):
        docs = [
            {"id": e["slug"], "title": e["term"], "text": e["full"], "language": kept}
            for e in entries
            if e["language"] == kept
        ]
        known = {d["id"] for d in docs}
        queries = [
            {"qid": e["slug"], "query": e["definition"], "relevant": [e["slug"]], "language": asked}
            for e in entries
            if e["language"] == asked and e["slug"] in known
        ]
        yield f"{asked}->{kept}", (docs, queries)


async def ours(one: Set, encoder: Encoder, settings: RetrievalSettings) -> list[list[str]]:
    shelf = await Shelf.of(one[0], encoder, settings)
    return [await shelf.rank(query["query"]) for query in one[1]]


async def report(everything: dict[str, Set], encoder: Encoder) -> None:
    print(
        f"{'set':12} {'docs':>5} {'asked':>5}  {'BM25 text':>12}  {'BM25 +title':>12}  {'ours':>12}"
    )
    for name, one in everything.items():
        started = time.monotonic()
        found = [
            measured(bm25(*one, title=False), one[1]),
            measured(bm25(*one, title=True), one[1]),
            measured(await ours(one, encoder, RetrievalSettings()), one[1]),
        ]
        shown = "  ".join(f"{first:.3f} {mrr:.3f} " for first, mrr in found)
        seconds = time.monotonic() - started
        print(f"{name:12} {len(one[0]):5} {len(one[1]):5}  {shown} {seconds:6.0f} s", flush=True)


GRID: dict[str, tuple[float, ...]] = {
    "meaning": (0.3, 0.6, 0.9),
    "title": (0.1, 0.2, 0.3, 0.5),
    "passage_words": (0.0, 0.1, 0.2),
    "passage_meaning": (0.0, 0.3, 0.6),
    "named": (0.0, 0.1, 0.15, 0.2, 0.3),
    "across": (0.2, 0.5, 1.0),
    "sounds": (0.1, 0.3, 0.6),
}


async def tune(everything: dict[str, Set], encoder: Encoder) -> None:
    """One weight after the other, twice; judged by the mean of R@1 and MRR@10 over the sets. Those
    across languages have 15 questions each, so they count a fifth."""
    parts = {name: 0.2 if "->" in name else 1.0 for name in everything}
    start = RetrievalSettings()
    shelves = {n: await Shelf.of(o[0], encoder, start) for n, o in everything.items()}
    asked = {
        name: [await understand(query["query"], encoder) for query in one[1]]
        for name, one in everything.items()
    }

    def value(settings: RetrievalSettings) -> tuple[float, str]:
        shown, total = [], 0.0
        for name, one in everything.items():
            shelves[name].settings = settings
            ranked = [shelves[name].ranked(question) for question in asked[name]]
            first, mrr = measured(ranked, one[1])
            total += (first + mrr) / 2 * parts[name] / sum(parts.values())
            shown.append(f"{first:.3f} {mrr:.3f}")
        return total, " | ".join(shown)

    print(f"| weight | value | mean | {' | '.join(everything)} |", flush=True)
    best = start
    reached, shown = value(best)
    print(f"| as set | | {reached:.4f} | {shown} |", flush=True)
    for _, (name, values) in itertools.product(range(2), GRID.items()):
        for weight in values:
            other = best.model_copy(update={name: weight})
            if other == best:
                continue
            found, shown = value(other)
            better = found > reached + 0.0005
            mark = " better" if better else ""
            print(f"| {name} | {weight}{mark} | {found:.4f} | {shown} |", flush=True)
            if better:
                best, reached = other, found
    print(best)


def opened(folder: Path | None) -> Encoder:
    if folder is None:
        import platformdirs

        prepared = find_encoder(platformdirs.user_data_path("smartdevdigest", appauthor=False))
        if prepared is None:
            sys.exit("no prepared encoder: run `smartdevdigest prepare` or give --encoder FOLDER")
        folder = prepared.encoder
    return CTranslate2Encoder(folder)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/retrieval")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    everything = sets_in(options.data)
    pool: Set = ([], [])
    for docs, queries in everything.values():
        pool[0].extend(docs)
        pool[1].extend(queries)
    if not options.tune:
        everything["pool"] = pool
    everything |= across(options.data.parent / "glossary" / "cncf.jsonl.gz")
    chosen = {n: o for n, o in everything.items() if not options.only or n in options.only}
    encoder = KeptVectors(opened(options.encoder), options.kept)
    try:
        await (tune if options.tune else report)(chosen, encoder)
    finally:
        encoder.save()


if __name__ == "__main__":
    asyncio.run(main())
