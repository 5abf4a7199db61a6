"""Which of the passages' own sentences answer a question best. Rules over words, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.judging.definitions import definitional, speaks
from core.language import sentences, words
from core.library import Passage
from core.retrieval.questions import Kind, Question
from core.retrieval.weighing import Weighed

_LONGEST = 420  # characters of a sentence that can be read in a chat
_COVERED, _LIKENESS, _AROUND, _CUE, _PASSAGE = 0.45, 0.25, 0.1, 0.2, 0.15
_WORTH = 0.62  # a further sentence must be worth this share of the best one
_SAME = 0.7
_CUES: dict[Kind, re.Pattern[str]] = {
    "why": re.compile(
        r"\bbecause\b|\bsince\b|\bso that\b|\bin order to\b|\btherefore\b|\breason\b|\bto (?:avoid|prevent|make|keep|allow|ensure)\b"
        r"|때문|위해|위하여|덕분|이유|따라서|그래서|므로|도록|으려고|려고",
        re.I,
    ),
    "how": re.compile(
        r"\bby \w+ing\b|\busing\b|\bvia\b|\bthrough\b|\bfirst\b|\bthen\b|\buse\b|\bcall\b|\brun\b|\bset\b|\bcan\b"
        r"|하면|으로써|통해|사용|호출|먼저|다음|설정|실행",
        re.I,
    ),
    "number": re.compile(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|once|twice)\b|하나|둘|셋"
    ),
    "compare": re.compile(
        r"\bthan\b|\bwhile\b|\bwhereas\b|\bunlike\b|\bin contrast\b|\bbut\b|\bboth\b|\binstead of\b|반면|보다|달리|차이|대신|와\s*다르",
        re.I,
    ),
}
_POINTS_BACK = re.compile(
    r"^(?:it|its|this|that|these|those|they|he|she|such|however|but|also|then|so|and|here)\b"
    r"|^(?:이는|이를|이것|그것|이런|그런|이러한|그러나|하지만|그래서|또한|이처럼|이렇게|따라서)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer. `place` is where in its passage it stands, `covered` how much of
    the question it speaks of, `quote` what in the passage bears it."""

    text: str
    passage: Passage
    place: int
    words: frozenset[str]
    covered: float
    quote: str
    origin: Literal["model", "article"] = "article"
    before: str = ""
    rank: int = 0
    score: float = 0.0


def cited_sentences(question: Question, weighed: Sequence[Weighed]) -> list[Sentence]:
    """All sentences that could be shown, each with its passage."""
    found: list[Sentence] = []
    trusted = [one for one in weighed if not one.suspicious] or weighed
    for rank, one in enumerate(trusted):
        texts = sentences(one.clean, one.passage.language)
        for place, text in enumerate(texts):
            if not 15 <= len(text) <= _LONGEST or not speaks(text) or text.endswith(("?", ":")):
                continue
            own = frozenset(words(text, one.passage.language))
            found.append(
                Sentence(
                    text=text,
                    passage=one.passage,
                    place=place,
                    words=own,
                    covered=question.covered(text),
                    quote=text,
                    before=texts[place - 1] if place else "",
                    rank=rank,
                )
            )
    return found


def score(
    question: Question, candidates: Sequence[Sentence], likeness: Sequence[float | None]
) -> list[Sentence]:
    """Best first."""
    scored = [
        replace(one, score=_score(question, one, near))
        for one, near in zip(candidates, likeness, strict=True)
    ]
    return sorted(scored, key=lambda one: (-one.score, one.rank, one.place))


def _score(question: Question, one: Sentence, likeness: float | None) -> float:
    around = question.covered(f"{one.passage.title or ''}. {one.before} {one.text}")
    near = one.covered if likeness is None else max(0.0, likeness)
    total = _COVERED * one.covered + _LIKENESS * near + _AROUND * around
    total += _PASSAGE / (1 + one.rank)
    if _POINTS_BACK.match(one.text):
        total -= 0.06 if one.before else 0.15
    return total + _CUE * _cue(question, one)


def _cue(question: Question, one: Sentence) -> float:
    if question.kind == "what":
        names = [name for group in question.names for name in group]
        subject = names or [" ".join(question.weights)]
        return definitional(one.text, subject, one.passage.language)
    pattern = _CUES.get(question.kind)
    return 1.0 if pattern is not None and pattern.search(one.text) else 0.0


def best_sentences(ranked: Sequence[Sentence], most: int) -> list[Sentence]:
    """At most so many, none twice, each passage's in its own order, the best passage first."""
    chosen: list[Sentence] = []
    for one in ranked:
        if len(chosen) >= most or (chosen and one.score < _WORTH * chosen[0].score):
            break
        if any(_alike(one, other) for other in chosen):
            continue
        chosen.append(one)
    if len(chosen) < most and chosen and _POINTS_BACK.match(chosen[0].text) and chosen[0].before:
        chosen = [*_with_the_one_before(chosen)]
    first = {
        id(one): next(i for i, c in enumerate(chosen) if _same_source(c, one)) for one in chosen
    }
    return sorted(chosen, key=lambda one: (first[id(one)], one.passage.position, one.place))


def _with_the_one_before(chosen: Sequence[Sentence]) -> list[Sentence]:
    """A sentence that begins with "It" is read together with the one before it."""
    best = chosen[0]
    if any(one.text == best.before for one in chosen) or len(best.before) > _LONGEST:
        return list(chosen)
    before = replace(best, text=best.before, quote=best.before, place=best.place - 1, before="")
    return [best, before, *chosen[1:]]


def _same_source(one: Sentence, other: Sentence) -> bool:
    return one.passage.digest_id == other.passage.digest_id


def _alike(one: Sentence, other: Sentence) -> bool:
    smaller = min(len(one.words), len(other.words))
    return smaller > 0 and len(one.words & other.words) / smaller >= _SAME
