"""How a judge of difficulty is read on sites that taught it nothing: ranks within each site."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.reporting import interval

CLASSES = ("beginner", "intermediate", "advanced")
Numbers = NDArray[np.float64]


def equal(sites: NDArray[np.str_]) -> Numbers:
    """Weights that sum to 1, alike for each site."""
    names, place, counts = np.unique(sites, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / (counts[place] * len(names)))


def within(values: Numbers, sites: NDArray[np.str_]) -> Numbers:
    """Less their site's mean."""
    found = np.array(values, dtype=float)
    for site in set(sites):
        found[sites == site] -= found[sites == site].mean(axis=0)
    return found


def quantile(values: Numbers, weight: Numbers, share: float) -> float:
    order = np.argsort(values)
    return float(np.interp(share, np.cumsum(weight[order]), values[order]))


def spearman(one: Numbers, other: Numbers) -> float:
    """Not a number where one side is all alike. Scipy's tests too: too slow for a bootstrap."""
    if len(one) < 2:
        return float("nan")
    first, second = _places(one), _places(other)
    widths = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / widths if widths else float("nan")


def _places(values: Numbers) -> Numbers:
    """Ranks around their mean; those of equal values in the mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[place] - len(values) / 2)


def ranked(
    scores: Numbers, levels: Numbers, sites: NDArray[np.str_], draws: int = 300
) -> dict[str, Any]:
    """Spearman within each site (0 for a judge that says the same of all), their mean, its interval."""
    names, place = np.unique(sites, return_inverse=True)
    by_site = {}
    for i, site in enumerate(names):
        rank = spearman(scores[place == i], levels[place == i])
        by_site[str(site)] = rank if np.isfinite(rank) else 0.0

    def mean_rank(draw: NDArray[np.int64]) -> float:
        each = (draw[place[draw] == i] for i in range(len(names)))
        found = [rank for c in each if np.isfinite(rank := spearman(scores[c], levels[c]))]
        return float(np.mean(found)) if found else float("nan")

    low, high = interval(mean_rank, len(scores), draws=draws)
    return {
        "spearman": by_site,
        "mean_spearman": float(np.mean(list(by_site.values()))),
        "mean_spearman_interval": [low, high],
    }
