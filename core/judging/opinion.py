"""What a model judges of an article, as far as the article allows it.

A keyword must stand in the article, a prerequisite must speak of something that does and name
nothing that does not, and a reason must not bring in names of its own. The level is one opinion
beside the measured one: half of each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from core.article import Language
from core.chunks import Document
from core.digest import DifficultyLevel
from core.judging.background import background
from core.judging.difficulty import Judged, between, probabilities
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


def checked(judgement: Judgement, document: Document, evidence: Evidence) -> Judgement:
    """What is left of it."""
    text = "\n".join((document.title, *document.headings, document.prose))
    inside = set(words(text, document.language)) if judgement.prerequisites else set()
    invented = judgement.reason and evidence.support(judgement.reason).broken == "name"
    return replace(
        judgement,
        reason="" if invented else judgement.reason,
        keywords=tuple(name for name in judgement.keywords if mentions(text, name)),
        prerequisites=tuple(
            item
            for item in judgement.prerequisites
            if _founded(item, text, inside, document.language)
        ),
    )


def _founded(item: str, text: str, inside: Collection[str], language: Language) -> bool:
    """It names nothing that the article doesn't, and something that is no everyday word.
    `inside`: the words of the text."""
    named = _named(item, language)
    if not all(mentions(text, word) for word in named):
        return False
    rare = background(language)
    known = [word for word in words(item, language) if word in inside]
    return bool(named) or any(rare.specialist(word) for word in known)


def _named(item: str, language: Language) -> list[str]:
    """Names in a phrase: what is written with capitals or digits, in Korean all in Latin letters.
    The first word of an English phrase may have its capital from there."""
    if language == "ko":
        return _LATIN.findall(item)
    return [word for word in _WORD.findall(item)[1:] if _CAPITAL.search(word)]


def together(first: Sequence[str], then: Sequence[str], count: int) -> tuple[str, ...]:
    """At most `count` names, none among the words of another; `then` as it is where there is no
    `first`."""
    if not first:
        return tuple(then)
    kept: dict[str, str] = {}
    for name in (*first, *then):
        form = f" {' '.join(raw_words(name)).lower() or name.lower()} "
        if not any(form in other or other in form for other in kept):
            kept[form] = name
    return tuple(kept.values())[:count]


def joined(judged: Judged, level: float) -> Judged:
    """Half what was measured, half the opinion; far apart, it is uncertain."""
    measured = judged.level.score
    found = tuple(
        round((ours + theirs) / 2, 3)
        for ours, theirs in zip(judged.probabilities, probabilities(level, _SPREAD), strict=True)
    )
    both = (measured + level) / 2
    uncertain = between(both) or abs(level - measured) >= _APART
    return judged._replace(level=DifficultyLevel.of(both), probabilities=found, uncertain=uncertain)
