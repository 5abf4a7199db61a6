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


def ranked(
    scores: Numbers, levels: Numbers, sites: NDArray[np.str_], draws: int = 300
) -> dict[str, Any]:
    """Spearman within each site (0 for a judge that says the same of all), their mean, its interval."""
    from scipy.stats import spearmanr

    by_site: dict[str, float] = {}
    for site in sorted(set(sites)):
        mine = sites == site
        known = len(set(scores[mine])) > 1
        by_site[str(site)] = (
            float(spearmanr(scores[mine], levels[mine]).statistic) if known else 0.0
        )

    def mean_rank(draw: NDArray[np.int64]) -> float:
        found = []
        for site in set(sites):
            chosen = draw[sites[draw] == site]
            if len(set(levels[chosen])) > 1 and len(set(scores[chosen])) > 1:
                found.append(spearmanr(scores[chosen], levels[chosen]).statistic)
        return float(np.mean(found)) if found else float("nan")

    low, high = interval(mean_rank, len(scores), draws=draws)
    return {
        "spearman": by_site,
        "mean_spearman": float(np.mean(list(by_site.values()))),
        "mean_spearman_interval": [low, high],
    }
