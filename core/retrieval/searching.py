"""A question to the index: candidates by their heads, put in order by their passages.

First every document is scored by its words (BM25), its title and its mean vector; of the best
the passages are looked at: the best one by words and by meaning, and how much of the title the
question says. The weights are settings (core.settings.RetrievalSettings).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.article import Language
from core.library import Parts
from core.ports import Encoder, Vectors
from core.retrieval import bridge
from core.retrieval.document import Body, dequantised
from core.retrieval.fuse import Scores, weighted
from core.retrieval.index import LANGUAGES, Index
from core.retrieval.nearness import Places
from core.retrieval.postings import K1, B
from core.retrieval.rewriting import Wording, wordings
from core.retrieval.tokens import number, tokens
from core.settings import RetrievalSettings

Terms = dict[int, float]

EXACT = 2048
_PASSAGES = 3  # of one document, at most
# Who says (almost) the whole title asks for the thing itself, and an article begins with what
# that is.
_WHOLE_TITLE = 0.9


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
class Found:
    """A passage by its `position`; `strength` compares across documents."""

    position: int
    strength: float
    parts: Parts


@dataclass(frozen=True, slots=True)
class Ranked:
    """`passages`: the best ones, the best first. The words of `parts` are the document's."""

    key: str
    content: str
    score: float
    parts: Parts
    passages: tuple[Found, ...]


async def understand(text: str, encoder: Encoder, others: Sequence[str] = ()) -> Question:
    """Raises EngineFailed."""
    found = wordings(text, others)
    read = [one for one in found if one.language in encoder.reads]
    # Looser wordings ("gan": "generative adversarial network") are nearer to other articles, too.
    own = [one.text for one in read if one.weight >= 1.0] or [one.text for one in read]
    vectors = await encoder.embed(own) if own else np.zeros((0, 1), dtype=np.float32)
    return _question(found, vectors)


