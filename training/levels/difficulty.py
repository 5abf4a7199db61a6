"""The difficulty judge: fitted on labelled articles and on readings, read on sites it has never seen.

    python -m training difficulty --config config/training/difficulty.yaml --data ../shared/data

Articles with labels of their sites' own are read leave-one-site-out: Spearman within the site, and
three classes; they say what a site holds for harder (`labels`). Texts with a level on one scale for
all sites (`readings`) say how hard a text is; they come from `python -m training posts` and the data
sets. Writes `difficulty_head.json` and `wording.tsv.gz` in `core/judging/data`, and `report.json`,
confusion matrix and curves into the run's folder.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.errors import SettingsError
from core.judging.meaning import axes
from training.encoding import Embedder
from training.evaluating.measures.levels import three
from training.levels import readings
from training.levels.labels import by_shares
from training.levels.tables import Fitted, Table, read
from training.levels.unseen import CLASSES, Numbers, equal, ranked, within
from training.lines import may_ship, rows
from training.reporting import (
    classification,
    draw_confusion,
    draw_curves,
    manifest,
    write_json,
)

OUT = Path(__file__).parents[2] / "core" / "judging" / "data"
log = logging.getLogger(__name__)


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


def judges(told: Table, directions: Numbers, settings: dict[str, Any]) -> dict[str, Judge]:
    """Ours and those to compare with, the dumb ones first. `told`: the readings that teach."""

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
        others = readings.without(told, str(test.sites[0]))
        fitted = readings.joined(train, others, directions, settings)
        levels = fitted.level(fitted.total(test))
        return levels, [three(level) for level in levels]

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
    told, held = _readings(asked.data, settings, embedder)
    directions = embedder.directions(axes()).astype(float)
    teaching = told.of(~held)
    report = {
        name: unseen(table, judge) for name, judge in judges(teaching, directions, settings).items()
    }
    for name, found in report.items():
        log.info(
            "%s: Spearman %.3f, macro-F1 %.3f (%.3f where a site's shares of classes are known)",
            name,
            found["mean_spearman"],
            found["classes"]["macro"]["f1"],
            found["shares_known"]["macro"]["f1"],
        )
    read_apart = {
        name: readings.unseen(told, held, way)
        for name, way in readings.ways(table, directions, settings).items()
    }
    said = ("texts", "spearman_all", "mean_spearman", "apart", "within_one")
    for name, each in read_apart.items():
        for part in ("teach", "held out"):
            log.info(
                "readings, %s, %s (%d): Spearman %.3f, within sites %.3f, %.2f apart, within one level %.2f",
                name,
                part,
                *(each[part][figure] for figure in said),
            )
    fitted = readings.joined(table, teaching, directions, settings)
    apart = np.array(read_apart["ours"]["levels"]) - told.levels
    _save(fitted, teaching, float(np.sqrt(np.mean(apart**2))), embedder.name)
    figures = {
        name: {k: v for k, v in found.items() if k != "scores"} for name, found in report.items()
    }
    figures["readings"] = {
        name: {part: each[part] for part in ("teach", "held out")}
        for name, each in read_apart.items()
    }
    valid = [row for row in rows(paths[1]) if row["language"] == "en"]
    figures["valid"] = _valid(fitted, read(valid, embedder))
    write_json(figures, out / "report.json")
    made = {"labels": figures["ours"], "readings": figures["readings"]["ours"]}
    made_of = [*paths, readings.LEVELS]
    write_json(manifest(settings, made_of, made), OUT / "difficulty_head.manifest.json")
    draw_confusion(report["ours"]["classes"], out / "confusion.png", "difficulty, unseen sites")
    hard = [int(name != "beginner") for name in table.classes]
    draw_curves(
        {name: (hard, found["scores"]) for name, found in report.items()}, out / "curves.png"
    )
    embedder.keep()
    return 0


def _readings(
    data: Path, settings: dict[str, Any], embedder: Embedder
) -> tuple[Table, NDArray[np.bool_]]:
    """The English ones, and which of them are held out. Raises SettingsError where most are not at
    hand."""
    known = readings.levels()
    named = settings["readings"]
    teach = readings.texts(known, data, [Path(named["posts"])], named["sets"])
    held = readings.texts(known, data, [Path(path) for path in named["held"]])
    if len(teach) + len(held) < len(known) / 2:
        raise SettingsError(
            [
                f"{readings.LEVELS.name} tells how hard {len(known)} texts are, and only "
                f"{len(teach) + len(held)} are at hand: python -m training posts --clone gets the others"
            ]
        )
    both = [row for row in [*filter(may_ship, teach), *held] if row["language"] == "en"]
    names = {row["id"] for row in held}
    return read(both, embedder), np.array([row["id"] in names for row in both])


def _valid(fitted: Fitted, table: Table) -> dict[str, Any]:
    """Unseen articles of the sites it was fitted on."""
    from scipy.stats import spearmanr

    total = fitted.total(table)
    return {
        "spearman_all": float(spearmanr(total, table.levels).statistic),
        "classes": classification(table.classes.tolist(), [three(x) for x in fitted.level(total)]),
    }


def _save(fitted: Fitted, table: Table, spread: float, encoder: str) -> None:
    standard = fitted.standard(table)
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
        "spread": round(spread, 3),
    }
    write_json(head, OUT / "difficulty_head.json")
    if fitted.wording is not None:
        fitted.wording.keep(OUT / "wording.tsv.gz")


if __name__ == "__main__":
    raise SystemExit(main())
