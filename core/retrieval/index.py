"""The heads of all documents in memory, searched without a database.

Documents lie in **segments** that never change: what comes in makes a small new one, and small
ones are merged into larger ones, so adding costs little and there are few to look at. Who is
gone or was replaced is marked and left out at the next merge.

Words: BM25 (Robertson and Zaragoza 2009) over all words and over the title's (`postings`).
Meaning: mean vectors (`nearness`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.ports import Vectors
from core.retrieval.document import Head
from core.retrieval.fuse import Scores
from core.retrieval.nearness import Directions, Places
from core.retrieval.postings import K1, TITLE_B, B, Postings
from core.retrieval.tokens import Terms

_Cell = TypeVar("_Cell", bound=np.generic)

LANGUAGES: tuple[Language, ...] = ("en", "ko")
_SAMPLED = 256  # documents that tell what shared signs are worth


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a document besides its text, for filters. `made_at`: seconds since 1970."""

    key: str
    content: str
    language: Language
    difficulty: float = 0.0
    site: str = ""
    made_at: float = 0.0


@dataclass
class Segment:
    """Documents by their place in it. `alive` is the only thing that changes.

    `titles`: the words of each title from `title_starts` on, `contents`: hashes as bytes.
    """

    keys: list[str]
    contents: NDArray[np.bytes_]
    languages: NDArray[np.int8]
    difficulties: NDArray[np.float32]
    made_at: NDArray[np.float64]
    sites: NDArray[np.object_]
    lengths: Scores
    titles: Terms
    title_starts: NDArray[np.int64]
    words: Postings
    title_words: Postings
    sounds: Postings
    directions: Directions

    def __post_init__(self) -> None:
        self.alive = np.ones(len(self.keys), dtype=bool)

    @classmethod
    def of(cls, documents: Sequence[tuple[Facts, Head]]) -> Segment:
        facts, heads = [f for f, _ in documents], [h for _, h in documents]
        titles = [len(h.title) for h in heads]
        return cls(
            keys=[f.key for f in facts],
            contents=np.array([f.content.encode() for f in facts], dtype=np.bytes_),
            languages=np.array([LANGUAGES.index(f.language) for f in facts], dtype=np.int8),
            difficulties=np.array([f.difficulty for f in facts], dtype=np.float32),
            made_at=np.array([f.made_at for f in facts], dtype=np.float64),
            sites=_interned([f.site for f in facts]),
            lengths=np.array([h.counts.sum(dtype=np.int64) for h in heads], dtype=np.float32),
            titles=np.concatenate([h.title for h in heads]),
            title_starts=np.cumsum([0, *titles], dtype=np.int64),
            words=Postings.of([h.terms for h in heads], [h.counts for h in heads]),
            title_words=Postings.counted([h.title for h in heads]),
            sounds=Postings.counted([h.sounds for h in heads]),
            directions=Directions.of([h.vector for h in heads]),
        )

    @classmethod
    def merged(cls, parts: Sequence[Segment]) -> Segment:
        """One after the other, without those that are gone."""
        kept = [one.alive.copy() for one in parts]
        numbers = _renumbered(kept)
        both = [*zip(parts, numbers, strict=True)]

        def column(name: str) -> NDArray[Any]:
            return np.concatenate(
                [getattr(one, name)[own] for one, own in zip(parts, kept, strict=True)]
            )

        titles = [
            one.titles[np.repeat(own, np.diff(one.title_starts))]
            for one, own in zip(parts, kept, strict=True)
        ]
        return cls(
            keys=[
                key
                for one, own in zip(parts, kept, strict=True)
                for key, stays in zip(one.keys, own.tolist(), strict=True)
                if stays
            ],
            contents=column("contents"),
            languages=column("languages"),
            difficulties=column("difficulties"),
            made_at=column("made_at"),
            sites=_interned(column("sites").tolist()),
            lengths=column("lengths"),
            titles=np.concatenate(titles),
            title_starts=np.cumsum([0, *column("title_lengths").tolist()], dtype=np.int64),
            words=Postings.merged([(one.words, own) for one, own in both]),
            title_words=Postings.merged([(one.title_words, own) for one, own in both]),
            sounds=Postings.merged([(one.sounds, own) for one, own in both]),
            directions=Directions.merged(
                [(one.directions, own) for one, own in zip(parts, kept, strict=True)]
            ),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def title_lengths(self) -> Scores:
        return np.diff(self.title_starts).astype(np.float32)

    @property
    def has_vector(self) -> NDArray[np.bool_]:
        return self.directions.present

    def title(self, at: int) -> Terms:
        return self.titles[self.title_starts[at] : self.title_starts[at + 1]]


def _interned(texts: Sequence[str]) -> NDArray[np.object_]:
    """Each text once in memory, however many documents have it."""
    once: dict[str, str] = {}
    made = np.empty(len(texts), dtype=np.object_)
    made[:] = [once.setdefault(text, text) for text in texts]
    return made


def _renumbered(kept: Sequence[NDArray[np.bool_]]) -> list[NDArray[np.int32]]:
    found, start = [], 0
    for own in kept:
        numbers = np.cumsum(own, dtype=np.int32) + np.int32(start - 1)
        found.append(np.where(own, numbers, np.int32(-1)))
        start += int(own.sum())
    return found


class Index:
    """Not safe for changes from several threads at once; searching changes nothing, and a copy may
    grow while its original is searched.

    A document's number counts through the segments, the dead ones included.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._where: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, key: str) -> bool:
        return key in self._where

    def keys(self) -> set[str]:
        return set(self._where)

    def key(self, number: int) -> str:
        segment, at = self._place(number)
        return segment.keys[at]

    def content(self, number: int) -> str:
        segment, at = self._place(number)
        return bytes(segment.contents[at]).decode()

    def title_of(self, number: int) -> Terms:
        segment, at = self._place(number)
        return segment.title(at)

    def marked(self, keys: Iterable[str]) -> NDArray[np.bool_]:
        """Which of all documents have these keys."""
        marked = np.zeros(self._starts()[-1], dtype=bool)
        numbers = [n for n in map(self._where.get, keys) if n is not None]
        marked[np.array(numbers, dtype=np.intp)] = True
        return marked

    def _starts(self) -> list[int]:
        """The number of each segment's first document, and what the next one would be."""
        return [*itertools.accumulate(map(len, self.segments), initial=0)]

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
        self._append(Segment.of([*new.values()]))
        self._merge()

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            number = self._where.pop(key, None)
            if number is not None:
                segment, at = self._place(number)
                segment.alive[at] = False

    def _append(self, segment: Segment) -> None:
        start = self._starts()[-1]
        self.segments.append(segment)
        self._where.update(zip(segment.keys, range(start, start + len(segment)), strict=True))

    def _merge(self) -> None:
        """Each segment stays more than twice as large as the next: there are few, and a document
        is merged only so often."""
        first = len(self.segments) - 1
        size = len(self.segments[first])
        while first > 0 and len(self.segments[first - 1]) <= 2 * size:
            first -= 1
            size += len(self.segments[first])
        if first < len(self.segments) - 1:
            together, self.segments = self.segments[first:], self.segments[:first]
            self._append(Segment.merged(together))

    # --- scores: one number for each document, the dead ones included, segment after segment;
    # an empty index has none and is not asked

    def alive(self) -> NDArray[np.bool_]:
        return self.joined("alive")

    def words(self, terms: Mapping[int, float]) -> Scores:
        """BM25 of weighted words."""
        return self._bm25(terms, "words", "lengths", B)

    def title(self, terms: Mapping[int, float]) -> Scores:
        return self._bm25(terms, "title_words", "title_lengths", TITLE_B)

    def sounds(self, terms: Mapping[int, float]) -> Scores:
        return self._bm25(terms, "sounds", "title_lengths", 0.0)

    def meaning(self, vectors: Vectors, numbers: Places) -> Scores:
        """For documents of these numbers, in ascending order: the best cosine of any of these
        vectors; 0 for documents without one."""
        bounds = np.searchsorted(numbers, self._starts())
        return np.concatenate(
            [
                one.directions.cosines(vectors, numbers[low:high] - start)
                for one, start, (low, high) in zip(
                    self.segments,
                    self._starts()[:-1],
                    itertools.pairwise(bounds.tolist()),
                    strict=True,
                )
            ]
        )

    def guessed(self, vectors: Vectors, numbers: Places) -> Scores:
        """The same from shared signs, as they foretell it for a sample of these documents, all of
        which have a vector."""
        shared = np.concatenate([one.directions.shared(vectors) for one in self.segments])
        shared = shared if len(numbers) == len(shared) else shared[numbers]
        some = np.arange(0, len(numbers), max(1, len(numbers) // _SAMPLED))
        known, foretold = self.meaning(vectors, numbers[some]), shared[some]
        spread = float(foretold.var())
        mean = float(foretold.mean())
        slope = float(((foretold - mean) * known).mean()) / spread if spread > 0 else 0.0
        return np.asarray((shared - np.float32(mean)) * np.float32(slope) + known.mean())

    def rarity(self, terms: Iterable[int]) -> dict[int, float]:
        """How much a word says: the logarithm of BM25."""
        return self._rarity(terms, "words")

    def joined(self, name: str) -> NDArray[Any]:
        """A column of facts: alive, languages, difficulties, made_at, sites, has_vector."""
        return self._joined(getattr(segment, name) for segment in self.segments)

    def _rarity(self, terms: Iterable[int], name: str) -> dict[int, float]:
        every = np.array(sorted(set(terms)), dtype=np.uint32)
        frequency, size = self._frequencies(every, name), self._size()
        found = np.log1p((size - frequency + 0.5) / (frequency + 0.5))
        return dict(zip(every.tolist(), found.tolist(), strict=True))

    # --- what is counted over all documents

    def _size(self) -> int:
        return self._starts()[-1]

    def _mean(self, lengths: str) -> float:
        total = sum(float(getattr(s, lengths).sum()) for s in self.segments)
        return total / max(self._starts()[-1], 1)

    def _frequencies(self, terms: Terms, name: str) -> NDArray[np.int64]:
        """In how many documents each of these words stands."""
        frequency = np.zeros(len(terms), dtype=np.int64)
        for segment in self.segments:
            frequency += getattr(segment, name).frequencies(terms)
        return frequency

    def _bm25(self, terms: Mapping[int, float], name: str, lengths: str, b: float) -> Scores:
        mean = max(self._mean(lengths), 1e-9)
        rarity = self._rarity(terms, name)
        weights = {term: weight * rarity[term] for term, weight in terms.items()}
        found = []
        for segment in self.segments:
            norms = K1 * (1 - b + b * getattr(segment, lengths) / np.float32(mean))
            found.append(getattr(segment, name).bm25(weights, norms.astype(np.float32)))
        return self._joined(found)

    def _joined(self, parts: Iterable[NDArray[_Cell]]) -> NDArray[_Cell]:
        return np.concatenate(list(parts))