def _question(found: Sequence[Wording], vectors: Vectors) -> Question:
    own: Terms = {}
    bridged: Terms = {}
    for wording in found:
        kept = bridged if wording.bridged else own
        for token in _tokens(wording):
            kept[number(token)] = max(kept.get(number(token), 0.0), wording.weight)
    first = found[0]
    heard = bridge.sounds(tokens(first.text, first.language))
    return Question(
        first.text,
        first.language,
        own,
        {term: weight for term, weight in bridged.items() if term not in own},
        {number(sound): 1.0 for sound in heard},
        vectors,
    )


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
    """The best by their heads. `allowed`: which documents may be found at all. Of more than
    `exact` the meaning is measured only of those that may be among the best."""
    if not len(index):
        return []
    alive = index.alive()
    numbers = np.flatnonzero(alive if allowed is None else alive & allowed)
    if not len(numbers):
        return []
    guessing = len(numbers) > exact
    evidence = _Evidence.of(index, question, numbers, settings, guessing=guessing)
    if guessing:
        evidence.measure_exactly(_best(evidence.scores(), exact))
        # The farthest, too: scores are scaled between both ends.
        evidence.measure_exactly(_best(-evidence.meaning, exact // 4))
    scores = evidence.scores()
    return [evidence.candidate(int(at), float(scores[at])) for at in _best(scores, count)]


@dataclass(slots=True)
class _Evidence:
    """What the heads of documents say, each array in the order of `numbers`."""

    index: Index
    question: Question
    settings: RetrievalSettings
    numbers: Places
    other: NDArray[np.bool_]  # in the other language than the question
    has_vector: NDArray[np.bool_]
    words: Scores
    title: Scores
    meaning: Scores

    @classmethod
    def of(
        cls,
        index: Index,
        question: Question,
        numbers: Places,
        settings: RetrievalSettings,
        *,
        guessing: bool,
    ) -> _Evidence:
        other = index.joined("languages") != LANGUAGES.index(question.language)
        across = _across(index, question, settings, other)
        has_vector = index.joined("has_vector")[numbers] & bool(len(question.vectors))
        meaning = np.zeros(len(numbers), dtype=np.float32)
        read = numbers[has_vector]
        if len(read):
            look = index.guessed if guessing else index.meaning
            meaning[has_vector] = look(question.vectors, read)
        return cls(
            index,
            question,
            settings,
            numbers,
            other[numbers],
            has_vector,
            (index.words(question.own) + across)[numbers],
            np.zeros_like(meaning)  # of none would it count
            if has_vector.all()
            else (index.title(question.own) + across)[numbers],
            meaning,
        )

    def measure_exactly(self, places: Places) -> None:
        places = np.sort(places)
        self.meaning[places] = self.index.meaning(self.question.vectors, self.numbers[places])

    def scores(self) -> Scores:
        kinds = {"words": self.words, "title": self.title, "meaning": self.meaning}
        # Where the encoder reads neither question nor document, the title stands in for meaning;
        # beside it, it cost 2.5 points on SciTLDR and gave none anywhere.
        known = {"meaning": self.has_vector, "title": ~self.has_vector}
        fused = weighted(kinds, weights_of(self.settings), known)
        # A translated question is a guess: what answers it comes a little behind.
        fused[self.other] *= np.float32((1 + self.settings.across) / 2)
        return fused

    def candidate(self, at: int, score: float) -> Candidate:
        number = int(self.numbers[at])
        return Candidate(
            number,
            self.index.key(number),
            score,
            float(self.words[at]),
            float(self.meaning[at]),
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


def _best(scores: Scores, count: int) -> NDArray[np.intp]:
    """The same order at each run: of equals the earlier one first."""
    if count < len(scores):
        limit = np.partition(scores, len(scores) - count)[len(scores) - count]
        at = np.flatnonzero(scores >= limit)
    else:
        at = np.arange(len(scores))
    return at[np.argsort(-scores[at], kind="stable")][:count]


def rank_passages(
    index: Index,
    question: Question,
    found: Sequence[Candidate],
    bodies: Mapping[str, Body],
    settings: RetrievalSettings,
) -> list[Ranked]:
    """The candidates in their final order; those without a body are left out."""
    kept = [one for one in found if one.key in bodies]
    if not kept:
        return []
    every = question.own | question.bridged
    looked = index.rarity({*every, *(term for one in kept for term in one.title)})
    opened = [bodies[one.key] for one in kept]
    words = _passage_words(opened, every, looked)
    named = [_named(one.title, every, looked) for one in kept]
    details = [
        _passages(question, body, own, every, looked, leads=share >= _WHOLE_TITLE)
        for body, own, share in zip(opened, words, named, strict=True)
    ]
    kinds = {
        "heads": np.array([one.score for one in kept], dtype=np.float32),
        "passage_words": np.array([d.words.max() for d in details], dtype=np.float32),
        "passage_meaning": np.array([d.meaning.max() for d in details], dtype=np.float32),
        "named": np.array(named, dtype=np.float32),
    }
    weights = {
        "heads": 1.0,
        "passage_words": settings.passage_words,
        "passage_meaning": settings.passage_meaning,
    }
    known = {"passage_meaning": np.array([body.vectors.size > 0 for body in opened])}
    scores = weighted(kinds, weights, known) + np.float32(settings.named) * kinds["named"]
    ranked = [
        Ranked(
            one.key,
            index.content(one.number),
            float(score),
            replace(detail.best[0].parts, words=one.words),
            detail.best,
        )
        for one, score, detail in zip(kept, scores, details, strict=True)
    ]
    return sorted(ranked, key=lambda one: -one.score)


@dataclass(frozen=True, slots=True)
class _Passages:
    words: Scores
    meaning: Scores
    best: tuple[Found, ...]


def _passages(
    question: Question,
    body: Body,
    words: Scores,
    terms: Mapping[int, float],
    rarity: Mapping[int, float],
    *,
    leads: bool,
) -> _Passages:
    """`leads`: the first passage is among the best two."""
    meaning = np.zeros(len(body), dtype=np.float32)
    if body.vectors.size and body.vectors.shape[1] == question.vectors.shape[1]:
        cosines = dequantised(body.vectors) @ question.vectors.T
        meaning[: len(cosines)] = cosines.max(axis=1)
    # A passage's words reach about 10, its cosine about 0.8.
    strength = words / np.float32(10) + meaning
    best = np.argsort(-strength, kind="stable")[:_PASSAGES].tolist()
    if leads and 0 not in best[:2]:
        best = [best[0], 0, *(at for at in best[1:] if at != 0)][:_PASSAGES]
    return _Passages(
        words,
        meaning,
        tuple(
            Found(
                at,
                float(strength[at]),
                Parts(float(words[at]), float(meaning[at]), _covered(body, at, terms, rarity)),
            )
            for at in best
        ),
    )


def _covered(
    body: Body, position: int, terms: Mapping[int, float], rarity: Mapping[int, float]
) -> float:
    """Which share of the question, weighed by rarity, the passage says."""
    own = set(body.terms[body.starts[position] : body.starts[position + 1]].tolist())
    asked = sum(rarity[term] * weight for term, weight in terms.items())
    said = sum(rarity[term] * weight for term, weight in terms.items() if term in own)
    return said / asked if asked > 0 else 0.0


def _passage_words(
    bodies: Sequence[Body], terms: Mapping[int, float], rarity: Mapping[int, float]
) -> list[Scores]:
    """BM25 of each passage of each document, with the rarity of words in the whole index; all at
    once, since there are hundreds of them and each alone is small."""
    bounds = [body.starts.astype(np.int64) for body in bodies]
    lengths = [own[1:] - own[:-1] for own in bounds]
    norms = np.concatenate(
        [K1 * (1 - B + B * own / max(float(own.mean()), 1.0)) for own in lengths]
    )
    every = np.concatenate([body.terms for body in bodies])
    owners = np.repeat(np.arange(len(norms)), np.concatenate(lengths))
    asked = np.sort(np.fromiter(terms, dtype=np.uint32, count=len(terms)))
    scores = np.zeros(len(norms))
    if len(asked):
        at = np.minimum(np.searchsorted(asked, every), len(asked) - 1)
        hit = asked[at] == every
        cells = owners[hit] * len(asked) + at[hit]
        counts = np.bincount(cells, minlength=len(norms) * len(asked)).reshape(-1, len(asked))
        gains = np.array([terms[int(t)] * rarity[int(t)] * (K1 + 1) for t in asked])
        scores = (gains * counts / (counts + norms[:, None])).sum(axis=1)
    ends = np.cumsum([len(own) for own in lengths])[:-1]
    return [part.astype(np.float32) for part in np.split(scores, ends)]


def _named(title: Sequence[int], terms: Mapping[int, float], rarity: Mapping[int, float]) -> float:
    """Which share of the title, weighed by rarity, the question says."""
    total = sum(rarity[term] for term in set(title))
    return sum(rarity[t] for t in set(title) if t in terms) / total if total > 0 else 0.0
