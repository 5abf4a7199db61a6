"""What every judge's training reports: intervals, confusion, curves, and who made it from what.

Figures go into a run's folder: `report.json`, and PNG of the confusion matrix and of the ROC and
precision-recall curves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.engine.weights import sha256_of
from training.provenance import commit

Numbers = NDArray[np.float64]


def interval(
    measure: Callable[[NDArray[np.int64]], float], count: int, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95% bootstrap interval of a measure of row numbers; draws it is undefined for are left out."""
    chance = np.random.default_rng(seed)
    found = [measure(chance.integers(0, count, count)) for _ in range(draws)]
    known = [value for value in found if np.isfinite(value)]
    if not known:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """95% interval of a share (Clopper and Pearson 1934): 46 of 46 is at least .92, where a
    bootstrap would say 1 for certain."""
    from scipy.stats import binomtest

    found = binomtest(hits, count).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def auc(
    truth: Sequence[int], scores: Sequence[float], *, draws: int = 1000
) -> tuple[float, float, float]:
    """ROC-AUC with its interval: of all pairs of a true and a false row, the share in which the
    true one has the higher score; an equal one is half a pair."""
    true = np.asarray(truth, dtype=bool)
    values, places = np.unique(np.asarray(scores), return_inverse=True)

    def measure(draw: NDArray[np.int64]) -> float:
        is_true, place = true[draw], places[draw]
        high = np.bincount(place[is_true], minlength=len(values))
        low = np.bincount(place[~is_true], minlength=len(values))
        pairs = high.sum() * low.sum()
        below = np.cumsum(low) - low / 2
        return float(high @ below / pairs) if pairs else float("nan")

    return (measure(np.arange(len(true))), *interval(measure, len(true), draws=draws))


def classification(truth: Sequence[Any], guesses: Sequence[Any]) -> dict[str, Any]:
    """Accuracy, precision, recall, F1 micro and macro, fall-out by class, confusion (blueprint B12)."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = sorted({*truth, *guesses})
    matrix = confusion_matrix(truth, guesses, labels=labels)
    macro = precision_recall_fscore_support(truth, guesses, average="macro", zero_division=0.0)
    micro = precision_recall_fscore_support(truth, guesses, average="micro", zero_division=0.0)
    wrong = matrix.sum(0) - np.diag(matrix)
    others = matrix.sum() - matrix.sum(1)
    return {
        "accuracy": float(np.diag(matrix).sum() / matrix.sum()),
        "macro": dict(zip(("precision", "recall", "f1"), map(float, macro[:3]), strict=True)),
        "micro": dict(zip(("precision", "recall", "f1"), map(float, micro[:3]), strict=True)),
        "fall_out": {
            str(name): float(w / o) if o else 0.0
            for name, w, o in zip(labels, wrong, others, strict=True)
        },
        "labels": [str(name) for name in labels],
        "confusion": matrix.tolist(),
    }


def draw_confusion(found: dict[str, Any], path: Path, title: str) -> None:
    figure = new_figure(4.2, 3.8)
    axes = figure.subplots()
    matrix = np.array(found["confusion"])
    axes.imshow(matrix / np.maximum(1, matrix.sum(1, keepdims=True)), cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(matrix):
        axes.text(column, row, str(value), ha="center", va="center")
    axes.set_xticks(range(len(found["labels"])), found["labels"], rotation=30)
    axes.set_yticks(range(len(found["labels"])), found["labels"])
    axes.set(xlabel="said", ylabel="true", title=title)
    save_figure(figure, path)


def draw_curves(curves: Mapping[str, tuple[Sequence[int], Sequence[float]]], path: Path) -> None:
    """ROC and precision-recall, a line each name."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    figure = new_figure(9, 4)
    left, right = figure.subplots(1, 2)
    for name, (truth, scores) in curves.items():
        fall_out, recall, _ = roc_curve(truth, scores)
        left.plot(fall_out, recall, label=name)
        precision, found, _ = precision_recall_curve(truth, scores)
        right.plot(found, precision, label=name)
    left.plot([0, 1], [0, 1], ":", color="grey")
    left.set(xlabel="fall-out", ylabel="recall", title="ROC")
    right.set(xlabel="recall", ylabel="precision", title="precision-recall")
    left.legend(fontsize=8)
    save_figure(figure, path)


def draw_agreement(
    found: Mapping[str, tuple[Sequence[float], Sequence[float]]], path: Path, near: float = 0.5
) -> None:
    """What is told of translations against their originals, levels 1-5; the band is `near`."""
    figure = new_figure(4.6, 4.4)
    axes = figure.subplots()
    line = np.array([1.0, 5.0])
    axes.fill_between(line, line - near, line + near, color="grey", alpha=0.25)
    for name, (originals, told) in found.items():
        axes.scatter(originals, told, s=12, label=name)
    axes.set(xlabel="original", ylabel="translation", xlim=(0.8, 5.2), ylim=(0.8, 5.2))
    axes.legend(fontsize=8)
    save_figure(figure, path)


def new_figure(width: float, height: float) -> Any:
    """Inches. Not pyplot's: it keeps every figure, and collects all garbage to let one go."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def save_figure(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def manifest(
    settings: dict[str, Any], data: Sequence[Path], figures: dict[str, Any]
) -> dict[str, Any]:
    """Who made a head from what: written beside it as `manifest.json`."""
    return {
        "made": datetime.now(UTC).date().isoformat(),
        "commit": commit() or "unknown",
        "settings": settings,
        "data": {f"{path.parent.name}/{path.name}": sha256_of(path)[:16] for path in data},
        "versions": {name: version(name) for name in ("numpy", "scikit-learn", "torch")},
        "figures": figures,
    }


def write_json(value: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
