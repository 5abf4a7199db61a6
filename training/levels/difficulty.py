"""The difficulty judge: fitted on labelled articles, read on sites it has never seen.

    python -m training difficulty --config config/training/difficulty.yaml --data ../shared/data

Labels of two sites are not on one scale, so everything is fitted within sites (levels and
features less their site's mean, sites of equal weight) and read leave-one-site-out: Spearman
within the site, and three classes. Writes `core/judging/data/difficulty_head.json` with its
manifest, and `report.json`, confusion matrix and curves into the run's folder.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.article import Article
from core.chunks import cut
from core.judging.meaning import axes, pooled
from training.encoding import FACTORS, Embedder
from training.levels.unseen import CLASSES, Numbers, equal, quantile, ranked, within
from training.lines import rows
from training.reporting import (
    classification,
    draw_confusion,
    draw_curves,
    manifest,
    write_json,
)

OUT = Path(__file__).parents[2] / "core" / "judging" / "data"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """A row an article: three vectors, the factors' signs, level, class and site."""

    title: Numbers
    mean: Numbers
    opening: Numbers
    signs: Numbers
    levels: Numbers
    classes: NDArray[np.str_]
    sites: NDArray[np.str_]
    texts: tuple[str, ...]

    def of(self, chosen: NDArray[np.bool_]) -> Table:
        kept = tuple(text for text, wanted in zip(self.texts, chosen, strict=True) if wanted)
        return Table(
            title=self.title[chosen],
            mean=self.mean[chosen],
            opening=self.opening[chosen],
            signs=self.signs[chosen],
            levels=self.levels[chosen],
            classes=self.classes[chosen],
            sites=self.sites[chosen],
            texts=kept,
        )


