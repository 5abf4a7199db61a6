"""Regression trees in numpy: what gradient boosting learned, run without the library that did.

A forest is five arrays over all nodes of all trees, with `roots` where each tree begins. A node
without children points at itself, so every row takes the same number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Forest:
    """`base` plus the sum of the trees. `names`: what the columns are, in their order."""

    names: tuple[str, ...]
    base: float
    depth: int
    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]

    def predict(self, rows: Rows) -> Rows:
        """Shape (n, len(names)) to shape (n,)."""
        if rows.ndim != 2 or rows.shape[1] != len(self.names):
            raise ValueError(f"rows must have {len(self.names)} columns, not {rows.shape}")
        nodes = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        each = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            goes_left = rows[each, self.feature[nodes]] <= self.threshold[nodes]
            nodes = np.where(goes_left, self.left[nodes], self.right[nodes])
        return np.asarray(self.base + self.value[nodes].sum(axis=1, dtype=np.float64))

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            names=np.array(self.names),
            base=np.array(self.base),
            depth=np.array(self.depth),
            roots=self.roots,
            feature=self.feature,
            threshold=self.threshold,
            left=self.left,
            right=self.right,
            value=self.value,
        )


@lru_cache(maxsize=8)
def load(path: Path) -> Forest:
    with np.load(path, allow_pickle=False) as read:
        return Forest(
            names=tuple(str(name) for name in read["names"]),
            base=float(read["base"]),
            depth=int(read["depth"]),
            roots=read["roots"],
            feature=read["feature"],
            threshold=read["threshold"],
            left=read["left"],
            right=read["right"],
            value=read["value"],
        )
