"""The forests behind `core/judging/headline.py`: which candidate a person would have written.

    python -m training headline --data ../shared/data --every --drafts runs/crossfit/drafts.jsonl \
        --posts runs/posts.jsonl [--model runs/crossfit/all/export]
    python -m training headline --data ../shared/data --model FOLDER [--rows N] [--posts FILE]

For each article of the training parts the candidates of the product, drafts of the model among them,
each with its ROUGE against the human summary. --every: the drafts are of `python -m training crossfit`,
by models that had not learned from the article. Otherwise only articles of the part "choose" (see
training/sets/examples.py) have drafts, those of the CTranslate2 folder. Drafts are kept in --drafts, so that a
second run is quick. --posts: what `python -m training posts` made; what a digest opens with is learned
from it besides, and lines are not, because only posts were taken of which something else than the
title is said. Prints the held-out parts: title, best sentence, first draft, ours, and the
best that any choice could reach. With --read nothing is learned: the forest in --out is read, beside
another model's drafts perhaps.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.article import Language
from core.chunks import Document
from core.judging.forest import DATA, Forest, Rows, load
from core.judging.gist import rank
from core.judging.headline import NAMES, Candidate, candidates, features
from core.ports import Engine
from core.settings import ModelSettings
from core.summarizing import Summarizer
from training.lines import rows
from training.sentences.gist import document_of, file_of, grow, references
from training.sets.examples import kept_apart

log = logging.getLogger("training.sentences.headline")

TRAIN = ("scitldr/train", "go_blog/train", "tutorial_descriptions/train", "react_ko/train")
HELD = ("scitldr/dev", "go_blog/valid", "react_ko/valid")
_POSTS = "posts"
# Trees, and rows that a leaf has at least.
_GROWN: dict[Language, tuple[int, int]] = {"en": (150, 500), "ko": (80, 80)}
# How much an article of a set counts for a line, and for an opening: posts are what is digested.
_LINE = {"scitldr/train": 1.0}
_OPENING = {"scitldr/train": 0.25}
_OTHERS = (2.0, 1.0)
# An article with drafts to one without, which has to be served as well.
_DRAFTED = 4.0
_KEYS = ("rouge1", "rouge2", "rougeL")


class Syllables:
    """rouge-score's tokenizer for Korean: Hangul syllables and other letters, one by one."""

    def tokenize(self, text: str) -> list[str]:
        return [letter for letter in text.lower() if letter.isalnum()]


@functools.cache
def _scorer(language: Language) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    if language == "en":
        return RougeScorer(_KEYS, use_stemmer=True)
    return RougeScorer(_KEYS, tokenizer=Syllables())


def rouge(wanted: Sequence[str], text: str, language: Language) -> Rows:
    """ROUGE-1, -2, -L F1 times 100; each the maximum over the references."""
    found = [_scorer(language).score(one, text) for one in wanted]
    return np.array([max(one[key].fmeasure for one in found) * 100 for key in _KEYS])


@dataclass(frozen=True, slots=True)
class Case:
    """An article with its candidates: features (n, columns) and ROUGE (n, 3)."""

    name: str
    language: Language
    pool: tuple[Candidate, ...]
    features: Rows
    scores: Rows


class Drafts:
    """What the model drafts of each article, kept in a file by the article's id."""

    def __init__(self, engine: Engine | None, kept: Path) -> None:
        self._summarizer = Summarizer(engine) if engine else None
        self._kept = kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        lines = kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else []
        self._known: dict[str, list[str]] = dict(json.loads(line) for line in lines)

    def of(self, key: str, document: Document, ranks: Rows) -> list[str]:
        if key not in self._known:
            if self._summarizer is None:
                return []
            self._known[key] = asyncio.run(self._summarizer.drafts(document, ranks))
            with self._kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self._known[key]], ensure_ascii=False) + "\n")
        return self._known[key]


def cases(
    path: Path, name: str, drafts: Drafts, most: int, *, every: bool = False
) -> Iterator[Case]:
    """`every`: whoever drafted an article had not learned from it."""
    for row in _chosen(path, name, most, every=every):
        document = document_of(row)
        if not document.sentences:
            continue
        ranks = rank(document)
        # Drafts of what the model learned from flatter it.
        drafted = drafts.of(str(row["id"]), document, ranks) if every or _unseen(name, row) else []
        # A language or an engine without drafts has to be served as well.
        for given in [drafted, ()] if drafted and name not in HELD else [drafted]:
            pool = candidates(document, ranks, given)
            scores = [rouge(references(row), one.text, document.language) for one in pool]
            found = features(document, ranks, pool)
            yield Case(name, document.language, pool, found, np.array(scores))


