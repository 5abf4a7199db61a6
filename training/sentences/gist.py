"""The forest behind `core/judging/gist.py`: which sentences people's summaries are made of.

    python -m training gist --data ../shared/data [--posts runs/posts.jsonl]

Gradient boosting (scikit-learn) on the training parts only, and on posts of which their authors say
what they are about (`python -m training posts`): each sentence of an article with its overlap with
the human summary (mean of unigram and bigram F1 of stems; Korean: syllables). Prints what the best
sentence scores on the parts held back, beside the first sentence and the title.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.article import Article
from core.chunks import Document, cut
from core.judging.forest import DATA, Forest, Rows
from core.judging.gist import NAMES, features
from core.judging.salience import weigh
from training.lines import rows

log = logging.getLogger("training.sentences.gist")

TRAIN = (
    "scitldr/train",
    "tech_specs/train",
    "go_blog/train",
    "tutorial_descriptions/train",
    "react_ko/train",
)
HELD = ("scitldr/dev", "tech_specs/valid", "go_blog/valid", "react_ko/valid")
# Sentences of a long article that are learned from: later ones are hardly ever in a summary.
_MOST = 120


def document_of(row: dict[str, Any]) -> Document:
    return cut(Article(content=row["content"], title=row.get("title")), 330)


def references(row: dict[str, Any]) -> list[str]:
    return list(row.get("summaries") or [row["summary"]])


@lru_cache(maxsize=200_000)
def _stemmed(word: str) -> str:
    from nltk.stem.porter import PorterStemmer

    return str(PorterStemmer().stem(word)) if len(word) > 3 else word


def _grams(text: str, korean: bool) -> tuple[Counter[Any], Counter[Any]]:
    if korean:
        units = [letter for letter in text if letter.isalnum()]
    else:
        units = [_stemmed(word) for word in re.findall(r"[a-z0-9]+", text.lower())]
    return Counter(units), Counter(pairwise(units))


def overlap(reference: str, text: str, *, korean: bool = False) -> float:
    """Mean of unigram and bigram F1, 0 to 100 (ROUGE-1 and ROUGE-2 of Lin 2004)."""
    pairs = zip(_grams(reference, korean), _grams(text, korean), strict=True)
    return float(np.mean([_f1(one, other) for one, other in pairs]))


def _f1(one: Counter[Any], other: Counter[Any]) -> float:
    shared = sum((one & other).values())
    return 200.0 * shared / (sum(one.values()) + sum(other.values())) if shared else 0.0


def learned_from(row: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """Features and overlaps of an article's first sentences."""
    document = document_of(row)
    if not document.sentences:
        return None
    korean = document.language == "ko"
    found = features(document, weigh(document))[:_MOST]
    scores = [
        max(overlap(one, sentence.text, korean=korean) for one in references(row))
        for sentence in document.sentences[:_MOST]
    ]
    return found, np.array(scores)


def collect(files: Iterable[Path]) -> Iterator[tuple[Rows, Rows]]:
    for path in files:
        for row in rows(path):
            learned = learned_from(row)
            if learned is not None:
                yield learned


def file_of(root: Path, name: str) -> Path:
    """Where a set of the data folder lies."""
    return root / f"{name}.jsonl.gz"


def grow(
    X: Rows,  # noqa: N803
    y: Rows,
    weights: Rows,
    names: Sequence[str],
    *,
    trees: int = 250,
    least: int = 40,
    whole: bool = False,
) -> Forest:
    """A forest of shallow trees, at least `least` rows a leaf; the same data gives the same trees.
    `whole`: all of them, from every row; otherwise scikit-learn keeps a tenth of more than 10,000 rows
    apart, and ends where these no longer gain."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=trees,
        max_leaf_nodes=24,
        max_depth=6,
        learning_rate=0.04,
        min_samples_leaf=least,
        l2_regularization=5.0,
        random_state=17,
        early_stopping=False if whole else "auto",
    ).fit(X, y, sample_weight=weights)
    return planted(model, names)


def planted(model: Any, names: Sequence[str]) -> Forest:
    """scikit-learn's trees as our arrays."""
    trees = [one[0].nodes for one in model._predictors]
    starts = np.cumsum([0, *(len(nodes) for nodes in trees)])[:-1]
    nodes = np.concatenate(trees)
    offset = np.repeat(starts, [len(one) for one in trees])
    own = np.arange(len(nodes))
    leaf = nodes["is_leaf"].astype(bool)
    return Forest(
        names=tuple(names),
        base=float(model._baseline_prediction.ravel()[0]),
        depth=int(nodes["depth"].max()),
        roots=starts.astype(np.int32),
        feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int16),
        threshold=np.where(leaf, np.inf, nodes["num_threshold"]).astype(np.float32),
        left=np.where(leaf, own, nodes["left"] + offset).astype(np.int32),
        right=np.where(leaf, own, nodes["right"] + offset).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0).astype(np.float32),
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training gist", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--posts", type=Path, help="rows to learn from besides")
    parser.add_argument("--held", type=Path, help="posts of other sites, to be read at the end")
    parser.add_argument("--out", type=Path, default=DATA / "gist.npz")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    taught = [file_of(asked.data, name) for name in TRAIN]
    learned = list(collect([*taught, asked.posts] if asked.posts else taught))
    # An article counts once, however long it is.
    weights = np.concatenate([np.full(len(y), 1 / np.sqrt(len(y))) for _, y in learned])
    forest = grow(
        np.vstack([X for X, _ in learned]),
        np.concatenate([y for _, y in learned]),
        weights,
        NAMES,
    )
    forest.save(asked.out)
    log.info("%d articles, %d sentences -> %s", len(learned), len(weights), asked.out)
    held = [file_of(asked.data, name) for name in HELD]
    tell(forest, [*held, asked.held] if asked.held else held)
    return 0


def tell(forest: Forest, files: Iterable[Path]) -> None:
    """Mean overlap of one sentence with the summary, on articles that were not learned from."""
    for path in files:
        found = list(collect([path]))
        ours = np.mean([y[int(np.argmax(forest.predict(X)))] for X, y in found])
        first = np.mean([y[0] for _, y in found])
        best = np.mean([y.max() for _, y in found])
        titles = np.mean([_title(row) for row in rows(path)])
        log.info(
            "%s: our sentence %.1f, first %.1f, title %.1f, best possible %.1f",
            *(f"{path.parent.name}/{path.name.split('.')[0]}", ours, first, titles, best),
        )


def _title(row: dict[str, Any]) -> float:
    korean = row.get("language") == "ko"
    return max(overlap(one, row["title"], korean=korean) for one in references(row))


if __name__ == "__main__":
    raise SystemExit(main())
