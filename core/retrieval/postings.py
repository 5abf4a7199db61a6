"""Which documents a word stands in, and how often: sorted arrays, merged without sorting anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.retrieval.fuse import Scores
from core.retrieval.tokens import Terms

Counts = NDArray[np.uint8]
Numbers = NDArray[np.int32]
_Cell = TypeVar("_Cell", bound=np.generic)

# Of 0.9, 1.2, 2 and 3 the last did best for whole articles; a title is one line, so its length
# says little (tests/benchmarks/bench_retrieval.py --tune).
K1 = 2.0
B = 0.75
TITLE_B = 0.3


class Postings:
    """Of the word `terms[n]` the documents from `starts[n]` to `starts[n + 1]`, in their order,
    each once. Five bytes each."""

    def __init__(
        self, terms: Terms, starts: NDArray[np.int64], documents: Numbers, counts: Counts
    ) -> None:
        self.terms, self.starts = terms, starts
        self.documents, self.counts = documents, counts

    @classmethod
    def of(cls, words: Sequence[Terms], counts: Sequence[Counts]) -> Postings:
        """Of documents whose words are different ones."""
        every = _joined(words, np.uint32)
        order = np.argsort(every, kind="stable")
        documents = np.repeat(np.arange(len(words), dtype=np.int32), [len(one) for one in words])
        terms, starts = np.unique(every[order], return_index=True)
        bounds = np.append(starts, len(every)).astype(np.int64)
        return cls(terms, bounds, documents[order], _joined(counts, np.uint8)[order])

    @classmethod
    def counted(cls, words: Sequence[Terms]) -> Postings:
        """Of documents in which words stand several times."""
        both = [np.unique(one, return_counts=True) for one in words]
        return cls.of(
            [found for found, _ in both],
            [np.minimum(times, 255).astype(np.uint8) for _, times in both],
        )

    @classmethod
    def merged(cls, parts: Sequence[tuple[Postings, Numbers]]) -> Postings:
        """`parts` one after the other, each with the new numbers of its documents; -1: gone."""
        kept = [part._renumbered(numbers) for part, numbers in parts]
        terms = np.unique(np.concatenate([one.terms for one in kept]))
        places = [np.searchsorted(terms, one.terms) for one in kept]
        sizes = np.zeros(len(terms), dtype=np.int64)
        for one, at in zip(kept, places, strict=True):
            sizes[at] += np.diff(one.starts)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        documents = np.empty(int(starts[-1]), dtype=np.int32)
        counts = np.empty(int(starts[-1]), dtype=np.uint8)
        free = starts[:-1].copy()
        for one, at in zip(kept, places, strict=True):
            lengths = np.diff(one.starts)
            target = np.arange(len(one.documents)) + np.repeat(free[at] - one.starts[:-1], lengths)
            documents[target], counts[target] = one.documents, one.counts
            free[at] += lengths
        return cls(terms, starts, documents, counts)

    def _renumbered(self, numbers: Numbers) -> Postings:
        documents = numbers[self.documents]
        kept = documents >= 0
        if kept.all():
            return Postings(self.terms, self.starts, documents, self.counts)
        before = np.concatenate([[0], np.cumsum(kept)])
        bounds = before[self.starts]
        used = np.diff(bounds) > 0
        starts = np.append(bounds[:-1][used], bounds[-1]).astype(np.int64)
        return Postings(self.terms[used], starts, documents[kept], self.counts[kept])

    def frequencies(self, terms: Terms) -> NDArray[np.int64]:
        """In how many documents each of these words stands."""
        if not len(self.terms):
            return np.zeros(len(terms), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        known = self.terms[at] == terms
        return np.where(known, self.starts[at + 1] - self.starts[at], 0).astype(np.int64)

    def bm25(self, weights: Mapping[int, float], norms: Scores) -> Scores:
        """For each document. `weights`: of each word; `norms`: what a count is measured by."""
        scores = np.zeros(len(norms), dtype=np.float32)
        if not len(self.terms) or not weights:
            return scores
        asked = np.fromiter(weights, dtype=np.uint32, count=len(weights))
        places = np.minimum(np.searchsorted(self.terms, asked), len(self.terms) - 1)
        for term, at in zip(asked, places, strict=True):
            if self.terms[at] != term:
                continue
            span = slice(self.starts[at], self.starts[at + 1])
            # numpy looks up by numbers of its own size twice as fast
            documents = self.documents[span].astype(np.intp)
            counts = self.counts[span].astype(np.float32)
            norm = norms.take(documents)
            norm += counts
            counts /= norm
            counts *= np.float32(weights[int(term)] * (K1 + 1))
            # Each document once for a word, so the plain sum is right.
            scores[documents] += counts
        return scores


def _joined(parts: Sequence[NDArray[_Cell]], kind: type[_Cell]) -> NDArray[_Cell]:
    return np.concatenate(parts) if len(parts) else np.zeros(0, dtype=kind)
