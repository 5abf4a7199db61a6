"""A question to the index, and the candidates by their heads.

Every document is scored by its words (BM25), its title and its mean vector; `passages.py` puts the
best in order. The weights are settings (core.settings.RetrievalSettings).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.ports import Encoder, Vectors
from core.retrieval import bridge
from core.retrieval.fuse import Scores, weighted
from core.retrieval.index import LANGUAGES, Index
from core.retrieval.nearness import Places
from core.retrieval.rewriting import Wording, wordings
from core.retrieval.tokens import number, tokens
from core.settings import RetrievalSettings

Terms = dict[int, float]

EXACT = 2048
_SAMPLED = 1024
_FARTHEST = 0.005  # which share of documents is measured as the farthest


@dataclass(frozen=True, slots=True)
class Question:
    """`own`: words of the question and its rewordings, with their weight; `bridged`: those in the
    other language; `sounds`: for the other language only. `vectors`: one for each close wording."""

    text: str
    language: Language
    own: Terms
    bridged: Terms
    sounds: Terms
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Candidate:
    """`number` counts documents of the index; `score` is that of the heads; `title` its words."""

    number: int
    key: str
    score: float
    words: float
    meaning: float
    title: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """A question of which only the words are known; `read`: the wordings that the encoder reads."""

    question: Question
    read: tuple[str, ...]

    async def embedded(self, encoder: Encoder) -> Question:
        """Raises EngineFailed."""
        if not self.read:
            return self.question
        return replace(self.question, vectors=await encoder.embed(self.read))


async def understand(text: str, encoder: Encoder, others: Sequence[str] = ()) -> Question:
    """Raises EngineFailed."""
    return await worded(text, encoder, others).embedded(encoder)


def worded(text: str, encoder: Encoder, others: Sequence[str] = ()) -> Worded:
    """`others`: further wordings by somebody else."""
    found = wordings(text, others)
    read = [one for one in found if one.language in encoder.reads]
    # Looser wordings ("gan": "generative adversarial network") are nearer to other articles, too.
    close = [one.text for one in read if one.weight >= 1.0] or [one.text for one in read]
    own: Terms = {}
    bridged: Terms = {}
    for wording in found:
        kept = bridged if wording.bridged else own
        for token in _tokens(wording):
            kept[number(token)] = max(kept.get(number(token), 0.0), wording.weight)
    first = found[0]
    heard = bridge.sounds(tokens(first.text, first.language))
    question = Question(
        first.text,
        first.language,
        own,
        {term: weight for term, weight in bridged.items() if term not in own},
        {number(sound): 1.0 for sound in heard},
        np.zeros((0, 1), dtype=np.float32),
    )
    return Worded(question, tuple(close))


def _tokens(wording: Wording) -> Iterator[str]:
    for part in wording.parts:
        yield from _term_tokens(part, wording.language)
    if not wording.parts:
        yield from tokens(wording.text, wording.language)


@lru_cache(maxsize=8192)
def _term_tokens(term: str, language: Language) -> tuple[str, ...]:
    """The same translated terms come again and again, and Korean's grammar takes its time."""
    return tuple(tokens(term, language))


def candidates(
    index: Index,
    question: Question,
    allowed: NDArray[np.bool_] | None,
    settings: RetrievalSettings,
    count: int,
    *,
    exact: int = EXACT,
) -> list[Candidate]:
    """The best by their heads. `allowed`: which documents may be found at all."""
    return Heads.of(index, question, allowed, settings).meant(question.vectors).best(count, exact)


