"""Arithmetic on vectors that every encoder needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.ports import Vectors


def mean_of_tokens(states: NDArray[np.float32], lengths: Sequence[int]) -> Vectors:
    """The mean over each row's own tokens, padding left out, brought to length 1."""
    own = np.arange(states.shape[1])[None, :] < np.asarray(lengths)[:, None]
    return unit((states * own[:, :, None]).sum(axis=1))


def unit(vectors: NDArray[np.float32]) -> Vectors:
    """Rows of length 1; a row of zeros points in the first direction rather than nowhere."""
    rows = np.array(vectors, dtype=np.float32)
    rows[~rows.any(axis=1), 0] = 1.0
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
