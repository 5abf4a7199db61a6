"""Weak labels for the term tagger: known names, code identifiers, and what nobody can say.

A word is part of a term where a known name stands (technologies, the CNCF glossary, names of
`names.tsv`, tags that authors gave) or where it is spelled as code. A function word or a word of
everyday texts is outside. All others, specialist words without a known name above all, are
IGNORED: they may be terms that no list has, and the tagger shall find those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from core.article import Language
from core.judging import glossary
from core.judging.background import background
from core.judging.candidates import tags
from core.judging.names import table_names
from core.judging.prerequisites import technologies
from core.language import is_stopword, stem
from training.names.tagging import BEGINS, GOES_ON, OUTSIDE, Word, split

IGNORED = -100
Key = tuple[str, ...]
_HANGUL = re.compile(r"[가-힣]")
_LONGEST = 5
_IDENTIFIER = re.compile(
    r"[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*|[A-Za-z]\w*_\w+|[a-z]\w*(?:\.[a-z]\w*)*\.[A-Za-z]\w+|[A-Z]{2,6}s?\d*"
)
# In capitals for weight, or said of texts and not of machines.
_NO_SHORT_FORM = frozenset(
    "NOT MUST MAY SHOULD AND OR NOTE TODO OK FAQ TIP THE TL DR II III IV".split()
)
# A word in more than one everyday text in so many is nobody's term by itself.
_EVERYDAY = 0.02


class Labelled(NamedTuple):
    """A label a word; `known` are the keys of the names that were found."""

    labels: list[int]
    known: set[Key]


def key_of(words: Sequence[str]) -> Key:
    return tuple(w if _HANGUL.search(w) else stem(w.lower()) for w in words)


@lru_cache(maxsize=2)
def names(language: Language) -> Mapping[Key, str]:
    """Known names by the stems of their words, in the spelling of their list."""
    listed = [*glossary.names(language), *table_names()]
    listed += [form for one in technologies() for form in (one.name, *one.spellings)]
    if language == "en":
        listed += [tag.name for tag in tags().values()]
    found: dict[Key, str] = {}
    for name in listed:
        parts = _parts(name, language)
        if parts and len(parts) <= _LONGEST and _tells(name, parts, language):
            found.setdefault(key_of(parts), name)
    return found


def _parts(name: str, language: Language) -> list[str]:
    return [word.text for word in split(name, language)]


def _tells(name: str, parts: Sequence[str], language: Language) -> bool:
    """A single small word ("community", "survey") only where everyday texts hardly use it."""
    if len(parts) > 1 or not name.isascii() or name != name.lower():
        return True
    return background(language).specialist(stem(name))


def label(words: Sequence[Word], language: Language, known: Mapping[Key, str]) -> Labelled:
    labels = [_alone(word, place, language) for place, word in enumerate(words)]
    found: set[Key] = set()
    stems = key_of([word.text for word in words])
    place = 0
    while place < len(words):
        length = next(
            (
                n
                for n in range(_LONGEST, 0, -1)
                if _stands(words[place : place + n], stems[place : place + n], known)
            ),
            0,
        )
        if length:
            labels[place : place + length] = [BEGINS] + [GOES_ON] * (length - 1)
            found.add(tuple(stems[place : place + length]))
        place += max(1, length)
    return Labelled(labels, found)


def _stands(words: Sequence[Word], key: Key, known: Mapping[Key, str]) -> bool:
    """Go, C and Rust are not go, c and rust; the words stand side by side."""
    name = known.get(key)
    if name is None or not words:
        return False
    side_by_side = all(b.start - a.end <= 1 for a, b in pairwise(words))
    if not name.isascii() or len(words) > 1:
        return side_by_side
    if len(name) <= 4 or name[0].isupper():
        return words[0].text[0] == name[0] and (
            len(name) > 4 or words[0].text.rstrip("s") == name.rstrip("s")
        )
    return True


def _alone(word: Word, place: int, language: Language) -> int:
    text = word.text
    if not text[0].isalpha():
        return OUTSIDE
    if _IDENTIFIER.fullmatch(text) and text not in _NO_SHORT_FORM and len(text) > 1:
        return BEGINS
    if is_stopword(text) or not word.noun:
        return OUTSIDE
    rare = background(language)
    key = text if _HANGUL.match(text) else stem(text.lower())
    if text[0].isupper() and place > 0:
        return IGNORED
    technical, everyday = rare.counts.get(key, (0, 0))
    if technical < 2:
        return IGNORED
    common = everyday / rare.everyday > _EVERYDAY or not rare.specialist(key)
    return OUTSIDE if common else IGNORED