def read(found: Sequence[dict[str, Any]], embedder: Embedder) -> Table:
    title, mean, opening, factors = [], [], [], []
    for row in found:
        document = cut(Article(title=row["title"] or None, content=row["content"]), 330)
        vectors = embedder.sentences(row["id"], document)
        whole, first = pooled(vectors[1:])
        title.append(vectors[0])
        mean.append(whole)
        opening.append(first)
        factors.append(embedder.signs(row["id"], document))
    return Table(
        np.array(title, dtype=float),
        np.array(mean, dtype=float),
        np.array(opening, dtype=float),
        np.array(factors),
        np.array([float(row["level"]) for row in found]),
        np.array([str(row["level_label"]) for row in found]),
        np.array([str(row["source"]) for row in found]),
        tuple(f"{row['title']}\n{row['content']}" for row in found),
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything of the head but its encoder's name."""

    vectors: tuple[Numbers, Numbers, Numbers]
    centres: dict[str, float]
    widths: dict[str, float]
    weights: dict[str, float]
    sums: Numbers
    levels: Numbers
    bounds: tuple[float, float]

    def standard(self, table: Table) -> dict[str, Numbers]:
        parts = zip((table.title, table.mean, table.opening), self.vectors, strict=True)
        raw = {
            "concepts": sum((rows @ vector for rows, vector in parts), np.zeros(len(table.levels)))
        }
        raw |= {name: table.signs[:, i] for i, name in enumerate(FACTORS)}
        return {
            name: np.clip((raw[name] - self.centres[name]) / self.widths[name], -3, 3)
            for name in raw
        }

    def total(self, table: Table) -> Numbers:
        found = self.standard(table)
        return np.asarray(sum(self.weights[name] * found[name] for name in found))

    def level(self, total: Numbers) -> Numbers:
        return np.interp(total, self.sums, self.levels)

    def guess(self, total: Numbers) -> list[str]:
        return [CLASSES[int(t > self.bounds[0]) + int(t > self.bounds[1])] for t in total]


def fit(table: Table, directions: Numbers, settings: dict[str, Any]) -> Fitted:
    """`directions`: an axis a row, from easy to hard."""
    from sklearn.linear_model import Ridge

    weight = equal(table.sites)
    views = (table.title, table.mean, table.opening)
    target = within(table.levels, table.sites)
    for site in set(table.sites):
        target[table.sites == site] /= target[table.sites == site].std() or 1.0
    placed = within(np.hstack([view @ directions.T for view in views]), table.sites)
    scale = placed.std()
    ridge = Ridge(alpha=settings["ridge"], fit_intercept=False)
    ridge.fit(placed / scale, target, sample_weight=weight * len(target))
    taught = np.split(ridge.coef_ / scale, 3)
    untaught = directions.mean(axis=0)
    vectors = [untaught / within(view @ untaught, table.sites).std() for view in views]
    learned = [part @ directions for part in taught]
    moved = np.sum([v @ part for v, part in zip(views, learned, strict=True)], axis=0)
    width = within(moved, table.sites).std()
    vectors = [own + part / width for own, part in zip(vectors, learned, strict=True)]
    return _scaled(table, tuple(vectors), settings)


def _scaled(table: Table, vectors: tuple[Any, ...], settings: dict[str, Any]) -> Fitted:
    weight = equal(table.sites)
    concept = sum(
        v @ u for v, u in zip((table.title, table.mean, table.opening), vectors, strict=True)
    )
    raw = {"concepts": concept, **{n: table.signs[:, i] for i, n in enumerate(FACTORS)}}
    centres = {name: float((values * weight).sum()) for name, values in raw.items()}
    widths = {name: float(within(values, table.sites).std()) for name, values in raw.items()}
    weights = {"concepts": widths["concepts"], **{n: float(settings[n]) for n in FACTORS}}
    first = Fitted(vectors, centres, widths, weights, np.zeros(1), np.zeros(1), (0.0, 0.0))
    total = first.total(table)
    sums, levels = _line(total, table.levels, weight)
    shares = np.cumsum([weight[table.classes == name].sum() for name in CLASSES])
    bounds = (quantile(total, weight, shares[0]), quantile(total, weight, shares[1]))
    return Fitted(vectors, centres, widths, weights, sums, levels, bounds)


_MIDDLE, _DRAWN = 3.0, 0.8


def _line(total: Numbers, levels: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    """A monotone line: the middle of each level's share stands for the level, the ends for 1 and 5.

    So the levels come out nearly as often as people give them; a regression would call all of them 3.
    Drawn a little towards the middle: of an order that is known this roughly, the far ends are
    claimed for more articles than have them.
    """
    before, sums, heights = 0.0, [quantile(total, weight, 0.01)], [1.0]
    for level in np.unique(levels):
        share = float(weight[levels == level].sum())
        sums.append(quantile(total, weight, before + share / 2))
        heights.append(_MIDDLE + _DRAWN * (float(level) - _MIDDLE))
        before += share
    sums.append(quantile(total, weight, 0.99))
    heights.append(5.0)
    return np.array(sums), np.maximum.accumulate(np.array(heights))


def by_shares(table: Table, scores: Numbers) -> list[str]:
    """Classes by rank, each site's shares taken as known: what is lost to the scale of the labels
    alone, for the order is that of the scores."""
    made = np.empty(len(scores), dtype=object)
    for site in set(table.sites):
        mine = np.flatnonzero(table.sites == site)
        ends = np.cumsum([float(np.mean(table.classes[mine] == name)) for name in CLASSES])
        order = mine[np.argsort(scores[mine], kind="stable")]
        places = (np.arange(len(order)) + 0.5) / len(order)
        made[order] = [CLASSES[min(2, int(np.searchsorted(ends, place)))] for place in places]
    return [str(name) for name in made]


Judge = Callable[[Table, Table], tuple[Numbers, list[str]]]


def unseen(table: Table, judge: Judge) -> dict[str, Any]:
    """Leave-one-site-out: each site judged by what the others taught."""
    scores, guesses = np.zeros(len(table.levels)), np.empty(len(table.levels), dtype=object)
    for site in sorted(set(table.sites)):
        mine = table.sites == site
        scores[mine], guesses[mine] = judge(table.of(~mine), table.of(mine))
    return {
        **ranked(scores, table.levels, table.sites),
        "classes": classification(table.classes.tolist(), guesses.tolist()),
        "shares_known": classification(table.classes.tolist(), by_shares(table, scores)),
        "scores": scores.tolist(),
    }


def judges(directions: Numbers, settings: dict[str, Any]) -> dict[str, Judge]:
    """Ours and those to compare with, the dumb ones first."""

    def majority(train: Table, test: Table) -> tuple[Numbers, list[str]]:
        names, counts = np.unique(train.classes, return_counts=True)
        return np.zeros(len(test.levels)), [str(names[counts.argmax()])] * len(test.levels)

    def words(train: Table, test: Table) -> tuple[Numbers, list[str]]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression, Ridge

        cutter = TfidfVectorizer(
            min_df=3, max_features=20_000, sublinear_tf=True, ngram_range=(1, 2)
        )
        known, new = cutter.fit_transform(train.texts), cutter.transform(test.texts)
        guessed = LogisticRegression(max_iter=1000).fit(known, train.classes).predict(new)
        return Ridge().fit(known, train.levels).predict(new), [str(g) for g in guessed]

    def embedding(train: Table, test: Table) -> tuple[Numbers, list[str]]:
        from sklearn.linear_model import Ridge

        target = within(train.levels, train.sites)
        known = within(np.hstack([train.title, train.mean]), train.sites)
        ridge = Ridge(alpha=100.0).fit(
            known, target, sample_weight=equal(train.sites) * len(target)
        )
        totals = known @ ridge.coef_
        found = np.hstack([test.title, test.mean]) @ ridge.coef_
        shares = np.cumsum([np.mean(train.classes == name) for name in CLASSES])
        first, second = np.quantile(totals, shares[0]), np.quantile(totals, shares[1])
        moved = found - found.mean()
        return found, [CLASSES[int(t > first) + int(t > second)] for t in moved]

    def untaught(train: Table, test: Table) -> tuple[Numbers, list[str]]:
        axis = directions.mean(axis=0)
        score = (test.title + test.mean + test.opening) @ axis
        known = (train.title + train.mean + train.opening) @ axis
        shares = np.cumsum([np.mean(train.classes == name) for name in CLASSES])
        first, second = np.quantile(known, shares[0]), np.quantile(known, shares[1])
        return score, [CLASSES[int(t > first) + int(t > second)] for t in score]

    def ours(train: Table, test: Table) -> tuple[Numbers, list[str]]:
        fitted = fit(train, directions, settings)
        total = fitted.total(test)
        return fitted.level(total), fitted.guess(total)

    return {
        "majority": majority,
        "TF-IDF": words,
        "embedding, ridge": embedding,
        "axes, no label used": untaught,
        "ours": ours,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training difficulty", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/difficulty.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", type=Path, help="a prepared encoder's folder")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: dict[str, Any] = yaml.safe_load(asked.config.read_text("utf-8"))
    out = Path(settings["out"])
    embedder = Embedder(asked.encoder, out / "vectors.npz")
    paths = [asked.data / settings[name] for name in ("train", "valid")]
    train = [row for row in rows(paths[0]) if row["language"] == "en"]
    table = read(train, embedder)
    directions = embedder.directions(axes()).astype(float)
    report = {name: unseen(table, judge) for name, judge in judges(directions, settings).items()}
    for name, found in report.items():
        log.info(
            "%s: Spearman %.3f, macro-F1 %.3f (%.3f where a site's shares of classes are known)",
            name,
            found["mean_spearman"],
            found["classes"]["macro"]["f1"],
            found["shares_known"]["macro"]["f1"],
        )
    fitted = fit(table, directions, settings)
    _save(fitted, table, report, embedder.name)
    figures = {
        name: {k: v for k, v in found.items() if k != "scores"} for name, found in report.items()
    }
    valid = [row for row in rows(paths[1]) if row["language"] == "en"]
    figures["valid"] = _valid(fitted, read(valid, embedder))
    write_json(figures, out / "report.json")
    write_json(manifest(settings, paths, figures["ours"]), OUT / "difficulty_head.manifest.json")
    draw_confusion(report["ours"]["classes"], out / "confusion.png", "difficulty, unseen sites")
    hard = [int(name != "beginner") for name in table.classes]
    draw_curves(
        {name: (hard, found["scores"]) for name, found in report.items()}, out / "curves.png"
    )
    embedder.keep()
    return 0


def _valid(fitted: Fitted, table: Table) -> dict[str, Any]:
    """Unseen articles of the sites it was fitted on."""
    from scipy.stats import spearmanr

    total = fitted.total(table)
    return {
        "spearman_all": float(spearmanr(total, table.levels).statistic),
        "classes": classification(table.classes.tolist(), fitted.guess(total)),
    }


def _save(fitted: Fitted, table: Table, report: dict[str, Any], encoder: str) -> None:
    standard = fitted.standard(table)
    apart = np.array(report["ours"]["scores"]) - table.levels
    title, mean, opening = ([round(float(x), 5) for x in v] for v in fitted.vectors)
    head = {
        "encoder": encoder,
        "title": title,
        "mean": mean,
        "opening": opening,
        "centres": fitted.centres,
        "widths": fitted.widths,
        "weights": fitted.weights,
        "places": {
            name: [round(float(q), 4) for q in np.quantile(values, np.linspace(0, 1, 11))]
            for name, values in standard.items()
        },
        "sums": [round(float(x), 4) for x in fitted.sums],
        "levels": [round(float(x), 4) for x in fitted.levels],
        "spread": round(float(np.sqrt(np.mean(apart**2))), 3),
    }
    write_json(head, OUT / "difficulty_head.json")


if __name__ == "__main__":
    raise SystemExit(main())