@dataclass(frozen=True, slots=True)
class Heads:
    """What the heads of documents say, each array in the order of `numbers`; first by their words
    alone, so that the encoder may work meanwhile. `other`: in the other language than the
    question."""

    index: Index
    settings: RetrievalSettings
    numbers: Places
    other: NDArray[np.bool_]
    has_vector: NDArray[np.bool_]
    words: Scores
    title: Scores
    vectors: Vectors

    @classmethod
    def of(
        cls,
        index: Index,
        question: Question,
        allowed: NDArray[np.bool_] | None,
        settings: RetrievalSettings,
    ) -> Heads:
        if not len(index):
            nothing = np.zeros(0, dtype=np.float32)
            no = np.zeros(0, dtype=np.bool_)
            numbers = np.zeros(0, dtype=np.intp)
            return cls(index, settings, numbers, no, no, nothing, nothing, question.vectors)
        alive = index.alive()
        numbers = np.flatnonzero(alive if allowed is None else alive & allowed)
        other = index.joined("languages") != LANGUAGES.index(question.language)
        across = _across(index, question, settings, other)
        has_vector = index.joined("has_vector")[numbers]
        return cls(
            index,
            settings,
            numbers,
            other[numbers],
            has_vector,
            (index.words(question.own) + across)[numbers],
            (index.title(question.own) + across)[numbers],
            question.vectors,
        )

    def meant(self, vectors: Vectors) -> Heads:
        """With the vectors of the question."""
        return replace(self, vectors=vectors, has_vector=self.has_vector & bool(len(vectors)))

    def within(self, allowed: NDArray[np.bool_]) -> Heads:
        """Fewer of them. `allowed`: of all documents of the index."""
        return self._some(np.flatnonzero(allowed[self.numbers]))

    def best(self, count: int, exact: int = EXACT) -> list[Candidate]:
        """Of more documents than `exact` the meaning is measured only of those that may be among
        the best."""
        if not len(self.numbers):
            return []
        if len(self.numbers) > exact and self.has_vector.any():
            return self._likely(exact).best(count, len(self.numbers))
        meaning = np.zeros(len(self.numbers), dtype=np.float32)
        read = np.flatnonzero(self.has_vector)
        meaning[read] = self.index.meaning(self.vectors, self.numbers[read])
        scores = self._scores(meaning)
        found = _best(scores, count)
        return [self._candidate(int(at), float(scores[at]), float(meaning[at])) for at in found]

    def _likely(self, exact: int) -> Heads:
        """Those that are among the best by a guess; and the ends of each scale, so that scores
        come out as they would among all."""
        if self.has_vector.all():
            read = np.arange(len(self.numbers))
            guess = self.index.guessed(self.vectors, self.numbers)
        else:
            read = np.flatnonzero(self.has_vector)
            guess = np.zeros(len(self.numbers), dtype=np.float32)
            guess[read] = self.index.guessed(self.vectors, self.numbers[read])
        likely = np.argpartition(self._scores(guess), -exact)[-exact:]
        some = guess[read[:: max(1, len(read) // _SAMPLED)]]
        farthest = np.flatnonzero((guess <= np.quantile(some, _FARTHEST)) & self.has_vector)
        ends = [*_ends(self.words), *_ends(self.title, np.flatnonzero(~self.has_vector))]
        return self._some(np.unique(np.concatenate([likely, farthest[:exact], ends])))

    def _some(self, places: Places) -> Heads:
        names = ("numbers", "other", "has_vector", "words", "title")
        return replace(self, **{name: getattr(self, name)[places] for name in names})

    def _scores(self, meaning: Scores) -> Scores:
        kinds = {"words": self.words, "title": self.title, "meaning": meaning}
        # Where the encoder reads neither question nor document, the title stands in for meaning;
        # beside it, it cost 2.5 points on SciTLDR and gave none anywhere.
        known = {"meaning": self.has_vector, "title": ~self.has_vector}
        fused = weighted(kinds, weights_of(self.settings), known)
        # A translated question is a guess: what answers it comes a little behind.
        fused[self.other] *= np.float32((1 + self.settings.across) / 2)
        return fused

    def _candidate(self, at: int, score: float, meaning: float) -> Candidate:
        number = int(self.numbers[at])
        return Candidate(
            number,
            self.index.key(number),
            score,
            float(self.words[at]),
            meaning,
            tuple(self.index.title_of(number).tolist()),
        )


def _across(
    index: Index, question: Question, settings: RetrievalSettings, other: NDArray[np.bool_]
) -> Scores:
    """BM25 of the other language's words and sounds, for documents in the other language."""
    if not other.any():
        return np.zeros(len(other), dtype=np.float32)
    found = index.words(question.bridged)
    found = found + np.float32(settings.sounds) * index.sounds(question.sounds)
    return np.where(other, np.float32(settings.across) * found, np.float32(0))


def weights_of(settings: RetrievalSettings) -> Mapping[str, float]:
    return {"words": settings.words, "title": settings.title, "meaning": settings.meaning}


def _ends(scores: Scores, places: Places | None = None) -> list[int]:
    """Where the lowest and the highest of all, or of these places, stand."""
    if places is None:
        return [int(scores.argmin()), int(scores.argmax())]
    if not len(places):
        return []
    return [int(places[at]) for at in _ends(scores[places])]


def _best(scores: Scores, count: int) -> NDArray[np.intp]:
    """The same order at each run: of equals the earlier one first."""
    if count < len(scores):
        limit = np.partition(scores, len(scores) - count)[len(scores) - count]
        at = np.flatnonzero(scores >= limit)
    else:
        at = np.arange(len(scores))
    return at[np.argsort(-scores[at], kind="stable")][:count]
