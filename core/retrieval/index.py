"""The heads of all documents in memory, searched without a database.

Documents lie in **segments** that never change: what comes in makes a small new one, and small
ones are merged into larger ones, so adding costs little and there are few to look at. Who is
gone or was replaced is marked and left out at the next merge.

Words: BM25 (Robertson and Zaragoza 2009) over all words and over the title's, as sorted arrays
of (word, document, count). Meaning: one matrix of mean vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.ports import Vectors
from core.retrieval.document import Head
from core.retrieval.fuse import Scores
from core.retrieval.tokens import Terms

# Of 0.9, 1.2, 2 and 3 the last did best for whole articles; a title is one line, so its length
# says little (tests/benchmarks/bench_retrieval.py --tune).
K1 = 2.0
B = 0.75
TITLE_B = 0.3

_Cell = TypeVar("_Cell", bound=np.generic)

LANGUAGES: tuple[Language, ...] = ("en", "ko")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a document besides its text, for filters. `made_at`: seconds since 1970."""

    key: str
    content: str
    language: Language
    difficulty: float = 0.0
    site: str = ""
    made_at: float = 0.0


class Postings:
    """For each word the documents it stands in, and how often."""

    def __init__(
        self, terms: Terms, documents: NDArray[np.int32], counts: NDArray[np.uint8]
    ) -> None:
        order = np.argsort(terms, kind="stable")
        self.documents, self.counts = documents[order], counts[order]
        self.terms, starts = np.unique(terms[order], return_index=True)
        self.starts = np.append(starts, len(terms))

    def of(self, term: int) -> slice:
        at = int(np.searchsorted(self.terms, np.uint32(term)))
        if at == len(self.terms) or int(self.terms[at]) != term:
            return slice(0, 0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))

    def frequency(self, term: int) -> int:
        found = self.of(term)
        return int(found.stop) - int(found.start)

    def frequencies(self, terms: Terms) -> NDArray[np.int64]:
        """The same for many words at once."""
        if not len(self.terms):
            return np.zeros(len(terms), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        known = self.terms[at] == terms
        return np.where(known, self.starts[at + 1] - self.starts[at], 0).astype(np.int64)


@dataclass
class Segment:
    """`alive` is the only thing in it that changes."""

    facts: list[Facts]
    heads: list[Head] = field(repr=False)

    def __post_init__(self) -> None:
        heads, size = self.heads, len(self.heads)
        self.alive = np.ones(size, dtype=bool)
        self.lengths = np.array(
            [int(h.counts.sum(dtype=np.int64)) for h in heads], dtype=np.float32
        )
        self.titles = np.array([len(h.title) for h in heads], dtype=np.float32)
        self.vectors = _matrix([h.vector for h in heads])
        # Their rows, so that a vector lies in memory once.
        self.heads = [replace(h, vector=v) for h, v in zip(heads, self.vectors, strict=True)]
        self.has_vector = self.vectors.any(axis=1)
        self.words = _postings([h.terms for h in heads], [h.counts for h in heads])
        self.title_words = _postings([h.title for h in heads])
        self.sounds = _postings([h.sounds for h in heads])
        self.languages = np.array([LANGUAGES.index(f.language) for f in self.facts], dtype=np.int8)
        self.difficulties = np.array([f.difficulty for f in self.facts], dtype=np.float32)
        self.made_at = np.array([f.made_at for f in self.facts], dtype=np.float64)
        self.sites = np.array([f.site for f in self.facts], dtype=object)

    def __len__(self) -> int:
        return len(self.facts)


def _matrix(vectors: Sequence[Vectors]) -> Vectors:
    """Documents in a language that the encoder does not read have no vector: zeros."""
    width = max((len(v) for v in vectors), default=0)
    made = np.zeros((len(vectors), width), dtype=np.float32)
    for row, vector in zip(made, vectors, strict=True):
        if len(vector) == width:
            row[:] = vector
    return made


def _postings(terms: Sequence[Terms], counts: Sequence[NDArray[np.uint8]] = ()) -> Postings:
    sizes = [len(found) for found in terms]
    documents = np.repeat(np.arange(len(terms), dtype=np.int32), sizes)
    every = np.concatenate(terms) if terms else np.zeros(0, dtype=np.uint32)
    if counts:
        return Postings(every, documents, np.concatenate(counts))
    # A word that stands twice in a title counts twice.
    both = (every.astype(np.uint64) << np.uint64(32)) | documents.astype(np.uint64)
    found, times = np.unique(both, return_counts=True)
    return Postings(
        (found >> np.uint64(32)).astype(np.uint32),
        (found & np.uint64(0xFFFFFFFF)).astype(np.int32),
        np.minimum(times, 255).astype(np.uint8),
    )


class Index:
    """Not safe for changes from several threads at once; searching changes nothing, and a copy may
    grow while its original is searched."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._where: dict[str, tuple[Segment, int]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, key: str) -> bool:
        return key in self._where

    def keys(self) -> set[str]:
        return set(self._where)

    def facts(self, number: int) -> Facts:
        segment, at = self._place(number)
        return segment.facts[at]

    def head(self, number: int) -> Head:
        segment, at = self._place(number)
        return segment.heads[at]

    def marked(self, keys: Iterable[str]) -> NDArray[np.bool_]:
        """Which of all documents have these keys."""
        starts, start = {}, 0
        for segment in self.segments:
            starts[id(segment)] = start
            start += len(segment)
        marked = np.zeros(start, dtype=bool)
        for key in keys:
            if (found := self._where.get(key)) is not None:
                marked[starts[id(found[0])] + found[1]] = True
        return marked

    def _place(self, number: int) -> tuple[Segment, int]:
        for segment in self.segments:
            if number < len(segment):
                return segment, number
            number -= len(segment)
        raise IndexError(number)

    def copy(self) -> Index:
        """Shares the segments; what dies in one dies in the other too."""
        made = Index()
        made.segments = list(self.segments)
        made._where = dict(self._where)
        return made

    def add(self, documents: Iterable[tuple[Facts, Head]]) -> None:
        """A key that is there already is replaced; the later of two with one key stays."""
        new = {facts.key: (facts, head) for facts, head in documents}
        if not new:
            return
        self.remove(new)
        self._append(Segment([f for f, _ in new.values()], [h for _, h in new.values()]))
        self._merge()

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            if (found := self._where.pop(key, None)) is not None:
                found[0].alive[found[1]] = False

    def _append(self, segment: Segment) -> None:
        self.segments.append(segment)
        for at, facts in enumerate(segment.facts):
            if segment.alive[at]:
                self._where[facts.key] = (segment, at)

    def _merge(self) -> None:
        """Each segment stays more than twice as large as the next: there are few, and a document
        is merged only so often."""
        while len(self.segments) > 1 and len(self.segments[-2]) <= 2 * len(self.segments[-1]):
            second, first = self.segments.pop(), self.segments.pop()
            kept = [
                (facts, head)
                for one in (first, second)
                for facts, head, alive in zip(one.facts, one.heads, one.alive, strict=True)
                if alive
            ]
            self._append(Segment([f for f, _ in kept], [h for _, h in kept]))

    # --- scores: one number for each document, the dead ones included, segment after segment;
    # an empty index has none and is not asked

    def alive(self) -> NDArray[np.bool_]:
        return self._joined(segment.alive for segment in self.segments)

    def words(self, terms: Mapping[int, float]) -> Scores:
        """BM25 of weighted words."""
        return self._bm25(terms, "words", "lengths", B)

    def title(self, terms: Mapping[int, float]) -> Scores:
        return self._bm25(terms, "title_words", "titles", TITLE_B)

    def sounds(self, terms: Mapping[int, float]) -> Scores:
        return self._bm25(terms, "sounds", "titles", 0.0)

    def meaning(self, vectors: Vectors) -> Scores:
        """The best cosine of any of these vectors; 0 for documents without one."""
        found = [
            (segment.vectors @ vectors.T).max(axis=1)
            if len(vectors) and segment.vectors.shape[1] == vectors.shape[1]
            else np.zeros(len(segment), dtype=np.float32)
            for segment in self.segments
        ]
        return self._joined(found)

    def rarity(self, terms: Iterable[int]) -> dict[int, float]:
        """How much a word says: the logarithm of BM25."""
        every = np.array(sorted(set(terms)), dtype=np.uint32)
        frequency = np.zeros(len(every), dtype=np.int64)
        for segment in self.segments:
            frequency += segment.words.frequencies(every)
        size = sum(map(len, self.segments))
        found = np.log1p((size - frequency + 0.5) / (frequency + 0.5))
        return dict(zip(every.tolist(), found.tolist(), strict=True))

    def joined(self, name: str) -> NDArray[Any]:
        """A column of facts: languages, difficulties, made_at, sites."""
        return self._joined(getattr(segment, name) for segment in self.segments)

    def _rarity(self, term: int, field_name: str) -> float:
        frequency = sum(getattr(s, field_name).frequency(term) for s in self.segments)
        size = sum(map(len, self.segments))
        return float(np.log1p((size - frequency + 0.5) / (frequency + 0.5)))

    def _bm25(self, terms: Mapping[int, float], name: str, lengths: str, b: float) -> Scores:
        total = sum(float(getattr(s, lengths).sum()) for s in self.segments)
        mean = max(total / max(sum(map(len, self.segments)), 1), 1e-9)
        weights = {term: weight * self._rarity(term, name) for term, weight in terms.items()}
        found = []
        for segment in self.segments:
            scores = np.zeros(len(segment), dtype=np.float32)
            postings: Postings = getattr(segment, name)
            norms = K1 * (1 - b + b * getattr(segment, lengths) / np.float32(mean))
            for term, weight in weights.items():
                span = postings.of(term)
                documents = postings.documents[span]
                counts = postings.counts[span].astype(np.float32)
                # Each document once for a word, so the plain sum is right.
                scores[documents] += (
                    np.float32(weight * (K1 + 1)) * counts / (counts + norms[documents])
                )
            found.append(scores)
        return self._joined(found)

    def _joined(self, parts: Iterable[NDArray[_Cell]]) -> NDArray[_Cell]:
        return np.concatenate(list(parts))
