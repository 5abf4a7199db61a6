"""Does the article say that one thing is another, where a sentence does?

"Blink is a stream operator" has every word from an article in which Blink *extends* stream operators:
small models make such equations of two things that stand beside each other. One is believed where
the article makes it too: the one, then a word that joins them, then the other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from core.chunks import Document
from core.language import stem

_EQUATION = re.compile(
    r"^(?P<one>.{2,70}?) (?:is|are|was|were|will be|can be|may be|becomes?|remains?) (?:(?:now|also|both|still|not only) )?"
    r"(?:an?|the|one of(?: the)?|another) (?P<other>.+)$",
    re.I,
)
# Where the other thing's name ends: what follows says more of it.
_ENDS = re.compile(
    r"[,;:.(]|\b(?:of|for|that|which|who|whose|where|when|to|with|without|in|on|at|from|by|between|as|and|or|but|"
    r"used|designed|built|made|based|written|because|so|than|about|over|under|into|via|like|through)\b",
    re.I,
)
_JOINS = re.compile(
    r"\b(?:is|are|was|were|be|been|being|as|becomes?|became|remains?|called|named|means|namely)\b|[(–—=]|"
    r"['’](?:s|re) (?:an?|the|one)\b"
)
# "Vitess, a system": of names only ("a foreign key, a child table" are two things), and not where more is
# counted up ("Stateful Functions 2.0, a new training and some efforts").
_APPOSED = re.compile(r"^[^\w]*, (?:an?|the|our|one)\b")
_COUNTS_UP = re.compile(r"^\w*,? (?:and|or|as well as)\b")
_NAME = re.compile(r"[A-Z0-9]|.+[A-Z]")
_GOES_ON = re.compile(r"^(?:it|this|they|these|he|she)(?:['’]s| (?:is|are|was|were)) ", re.I)
_WORD = re.compile(r"(\w+(?:[.-]\w+)*)(?:['’]\w+)?")
# Words between the two at most; fewer where the other is a word that anything may be.
_APART, _APART_VAGUE = 10, 4
_VAGUE = frozenset(map(stem, ("way", "part", "thing", "kind", "type", "step", "place", "set")))


def equates(claim: str, document: Document) -> bool:
    """Whether an English claim makes an equation that the article does not make. Of other languages:
    False."""
    found = _EQUATION.match(claim)
    if found is None:
        return False
    one, (named, rest) = _head(found["one"]), _parted(found["other"])
    other = _head(named)
    if other in _VAGUE and rest.startswith("of "):
        inner = _head(_parted(rest[3:])[0])  # "a new type of pipeline"
        other = inner if inner and inner != one else other
    if not one or not other or one == other:
        return False
    texts = [document.title, *(sentence.text for sentence in document.sentences)]
    return not any(
        _says(text, before, one, other) for before, text in zip(["", *texts], texts, strict=False)
    )


def _parted(phrase: str) -> tuple[str, str]:
    """The name of the other thing, and what follows it."""
    end = _ENDS.search(phrase)
    return (phrase, "") if end is None else (phrase[: end.start()], phrase[end.start() :])


def _head(phrase: str) -> str:
    """What a phrase names: its last word, in the form in which words are compared."""
    words = _words(phrase)
    return words[-1].stem if words else ""


def _says(text: str, before: str, one: str, other: str) -> bool:
    words = _words(text)
    stems = [word.stem for word in words]
    if other not in stems:
        return False
    if _GOES_ON.match(text) and any(word.stem == one for word in _words(before)):
        return True
    apart = _APART_VAGUE if other in _VAGUE else _APART
    for place in (i for i, found in enumerate(stems) if found == one):
        if other in stems[max(0, place - 2) : place]:
            return True  # "the stream processor Flink"
        after = stems[place + 1 : place + 1 + apart]
        if other in after:
            then = words[place + 1 + after.index(other)]
            if _JOINS.search(text, words[place].end, then.start) or _apposed(
                text, words[place], then
            ):
                return True
    return False


def _apposed(text: str, one: _Word, other: _Word) -> bool:
    between = text[one.end : other.start]
    named = _NAME.match(text[one.start : one.end])
    return bool(named and _APPOSED.match(between) and not _COUNTS_UP.match(text[other.end :]))


class _Word(NamedTuple):
    stem: str
    start: int
    end: int


def _words(text: str) -> list[_Word]:
    """A possessive's end belongs to none."""
    return [
        _Word(stem(found.group(1).lower()), found.start(), found.end(1))
        for found in _WORD.finditer(text)
    ]
