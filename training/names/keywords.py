"""The ranker and the tag vocabulary behind keywords: learned from tags that authors gave.

    python -m training keywords --data ../shared/data

Writes core/judging/data/keywords.npz (a forest of shallow trees: the chance that a candidate is
one of the author's tags) and tags.tsv (names articles are tagged with, by how many). Prints
F1@5 and F1@10 on the source left out and in five folds over all sources, beside TF-IDF and the
weights in use before. While a row is learned from, its own tags are no known tags for it.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from core.article import Article
from core.chunks import Document, cut
from core.judging.candidates import (
    NAMES,
    Tag,
    always_named,
    candidates,
    key_of,
    signs,
)
from core.judging.forest import DATA, Forest, Rows
from core.judging.keywords import Keyword, chosen, likely
from core.judging.runs import Key, Sighting
from training.evaluating import scores
from training.lines import rows
from training.reporting import classification, draw_confusion, draw_curves, interval
from training.sentences.gist import planted

log = logging.getLogger("training.names.keywords")
_SEED = 17


@dataclass(frozen=True, slots=True)
class Learned:
    """An article with everything that could be a keyword of it."""

    document: Document
    source: str
    gold: tuple[str, ...]
    found: Mapping[Key, Sighting]
    weights: Mapping[Key, float]


def main(
    data: Annotated[Path, typer.Option(help="The data folder")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="Where the ranker goes")] = DATA,
    report: Annotated[Path, typer.Option(help="Where curves and confusion go")] = Path(
        "runs/keywords"
    ),
) -> None:
    """The ranker and the tag vocabulary behind keywords."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    read = list(learned(data / "keywords" / "train.jsonl.gz"))
    for name, groups in (("source left out", _sources(read)), ("five folds", _folds(len(read), 5))):
        said = validated(read, groups)
        tell(name, read, said)
        draw(read, said, report, name.replace(" ", "_"))
    known = vocabulary(read)
    grow(*_table(read, read)).save(out / "keywords.npz")
    write_tags(known, out / "tags.tsv")
    log.info("%d articles, %d tags -> %s", len(read), len(known), out)


def learned(path: Path) -> Iterator[Learned]:
    found = list(rows(path))
    everything = vocabulary_of(row["keywords"] for row in found)
    for row in found:
        document = cut(Article(content=row["content"], title=row["title"] or None), 330)
        if document.language == "en":
            sightings, weights = candidates(document, everything)
            yield Learned(document, row["source"], tuple(row["keywords"]), sightings, weights)


def vocabulary(read: Sequence[Learned]) -> dict[Key, Tag]:
    return vocabulary_of(one.gold for one in read)


def vocabulary_of(given: Any) -> dict[Key, Tag]:
    """Tags by their stems, spelled as most articles spell them."""
    spelled: dict[Key, Counter[str]] = defaultdict(Counter)
    for names in given:
        for name in set(names):
            key = key_of(name)
            if key and len(key) <= 4:
                spelled[key][" ".join(name.split())] += 1
    return {
        key: Tag(min(names, key=lambda n: (-names[n], n)), names.total())
        for key, names in sorted(spelled.items())
    }


def without(known: Mapping[Key, Tag], gold: Sequence[str]) -> dict[Key, Tag]:
    """What would be known if this article had not been read."""
    own = {key_of(name) for name in gold}
    found = dict(known)
    for key in own & set(found):
        left = found[key].articles - 1
        if left:
            found[key] = Tag(found[key].name, left)
        else:
            del found[key]
    return found


def usable(one: Learned, known: Mapping[Key, Tag]) -> dict[Key, Sighting]:
    """Candidates that would have been found with these known tags."""
    return {
        key: sighting
        for key, sighting in one.found.items()
        if key in one.weights or key in known or key in always_named()
    }


