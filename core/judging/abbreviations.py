"""Short forms that a text itself explains: "write-ahead logging (WAL)", "검색 증강 생성(RAG)".

English pairs are found as in Schwartz and Hearst, "A simple algorithm for identifying
abbreviation definitions in biomedical text" (PSB 2003): the letters of the short form must
occur in this order in the words before it, the first one at the beginning of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from core.judging.hangul import is_hangul
from core.language import Token, morphemes

_IN_BRACKETS = re.compile(r"([^()\n]{2,120}?)\s?\(([^()\n]{2,80})\)")
_SHORT = re.compile(r"(?=[^a-z]*[a-zA-Z])[A-Za-z0-9][A-Za-z0-9/.+-]{1,9}")
_AROUND = " \"'“”‘’`*.,;:"


class Pair(NamedTuple):
    short: str
    long: str


def pairs(text: str) -> Iterator[Pair]:
    """Each short form with its long form, in the order of the text."""
    for match in _IN_BRACKETS.finditer(text):
        before = match.group(1).rstrip()
        for inside in re.split(r"[,;]|\bor\b|또는", match.group(2)):
            found = _pair(before, inside.strip(_AROUND))
            if found is not None:
                yield found


def _pair(before: str, inside: str) -> Pair | None:
    last = before.split()[-1].strip(_AROUND) if before.split() else ""
    if _is_short(inside):
        if is_hangul(last):
            phrase = _korean_phrase(before)
            return Pair(inside, phrase) if phrase else None
        long = _long_form(inside, before)
        return None if long is None else Pair(inside, long)
    if _is_short(last) and _is_korean_name(inside):
        return Pair(last, inside)  # "CDN(콘텐츠 전송 네트워크)"
    if _is_short(last) and len(inside.split()) > 1 and not is_hangul(inside):
        found = _long_form(last, inside)  # "WAL (write-ahead logging)"
        if found is not None and len(found) >= len(inside) - 4:
            return Pair(last, found)
    return None


def _is_short(text: str) -> bool:
    """Two to ten characters, one word, with a capital beyond the first or nothing but capitals."""
    if _SHORT.fullmatch(text) is None or is_hangul(text):
        return False
    return sum(char.isupper() for char in text) >= 2 or (text[0].isdigit() and text[-1].isupper())


def _long_form(short: str, before: str) -> str | None:
    """The shortest end of `before` whose words spell `short`; None where none does."""
    letters = [char for char in short.removesuffix("s").lower() if char.isalnum()]
    words = before.split()
    window = " ".join(words[-min(len(letters) + 5, 2 * len(letters)) :])
    at = len(window)
    for place, letter in enumerate(reversed(letters)):
        first = place == len(letters) - 1
        at -= 1
        while at >= 0 and (
            window[at].lower() != letter or (first and at > 0 and window[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    long = window[at:].strip(_AROUND)
    apart = re.split(r"[\s-]+", long)
    if len(long) <= len(short) or key_word(short) in map(str.lower, apart) or len(apart) == 1:
        return None
    return long


def key_word(short: str) -> str:
    return short.lower()


# Nouns, foreign words and numbers, with what stands before, after and between them.
_IN_NAMES = frozenset("NNG NNP SL SN XR XPN XSN SO SW".split())


def _korean_phrase(before: str) -> str:
    """The nouns right before the bracket, of three words at most; "" where no noun is.

    By morphemes: whether a word ends in a particle cannot be told by its letters ("도메인", "평가").
    """
    near = " ".join(before.split()[-3:]).rstrip(_AROUND)
    others = (t.start + t.len for t in morphemes(near) if not _in_a_name(t))
    return near[max(others, default=0) :].strip(_AROUND)


def _in_a_name(token: Token) -> bool:
    # "총 차단 시간" is a name, "각 노드" is not
    return token.tag in _IN_NAMES or token.form == "총"


def _is_korean_name(text: str) -> bool:
    """Two or three words of Hangul, all of them nouns."""
    return (
        re.fullmatch(r"[가-힣]+(?: [가-힣]+){1,2}", text) is not None
        and _korean_phrase(text) == text
    )
