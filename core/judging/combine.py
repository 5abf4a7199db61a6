"""Many drafted sentences and the article's own become one summary.

A drafted sentence that was not borne out gives its place to the best sentence of its part.
Then the weightiest that do not repeat each other are taken: the one that a person would most likely
say of the article opens, the others follow in the article's order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.article import Language
from core.chunks import Document
from core.digest import SummarySentence
from core.judging import headline
from core.judging.faithful import Support
from core.judging.salience import WEIGHTS, Vector, Weighed, cosine, vector
from core.judging.standing import alone, beside

# A borne-out sentence of the model is worth this much more than the sentence that bears it: it
# says more in fewer words. Set by `tests/benchmarks/bench_summary.py`.
_CONDENSED = 0.15
# Words from which on each more makes a sentence less dear. A Korean word holds its particles.
_LONG: dict[Language, int] = {"en": 40, "ko": 22}
_TIRES = 0.03
# Longer than this, in characters, nothing is a sentence any more (a table, a log); shown cut with "…".
_LONGEST = 420


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence the model wrote about a part, and what the article says to it."""

    part: int
    text: str
    support: Support
    borne: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    vector: Vector
    value: float
    index: int
    support: float
    model: bool


def combine(
    document: Document,
    weighed: Weighed,
    claims: Sequence[Claim],
    count: int,
    fit: Callable[[str], bool] = bool,
    lead: headline.Candidate | None = None,
) -> tuple[SummarySentence, ...]:
    """At most `count` sentences, `lead` first and the others in the article's order, each with its
    source.

    `fit` says whether a sentence may be shown at all. `lead` is one of the article or of `claims`.
    """
    standing = _standing(document, count)
    pool = [_own(document, weighed, index) for index in weighed.best(count * 3, standing)]
    pool += [
        _drafted(document, weighed, claim) for claim in claims if claim.borne and alone(claim.text)
    ]
    for part in {claim.part for claim in claims if not claim.borne}:
        inside = document.parts[part]
        of_part = [i for i in standing if inside.start <= i < inside.end]
        pool += [_own(document, weighed, i) for i in weighed.best(1, of_part)]
    pool = [candidate for candidate in pool if fit(candidate.text)]
    first = [] if lead is None else [_leading(document, weighed, lead, pool)]
    others = _without_repeats(pool, count, WEIGHTS[document.language].repeat, first)
    ordered = first + sorted(others, key=lambda c: (c.index, not c.model))
    return tuple(
        SummarySentence(
            text=_shown(c.text),
            origin="model" if c.model else "article",
            support=round(c.support, 3),
            source=_shown(document.sentences[c.index].text),
        )
        for c in ordered
    )


def _standing(document: Document, count: int) -> list[int]:
    """Sentences that can be understood by themselves; all of an article that has too few of them."""
    sentences = document.sentences
    found = [one.index for one in sentences if alone(one.text) and not beside(one.heading)]
    return found if len(found) >= count else [one.index for one in sentences]


def _own(document: Document, weighed: Weighed, index: int) -> _Candidate:
    text = document.sentences[index].text
    value = weighed.scores[index] - _tiring(text, document)
    return _Candidate(text, weighed.vectors[index], value, index, 1.0, model=False)


def _tiring(text: str, document: Document) -> float:
    """What a sentence loses that is too long to be read in passing."""
    return _TIRES * max(0, len(text.split()) - _LONG[document.language])


def _drafted(document: Document, weighed: Weighed, claim: Claim) -> _Candidate:
    index = claim.support.source
    value = max(weighed.scores[index], 0.0) + _CONDENSED - 0.5 * (1.0 - claim.support.score)
    # word for word the article's own: then it is a quotation, and is marked as one
    model = " ".join(claim.text.split()) != " ".join(document.sentences[index].text.split())
    own = vector(claim.text, document.language)
    return _Candidate(claim.text, own, value, index, claim.support.score, model)


def _leading(
    document: Document, weighed: Weighed, lead: headline.Candidate, pool: Sequence[_Candidate]
) -> _Candidate:
    if lead.origin == "article":
        return _own(document, weighed, lead.index)
    return next(one for one in pool if one.text == lead.text)


def _without_repeats(
    pool: Sequence[_Candidate], count: int, price: float, first: Sequence[_Candidate]
) -> list[_Candidate]:
    """What is taken besides `first`."""
    left = list({(c.text, c.index): c for c in pool}.values())
    taken = list(first)
    while left and len(taken) < count:
        best = max(left, key=lambda c: (c.value - price * _repeats(c, taken), -c.index, c.text))
        left.remove(best)
        if _repeats(best, taken) < 0.75:
            taken.append(best)
    return taken[len(first) :]


def _repeats(candidate: _Candidate, taken: Sequence[_Candidate]) -> float:
    """Likeness to the nearest taken one; two that rest on one sentence say the same."""
    if any(other.index == candidate.index for other in taken):
        return 1.0
    return max((cosine(candidate.vector, other.vector) for other in taken), default=0.0)


def _shown(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
