"""A few documents of many, scored by what is counted over all of them: for an index that lies
elsewhere and gives only those that may be the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.retrieval.index import Index
from core.retrieval.tokens import Terms


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of all documents: how many, the mean of their `lengths` and `title_lengths`, and in how many
    each word stands; by the names that these have in `Segment`."""

    documents: int
    means: Mapping[str, float]
    counted: Mapping[str, Mapping[int, int]]


class Excerpt(Index):
    """Some documents, scored as they would be among all."""

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self._statistics = statistics

    def rarest(
        self, terms: Mapping[int, float], name: str, most: int, documents: int
    ) -> dict[int, float]:
        """Of weighted words those that say most, with what they say: so many at most that are
        known, and no more of them than stand in so many documents together."""
        rarity, known = self._rarity(terms, name), self._statistics.counted[name]
        said = {term: weight * rarity[term] for term, weight in terms.items()}
        found: dict[int, float] = {}
        taken = total = 0
        for term in sorted(said, key=lambda one: (-said[one], one)):
            if count := known.get(term, 0):
                if taken == most or (taken and total + count > documents):
                    break
                taken, total = taken + 1, total + count
            # Who is not known yet stands in few documents.
            found[term] = said[term]
        return found

    def inform(self, name: str, counted: Mapping[int, int]) -> None:
        """In how many documents further words stand."""
        known = self._statistics.counted
        counts = {**known, name: {**known[name], **counted}}
        self._statistics = replace(self._statistics, counted=counts)

    def _size(self) -> int:
        return max(self._statistics.documents, super()._size())

    def _mean(self, lengths: str) -> float:
        return self._statistics.means[lengths]

    def _frequencies(self, terms: Terms, name: str) -> NDArray[np.int64]:
        known = self._statistics.counted[name]
        counted = [known.get(term, 0) for term in terms.tolist()]
        # What came since they were counted is here at least.
        return np.maximum(np.array(counted, dtype=np.int64), super()._frequencies(terms, name))
