"""Candidates in their final order, by their passages.

Of each document the best passage by words and by meaning is looked at, and how much of the title
the question says. The weights are settings (core.settings.RetrievalSettings).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.library import Parts
from core.ports import Vectors
from core.retrieval.document import Body
from core.retrieval.fuse import Scores, weighted
from core.retrieval.index import Index
from core.retrieval.nearness import best_cosines
from core.retrieval.postings import K1, B
from core.retrieval.searching import Candidate, Question
from core.settings import RetrievalSettings

_PASSAGES = 3  # of one document, at most
# Who says (almost) the whole title asks for the thing itself, and an article begins with what
# that is.
_WHOLE_TITLE = 0.9


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
    words, covered = _passage_words(opened, every, looked)
    meaning = _passage_meaning(opened, question.vectors)
    bounds = np.cumsum([0, *map(len, opened)])
    spans = [slice(low, high) for low, high in itertools.pairwise(bounds.tolist())]
    named = [_named(one.title, every, looked) for one in kept]
    kinds = {
        "heads": np.array([one.score for one in kept], dtype=np.float32),
        "passage_words": np.maximum.reduceat(words, bounds[:-1]),
        "passage_meaning": np.maximum.reduceat(meaning, bounds[:-1]),
        "named": np.array(named, dtype=np.float32),
    }
    weights = {
        "heads": 1.0,
        "passage_words": settings.passage_words,
        "passage_meaning": settings.passage_meaning,
    }
    known = {"passage_meaning": np.array([body.vectors.size > 0 for body in opened])}
    scores = weighted(kinds, weights, known) + np.float32(settings.named) * kinds["named"]
    ranked = []
    for at, (one, span) in enumerate(zip(kept, spans, strict=True)):
        leads = named[at] >= _WHOLE_TITLE
        best = _best_passages(words[span], meaning[span], covered[span], leads=leads)
        parts = replace(best[0].parts, words=one.words)
        ranked.append(Ranked(one.key, index.content(one.number), float(scores[at]), parts, best))
    return sorted(ranked, key=lambda one: -one.score)


def _best_passages(
    words: Scores, meaning: Scores, covered: Scores, *, leads: bool
) -> tuple[Found, ...]:
    """Of one document. `leads`: the first passage is among the best two."""
    # A passage's words reach about 10, its cosine about 0.8.
    strength = words / np.float32(10) + meaning
    best = np.argsort(-strength, kind="stable")[:_PASSAGES].tolist()
    if leads and 0 not in best[:2]:
        best = [best[0], 0, *(at for at in best[1:] if at != 0)][:_PASSAGES]
    return tuple(
        Found(
            at, float(strength[at]), Parts(float(words[at]), float(meaning[at]), float(covered[at]))
        )
        for at in best
    )


def _passage_meaning(bodies: Sequence[Body], vectors: Vectors) -> Scores:
    """The best cosine of each passage of each document; 0 for those without a vector."""
    found = np.zeros(sum(map(len, bodies)), dtype=np.float32)
    if not len(vectors):
        return found
    start = 0
    for body in bodies:
        if body.vectors.size and body.vectors.shape[1] == vectors.shape[1]:
            found[start : start + len(body.vectors)] = best_cosines(body.vectors, vectors)
        start += len(body)
    return found


def _passage_words(
    bodies: Sequence[Body], terms: Mapping[int, float], rarity: Mapping[int, float]
) -> tuple[Scores, Scores]:
    """BM25 of each passage of each document, with the rarity of words in the whole index, and
    which share of the question, weighed by rarity, it says; all at once, since there are hundreds
    of them and each alone is small."""
    bounds = [body.starts.astype(np.int64) for body in bodies]
    lengths = [own[1:] - own[:-1] for own in bounds]
    norms = np.concatenate(
        [K1 * (1 - B + B * own / max(float(own.mean()), 1.0)) for own in lengths]
    )
    every = np.concatenate([body.terms for body in bodies])
    owners = np.repeat(np.arange(len(norms)), np.concatenate(lengths))
    asked = np.sort(np.fromiter(terms, dtype=np.uint32, count=len(terms)))
    if not len(asked):
        nothing = np.zeros(len(norms), dtype=np.float32)
        return nothing, nothing
    at = np.minimum(np.searchsorted(asked, every), len(asked) - 1)
    hit = asked[at] == every
    cells = owners[hit] * len(asked) + at[hit]
    counts = np.bincount(cells, minlength=len(norms) * len(asked)).reshape(-1, len(asked))
    weights = np.array([terms[int(t)] * rarity[int(t)] for t in asked])
    scores = (weights * (K1 + 1) * counts / (counts + norms[:, None])).sum(axis=1)
    said = (weights * (counts > 0)).sum(axis=1) / max(float(weights.sum()), 1e-9)
    return scores.astype(np.float32), said.astype(np.float32)


def _named(title: Sequence[int], terms: Mapping[int, float], rarity: Mapping[int, float]) -> float:
    """Which share of the title, weighed by rarity, the question says."""
    total = sum(rarity[term] for term in set(title))
    return sum(rarity[t] for t in set(title) if t in terms) / total if total > 0 else 0.0
