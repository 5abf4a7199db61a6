"""How levels of difficulty are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from training import reporting
from training.evaluating import baselines, scores
from training.evaluating.items import Item
from training.evaluating.measures.shape import Measure, Scored
from training.evaluating.systems import Prediction


def three(level: float) -> str:
    """The three classes of the labelled sets: 1 and 2 are theirs for beginners, 4 and 5 advanced."""
    return "beginner" if level <= 2.5 else "intermediate" if level <= 3.5 else "advanced"


def _level_figures(item: Item, said: Prediction) -> dict[str, float]:
    return {"error": abs(float(str(said)) - item.gold)}


def _levels(rows: Sequence[Scored]) -> dict[str, Any]:
    truth = [float(row.gold) for row in rows]
    said = [float(row.said) for row in rows]
    labels = [row.kind or three(level) for row, level in zip(rows, truth, strict=True)]
    guesses = [three(level) for level in said]
    found = reporting.classification(labels, guesses)
    within = {
        site: scores.spearman([truth[i] for i in places], [said[i] for i in places])
        for site, places in _sites(rows).items()
    }
    ranks = [value for value in within.values() if np.isfinite(value)]
    return {
        "accuracy": found["accuracy"],
        "macro-F1": found["macro"]["f1"],
        "quadratic kappa": scores.quadratic_kappa(_whole(truth), _whole(said), range(1, 6)),
        "Spearman": scores.spearman(truth, said),
        "Spearman within sites": float(np.mean(ranks)) if ranks else float("nan"),
        "Spearman by site": within,
        "intervals": _level_intervals(truth, said, labels, guesses),
        "classes": found,
    }


def _level_intervals(
    truth: list[float], said: list[float], labels: list[str], guesses: list[str]
) -> dict[str, tuple[float, float]]:
    from sklearn.metrics import f1_score

    true, guessed = np.array(labels), np.array(guesses)
    levels, given = np.array(truth), np.array(said)
    classes = sorted({*labels, *guesses})
    measures: dict[str, Callable[[Any], float]] = {
        "accuracy": lambda draw: float(np.mean(true[draw] == guessed[draw])),
        "macro-F1": lambda draw: float(
            f1_score(true[draw], guessed[draw], labels=classes, average="macro", zero_division=0.0)
        ),
        "Spearman": lambda draw: scores.spearman(levels[draw].tolist(), given[draw].tolist()),
    }
    return {
        name: reporting.interval(measure, len(truth), draws=200)
        for name, measure in measures.items()
    }


def _whole(levels: Sequence[float]) -> list[int]:
    return [int(min(5, max(1, np.floor(level + 0.5)))) for level in levels]


def _sites(rows: Sequence[Scored]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(row.site or "-", []).append(place)
    return found


DIFFICULTY = Measure(
    main="Spearman",
    figures=_level_figures,
    beside=lambda ground: {
        "majority": baselines.common_level(ground.train, ground.rows),
        "TF-IDF + logistic regression": baselines.classifier(ground.train, ground.rows),
    },
    whole=_levels,
    why={
        "accuracy": "the share of right classes: what a reader notices, but the majority class buys it",
        "macro-F1": "F1 averaged over the classes: the rare class counts as much as the common one",
        "quadratic kappa": "agreement beyond chance, a miss by two levels costing four times one by one",
        "Spearman": "does it put articles in the right order: what a daily feed filters by",
        "Spearman within sites": "the same inside each site: labels of different sites are not on one scale",
        "fall-out": "the share of a class's strangers that are taken for it: false alarms",
        "error": "mean absolute distance in levels",
    },
    keeps=True,
)
