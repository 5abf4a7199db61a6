"""How near in meaning documents are to a question: mean vectors in a byte a number, their signs
in a bit a number.

The signs that two vectors share tell their cosine roughly and a hundred thousand of them are
counted in a few milliseconds; whoever may be among the best is then measured exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.ports import Vectors
from core.retrieval.document import Quantised, dequantised, quantised
from core.retrieval.fuse import Scores

_WORD = 64  # bits that are compared at once
_AT_ONCE = 4096  # vectors that are made of their bytes at once: they stay in the processor's cache

Signs = NDArray[np.uint64]  # one row for each 64 numbers, one column for each document
Places = NDArray[np.intp]


class Directions:
    """Of documents one after the other. Those in a language that the encoder does not read have
    no vector: zeros. So have those of an earlier encoder, whose vectors have another width."""

    def __init__(self, cells: Quantised, signs: Signs) -> None:
        self.cells, self.signs = cells, signs
        self.present: NDArray[np.bool_] = np.asarray(cells.any(axis=1), dtype=np.bool_)

    @classmethod
    def of(cls, vectors: Sequence[Vectors]) -> Directions:
        width = next((len(one) for one in reversed(vectors) if one.any()), 0)
        cells = np.zeros((len(vectors), width), dtype=np.int8)
        for row, vector in zip(cells, vectors, strict=True):
            if len(vector) == width:
                row[:] = quantised(vector)
        return cls(cells, _signs(cells))

    @classmethod
    def merged(cls, parts: Sequence[tuple[Directions, NDArray[np.bool_]]]) -> Directions:
        """`parts` one after the other, each with those that stay."""
        width = next((one.width for one, _ in reversed(parts) if one.present.any()), 0)
        parts = [(one._widened(width), kept) for one, kept in parts]
        return cls(
            np.concatenate([one.cells[kept] for one, kept in parts]),
            np.concatenate([one.signs[:, kept] for one, kept in parts], axis=1),
        )

    @property
    def width(self) -> int:
        return int(self.cells.shape[1])

    def __len__(self) -> int:
        return len(self.cells)

    def cosines(self, vectors: Vectors, places: Places) -> Scores:
        """The best with any of these vectors; 0 where there is none to compare with."""
        found = np.zeros(len(places), dtype=np.float32)
        if not len(vectors) or vectors.shape[1] != self.width:
            return found
        for start in range(0, len(places), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            found[part] = best_cosines(self.cells[places[part]], vectors)
        return found

    def shared(self, vectors: Vectors) -> Scores:
        """How many signs are the same as in one of these vectors, at best; 0 as above."""
        best = np.zeros(len(self), dtype=np.uint16)
        if not len(vectors) or vectors.shape[1] != self.width:
            return best.astype(np.float32)
        for asked in _signs(np.asarray(vectors, dtype=np.float32)).T:
            differing = np.zeros(len(self), dtype=np.uint16)
            for row, word in zip(self.signs, asked, strict=True):
                differing += np.bitwise_count(row ^ word)
            np.maximum(best, np.uint16(_WORD * len(self.signs)) - differing, out=best)
        return best.astype(np.float32)

    def _widened(self, width: int) -> Directions:
        if self.width == width:
            return self
        cells = np.zeros((len(self), width), dtype=np.int8)
        return Directions(cells, _signs(cells))


def best_cosines(cells: Quantised, vectors: Vectors) -> Scores:
    """The best with any of these vectors, of which there are one or more."""
    rows = dequantised(cells)
    # Not with "@": its threads wait for each other longer than this takes where others work, too.
    return np.asarray(np.max([np.einsum("ij,j->i", rows, one) for one in vectors], axis=0))


def _signs(vectors: NDArray[np.int8] | Vectors) -> Signs:
    bits = np.packbits(vectors > 0, axis=1)
    missing = -bits.shape[1] % (_WORD // 8)
    padded = np.pad(bits, ((0, 0), (0, missing)))
    return np.ascontiguousarray(padded.view(np.uint64).T)
