"""Scores of different kinds on one scale.

Two ways were measured on the dev sets (BENCHMARKS.md): scaled scores did better than
reciprocal ranks on all three, so the product uses those.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

_RANK_CONSTANT = 60.0  # Cormack, Clarke and Büttcher 2009


def scaled(scores: Scores) -> Scores:
    """The best is 1, the worst 0; where all are alike all are 0."""
    if not len(scores):
        return scores
    low, high = float(scores.min()), float(scores.max())
    if not high > low:
        return np.zeros_like(scores)
    # Clipped: two scores may lie so near each other that their quotient rounds past the ends.
    share = (scores - low) / np.float32(high - low)
    return np.asarray(np.clip(share, 0.0, 1.0), dtype=np.float32)


def weighted(
    kinds: Mapping[str, Scores],
    weights: Mapping[str, float],
    known: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Scores:
    """The weighted mean of scaled scores; kinds without a weight do not count.

    `known` says for which documents a kind is known at all: the others are judged by the rest.
    """
    known = known or {}
    size = len(next(iter(kinds.values())))
    total = np.zeros(size, dtype=np.float32)
    sums = np.zeros(size, dtype=np.float32)
    for name in kinds.keys() & weights.keys():
        weight, mask = np.float32(weights[name]), known.get(name)
        if mask is None or mask.all():
            sums += weight * scaled(kinds[name])
            total += weight
        else:
            sums[mask] += weight * scaled(kinds[name][mask])
            total[mask] += weight
    if not total.any():
        raise ValueError("no weight for any of these scores")
    return np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)


def reciprocal(kinds: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """The weighted mean of 1 / (60 + rank); equal scores share the better rank."""
    total = sum(weights[name] for name in kinds if name in weights)
    if not total > 0:
        raise ValueError("no weight for any of these scores")
    parts = [
        weights[name] / total / (_RANK_CONSTANT + ranks(kinds[name]))
        for name in kinds
        if name in weights
    ]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float32)


def ranks(scores: Scores) -> Scores:
    """1 for the best; equal scores share the better rank."""
    ordered = np.sort(scores)
    better = len(scores) - np.searchsorted(ordered, scores, side="right")
    return np.asarray(better + 1, dtype=np.float32)
