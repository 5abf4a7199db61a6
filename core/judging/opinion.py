"""What a model judges of an article, as far as the article allows it.

A keyword must stand in the article, a prerequisite must speak of something that does and name
nothing that does not, and a reason must not bring in names of its own. The level is one opinion
beside the measured one: half of each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.article import Language
from core.chunks import Document
from core.digest import DifficultyLevel
from core.judging.background import background
from core.judging.difficulty import Judged, close, probabilities
from core.judging.faithful import Evidence
from core.language import raw_words, words
from core.mentions import mentions
from core.prompts.judgement import Judgement

# A level that is told differs from the label by about one (standard deviation), as people's do.
_SPREAD = 1.0
# Opinion and measurement this far apart: a human is asked.
_APART = 2.0
_WORD = re.compile(r"[\w+#.-]*\w[+#]*")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9+#.-]*[A-Za-z0-9+#]|[A-Za-z]")
_CAPITAL = re.compile(r"[A-Z0-9]")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is left of a judgement. `level` is 1.0 to 5.0, or None."""

    reason: str = ""
    level: float | None = None
    keywords: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()


def checked(judgement: Judgement, document: Document, evidence: Evidence) -> Opinion:
    text = "\n".join((document.title, *document.headings, document.prose))
    invented = judgement.reason and evidence.support(judgement.reason).broken == "name"
    return Opinion(
        reason="" if invented else judgement.reason,
        level=judgement.level,
        keywords=tuple(name for name in judgement.keywords if mentions(text, name)),
        prerequisites=tuple(
            item for item in judgement.prerequisites if _founded(item, text, document)
        ),
    )


def _founded(item: str, text: str, document: Document) -> bool:
    """It names nothing that the article doesn't, and something that is no everyday word."""
    named = _named(item, document.language)
    if not all(mentions(text, word) for word in named):
        return False
    rare = background(document.language)
    inside = set(words(text, document.language))
    known = [word for word in words(item, document.language) if word in inside]
    return bool(named) or any(rare.specialist(word) for word in known)


def _named(item: str, language: Language) -> list[str]:
    """Names in a phrase: what is written with capitals or digits, in Korean all in Latin letters.
    The first word of an English phrase may have its capital from there."""
    if language == "ko":
        return _LATIN.findall(item)
    return [word for word in _WORD.findall(item)[1:] if _CAPITAL.search(word)]


def together(first: Sequence[str], then: Sequence[str], count: int) -> tuple[str, ...]:
    """At most `count` names, none inside another."""
    kept: list[str] = []
    for name in (*first, *then):
        form = " ".join(raw_words(name)).lower() or name.lower()
        others = [" ".join(raw_words(one)).lower() or one.lower() for one in kept]
        if not any(form in other or other in form for other in others):
            kept.append(name)
    return tuple(kept[:count])


def joined(judged: Judged, level: float) -> Judged:
    """Half what was measured, half the opinion; far apart, it is uncertain."""
    measured = judged.level.score
    found = tuple(
        round((ours + theirs) / 2, 3)
        for ours, theirs in zip(judged.probabilities, probabilities(level, _SPREAD), strict=True)
    )
    uncertain = close(found) or abs(level - measured) >= _APART
    return judged._replace(
        level=DifficultyLevel.of((measured + level) / 2), probabilities=found, uncertain=uncertain
    )