def _table(read: Sequence[Learned], vocabulary_from: Sequence[Learned]) -> tuple[Rows, Rows, Rows]:
    known = vocabulary(vocabulary_from)
    tables, answers, weights = [], [], []
    per_source = Counter(one.source for one in read)
    for one in read:
        own = without(known, one.gold)
        found = usable(one, own)
        if not found:
            continue
        gold = set(scores.distinct(one.gold))
        tables.append(signs(one.document, found, one.weights, own))
        answers.append([float(scores.normal(s.spelling) in gold) for s in found.values()])
        # each source counts alike: 216 articles of one would drown 16 of another
        weights.append(np.full(len(found), 1 / per_source[one.source]))
    return np.vstack(tables), np.concatenate(answers), np.concatenate(weights)


def grow(X: Rows, y: Rows, weights: Rows) -> Forest:  # noqa: N803
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=100,
        max_leaf_nodes=10,
        learning_rate=0.08,
        min_samples_leaf=25,
        l2_regularization=5.0,
        random_state=_SEED,
    ).fit(X, y, sample_weight=weights / weights.mean())
    return planted(model, NAMES)


def _sources(read: Sequence[Learned]) -> list[list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(read):
        found[one.source].append(place)
    return list(found.values())


def _folds(count: int, folds: int) -> list[list[int]]:
    order = np.random.default_rng(_SEED).permutation(count)
    return [order[start::folds].tolist() for start in range(folds)]


def validated(read: Sequence[Learned], groups: Sequence[Sequence[int]]) -> dict[int, list[Keyword]]:
    """Keywords of each article, by a ranker and a vocabulary that have not seen its group."""
    said: dict[int, list[Keyword]] = {}
    for group in groups:
        out = set(group)
        rest = [one for place, one in enumerate(read) if place not in out]
        forest, known = grow(*_table(rest, rest)), vocabulary(rest)
        for place in group:
            one = read[place]
            found = usable(one, known)
            table = signs(one.document, found, one.weights, known)
            said[place] = chosen(found, forest.predict(table), 10)
    return said


def tell(name: str, read: Sequence[Learned], said: Mapping[int, Sequence[Keyword]]) -> None:
    """F1@5 and F1@10 by source: of whole lists of ten, and of lists cut where they are likely."""
    figures: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for place, one in enumerate(read):
        whole, cut_off = [k.name for k in said[place]], likely(said[place])
        five, ten = (scores.matched(one.gold, whole, most)["f1"] for most in (5, 10))
        figures[one.source].append(
            (five, ten, scores.matched(one.gold, cut_off, 10)["f1"], len(cut_off))
        )
    for source, found in figures.items():
        low, high = _interval([one[2] for one in found])
        log.info(
            "%s, %s (%d): F1@5 %.3f, F1@10 %.3f, cut where likely %.3f (%.1f names) [%.3f, %.3f]",
            *(name, source, len(found), *np.mean(found, axis=0), low, high),
        )


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the mean over articles."""
    table = np.array(values)
    return interval(lambda chosen_rows: float(table[chosen_rows].mean()), len(table))


def draw(
    read: Sequence[Learned], said: Mapping[int, Sequence[Keyword]], out: Path, name: str
) -> None:
    """Of the ten likeliest names of each article: which are tags, by their chance (curves, by
    source) and by whether they are shown (confusion)."""
    curves: dict[str, tuple[list[int], list[float]]] = {}
    truth, shown = [], []
    for place, one in enumerate(read):
        gold = set(scores.distinct(one.gold))
        kept = set(likely(said[place]))
        right, chances = curves.setdefault(one.source, ([], []))
        for keyword in said[place]:
            tag = scores.normal(keyword.name) in gold
            right.append(int(tag))
            chances.append(keyword.chance or 0.0)
            truth.append("tag" if tag else "no tag")
            shown.append("tag" if keyword.name in kept else "no tag")
    draw_curves({k: v for k, v in curves.items() if 0 < sum(v[0]) < len(v[0])}, out / f"{name}.png")
    draw_confusion(classification(truth, shown), out / f"{name}_confusion.png", name)


def write_tags(known: Mapping[Key, Tag], path: Path) -> None:
    head = "# name, articles tagged with it in keywords/train (Arm, Go blog: CC-BY(-SA)-4.0; JOSE: CC-BY-4.0)\n"
    lines = sorted((tag.name, tag.articles) for tag in known.values())
    body = "".join(f"{name}\t{articles}\n" for name, articles in lines)
    path.write_text(head + body, encoding="utf-8")