def _chosen(path: Path, name: str, most: int, *, every: bool) -> Iterator[dict[str, Any]]:
    """All that the model never saw, and of the others as many as wanted."""
    others = 0
    for row in rows(path):
        unseen = every or _unseen(name, row)
        others += not unseen
        if unseen or others <= most:
            yield row


def _unseen(name: str, row: dict[str, Any]) -> bool:
    return name in HELD or kept_apart(str(row["id"]))


def fit(learned: Sequence[Case], language: Language, *, opening: bool = False) -> Forest:
    """Of one language alone. How many trees and how fine: by five folds of what is learned from."""
    learned = [case for case in learned if case.language == language and case.pool]
    trees, least = _GROWN[language]
    weights = np.concatenate(
        [
            np.full(len(case.pool), _weight(case, opening=opening) / np.sqrt(len(case.pool)))
            for case in learned
        ]
    )
    return grow(
        np.vstack([case.features for case in learned]),
        np.concatenate([case.scores.mean(axis=1) for case in learned]),
        weights,
        NAMES,
        trees=trees,
        least=least,
        whole=True,
    )


def _weight(case: Case, *, opening: bool) -> float:
    named = _OPENING if opening else _LINE
    drafted = any(one.origin == "model" for one in case.pool)
    return named.get(case.name, _OTHERS[opening]) * (_DRAFTED if drafted else 1.0)


def untitled(case: Case) -> Case:
    """Without the title, which stands above an opening."""
    kept = [i for i, one in enumerate(case.pool) if one.origin != "title"]
    pool = tuple(case.pool[i] for i in kept)
    return replace(case, pool=pool, features=case.features[kept], scores=case.scores[kept])


def tell(forests: Mapping[Language, Forest], held: Iterable[Case]) -> None:
    kinds: dict[str, list[Rows]] = {}
    for case in held:
        ours = case.scores[int(np.argmax(forests[case.language].predict(case.features)))]
        kinds.setdefault("ours", []).append(ours)
        best = int(np.argmax(case.scores.mean(axis=1)))
        kinds.setdefault("best possible", []).append(case.scores[best])
        for origin in ("title", "article", "model"):
            found = [
                s for one, s in zip(case.pool, case.scores, strict=True) if one.origin == origin
            ]
            if found:
                kinds.setdefault(f"first {origin}", []).append(found[0])
    for kind, scores in kinds.items():
        log.info("  %-14s %5.1f %5.1f %5.1f  (%d)", kind, *np.mean(scores, axis=0), len(scores))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training headline", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, help="a CTranslate2 folder; none: kept drafts only")
    parser.add_argument("--posts", type=Path, help="posts that are learned from besides")
    parser.add_argument("--drafts", type=Path, default=Path("runs/headline/drafts.jsonl"))
    parser.add_argument(
        "--every", action="store_true", help="--drafts are of `crossfit`: no article was known"
    )
    parser.add_argument("--rows", type=int, default=600, help="articles besides, of each set")
    parser.add_argument("--held", type=int, default=10**9, help="held-out articles that are read")
    parser.add_argument(
        "--out",
        type=Path,
        default=DATA,
        help="folder of headline_en.npz, headline_ko.npz and opening_en.npz",
    )
    parser.add_argument("--read", action="store_true", help="learn nothing, read --out")
    parser.add_argument("--sets", nargs="+", default=HELD, choices=HELD, help="held-out parts")
    asked = parser.parse_args(arguments)
    # rouge-score brings a root handler of its own
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    engine = _engine(asked.model)
    drafts = Drafts(engine, asked.drafts)
    if not asked.read:
        learned = [
            case
            for name in TRAIN
            for case in cases(
                file_of(asked.data, name), name, drafts, asked.rows, every=asked.every
            )
        ]
        asked.out.mkdir(parents=True, exist_ok=True)
        for language in _GROWN:
            fit(learned, language).save(asked.out / f"headline_{language}.npz")
        if asked.posts:
            learned += cases(asked.posts, _POSTS, drafts, 10**9, every=asked.every)
        titleless = [untitled(case) for case in learned]
        fit(titleless, "en", opening=True).save(asked.out / "opening_en.npz")
        log.info("%d articles -> %s", len(learned), asked.out)
    forests = {language: load(asked.out / f"headline_{language}.npz") for language in _GROWN}
    for name in asked.sets:
        log.info("%s", name)
        tell(forests, islice(cases(file_of(asked.data, name), name, drafts, 0), asked.held))
    return 0


def _engine(folder: Path | None) -> Engine | None:
    if folder is None:
        return None
    from core.engine.ct2 import CTranslate2Engine

    return CTranslate2Engine(folder, ModelSettings(threads=1, timeout=3600))


if __name__ == "__main__":
    raise SystemExit(main())
