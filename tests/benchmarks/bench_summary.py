"""Which sentences are chosen: ours beside title, lead and TextRank, by ROUGE, in one run.

    python tests/benchmarks/bench_summary.py --data ../shared/data [--limit 100] [--tune 200]

Extractive side only (no language model): the sentences a digest falls back on, and all there is
for Korean until a model writes it. ROUGE F1 from rouge-score; English with Porter stemming,
Korean with kiwipiepy morphemes as tokens; the maximum over several references.

`--tune N` tries N random weights on the training parts and prints the best; the figures that are
reported come from the parts named `dev` and `valid`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import platform
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rouge_score import rouge_scorer

from core.article import Article, Language
from core.chunks import Document, cut
from core.judging.salience import WEIGHTS, Weights, weigh
from core.language import _tokens, words
from core.ports import Encoder, Vectors

KEYS = ("rouge1", "rouge2", "rougeL")
REPORTED = (
    ("sci_news_sum_kr_50/dev", 3),
    ("react_ko/valid", 3),
    ("go_blog/valid", 1),
    ("scitldr/dev", 1),
    ("tech_specs/valid", 3),
)
TUNED = (("react_ko/train", 3), ("go_blog/train", 1), ("scitldr/train", 1), ("tech_specs/train", 3))


class Morphemes:
    """rouge-score's tokenizer for Korean."""

    def tokenize(self, text: str) -> list[str]:
        return [token.form for token in _tokens(text)]


SCORERS = {
    "en": rouge_scorer.RougeScorer(KEYS, use_stemmer=True),
    "ko": rouge_scorer.RougeScorer(KEYS, tokenizer=Morphemes()),
}


def rouge(references: Sequence[str], text: str, language: Language) -> Any:
    """ROUGE-1, -2, -L F1 times 100, against the reference that fits best by ROUGE-1."""
    found = [SCORERS[language].score(reference, text) for reference in references]
    best = max(found, key=lambda score: score["rouge1"].fmeasure)
    return np.array([best[key].fmeasure * 100 for key in KEYS])


def textrank(document: Document, count: int) -> list[int]:
    """TextRank (Mihalcea and Tarau 2004): word overlap over log lengths, power iteration."""
    bags = [set(words(s.text, document.language)) for s in document.sentences]
    size = len(bags)
    likeness = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            if len(bags[i]) > 1 and len(bags[j]) > 1:
                shared = len(bags[i] & bags[j])
                likeness[i, j] = likeness[j, i] = shared / (
                    math.log(len(bags[i])) + math.log(len(bags[j]))
                )
    sums = likeness.sum(axis=0)
    moves = np.divide(likeness, sums, out=np.full_like(likeness, 1 / size), where=sums > 0)
    rank = np.full(size, 1 / size)
    for _ in range(60):
        rank = 0.15 / size + 0.85 * moves @ rank
    return sorted(np.argsort(-rank, kind="stable")[:count].tolist())


Chooser = Callable[[Document, Vectors | None, int], str]


def _joined(document: Document, chosen: Sequence[int]) -> str:
    return " ".join(document.sentences[i].text for i in chosen)


CHOOSERS: dict[str, Chooser] = {
    "title": lambda d, _v, _n: d.title,
    "lead": lambda d, _v, n: _joined(d, range(min(n, len(d.sentences)))),
    "TextRank": lambda d, _v, n: _joined(d, textrank(d, n)),
    "ours": lambda d, v, n: _joined(d, weigh(d, v).best(n)),
}


async def load(
    path: Path, limit: int, encoder: Encoder
) -> list[tuple[Document, Vectors | None, list[str]]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:limit]
    found = []
    for row in rows:
        article = Article(title=row["title"], content=row["content"], language=row["language"])
        document = cut(article, 330)
        vectors = None
        if document.language in encoder.reads:
            vectors = await encoder.embed([s.text for s in document.sentences])
        found.append((document, vectors, row.get("summaries") or [row["summary"]]))
    return found


async def report(root: Path, limit: int, encoder: Encoder) -> None:
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, encoder {encoder.name}"
    )
    print("\n| set | rows | sentences | " + " | ".join(CHOOSERS) + " |")
    print("|---|---|---|" + "---|" * len(CHOOSERS))
    for name, count in REPORTED:
        loaded = await load(root / f"{name}.jsonl.gz", limit, encoder)
        cells = []
        for choose in CHOOSERS.values():
            scores = [rouge(refs, choose(d, v, count), d.language) for d, v, refs in loaded]
            cells.append("/".join(f"{x:.1f}" for x in np.mean(scores, axis=0)))
        print(f"| {name} | {len(loaded)} | {count} | " + " | ".join(cells) + " |", flush=True)


async def tune(root: Path, limit: int, encoder: Encoder, tries: int) -> None:
    random.seed(17)
    for language in ("en", "ko"):
        sets = [
            (await load(root / f"{name}.jsonl.gz", limit, encoder), count)
            for name, count in TUNED
            if name.startswith("react_ko") == (language == "ko")
        ]
        best = (_mean(sets, WEIGHTS[language]), WEIGHTS[language])
        print(language, "now", round(best[0], 2), best[1], flush=True)
        for _ in range(tries):
            weights = _drawn(best[1])
            score = _mean(sets, weights)
            if score > best[0]:
                best = (score, weights)
                print(language, round(score, 2), weights, flush=True)


def _drawn(near: Weights) -> Weights:
    changed = {
        name: round(
            max(0.0, getattr(near, name) * random.uniform(0.5, 1.7) + random.choice([0, 0, 0.1])), 2
        )
        for name in random.sample(["centroid", "title", "meaning", "lead", "opening", "repeat"], 2)
    }
    return replace(near, **changed, length=max(6, near.length + random.choice([-3, 0, 0, 3])))


def _mean(sets: Sequence[tuple[Any, int]], weights: Weights) -> float:
    """Mean of ROUGE-1 and ROUGE-2, each set counting alike."""
    means = []
    for loaded, count in sets:
        scores = [
            rouge(refs, _joined(d, weigh(d, v, weights).best(count)), d.language)[:2].mean()
            for d, v, refs in loaded
        ]
        means.append(np.mean(scores))
    return float(np.mean(means))


async def run(arguments: argparse.Namespace) -> None:
    from bot.configuration import load as settings
    from bot.wiring import data_dir
    from core.engine.choose import open_engine

    chosen = settings()
    _, encoder = await open_engine(chosen.model, data_dir(chosen))
    if arguments.tune:
        await tune(arguments.data, arguments.limit, encoder, arguments.tune)
    else:
        await report(arguments.data, arguments.limit, encoder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--limit", type=int, default=200, help="rows of each set at most")
    parser.add_argument("--tune", type=int, default=0, help="random weights to try")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
