"""What could be named in a Korean text: runs of nouns as they are written, and nothing of a quotation.

Closer to the text than `language.nouns`: affixes stay with their noun, Latin words are whole
(FP8, CI/CD), and nouns that are only half of a verb are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.judging.hangul import is_hangul
from core.language import Token, morphemes

_NOUNS = frozenset(("NNG", "NNP", "SL", "XR"))
# 비-동기, 삼-항: what stands right before a noun is a part of it.
_BEFORE = frozenset(("XPN", "NR"))
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9+#]*(?:[-_./&][A-Za-z0-9+#]+)*")
_HANGUL_OR_LATIN = re.compile(r"[\uac00-\ud7a3]|[A-Za-z]")
_SPOKEN_KOREAN = 0.25


def noun_runs(text: str) -> Iterator[list[str]]:
    """Runs of adjacent nouns as they are written, each with its affixes; Latin words whole.

    A noun that is made a verb (롤백되다, 검출하다) says what happens and names nothing there.
    """
    run: list[str] = []
    end = 0
    for start, stop, verb in _nouns(text):
        gap = text[end:start]
        # 렌더링Rendering: the original word put behind its translation
        glossed = gap == "" and bool(run) and is_hangul(run[-1]) and text[start].isascii()
        if run and (verb or glossed or gap not in ("", " ")):
            yield run
            run = []
        if run and not gap and is_hangul(run[-1]):
            run[-1] += text[start:stop]  # 백-엔드: written together, it is one name
        elif not verb:
            run.append(text[start:stop])
        end = stop
    if run:
        yield run


def _nouns(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where each noun begins and ends, and whether a verb is made of it."""
    latin = {at: match.end() for match in _LATIN.finditer(text) for at in range(*match.span())}
    tokens = morphemes(text)
    place = 0
    while place < len(tokens):
        first = place
        token = tokens[place]
        begins = token.tag in _NOUNS or (token.tag in _BEFORE and _noun_after(tokens, place))
        place += 1
        if not begins:
            continue
        end = latin.get(token.start, token.start + token.len)
        if token.tag in _BEFORE:
            end = tokens[place].start + tokens[place].len
            place += 1
        while place < len(tokens) and _goes_on(tokens[place], end):
            if tokens[place].start == end:
                end += tokens[place].len
            place += 1
        yield tokens[first].start, end, place < len(tokens) and _makes_a_verb(tokens[place], end)


def _noun_after(tokens: Sequence[Token], place: int) -> bool:
    token = tokens[place]
    follower = tokens[place + 1] if place + 1 < len(tokens) else None
    return (
        follower is not None
        and follower.tag in _NOUNS
        and follower.start == token.start + token.len
    )


def _goes_on(token: Token, end: int) -> bool:
    """Inside the Latin word that began, or a suffix right behind the noun (but not the plural)."""
    return token.start < end or (
        token.start == end and token.tag == "XSN" and token.form not in ("들", "적")
    )


def _makes_a_verb(token: Token, end: int) -> bool:
    """...하다, ...되다, or a word that describes: 점진-적, 자세-히."""
    tag = token.tag[:3]
    return token.start <= end and (tag in ("XSV", "XSA", "XSM") or token.form == "적")


def is_korean(text: str) -> bool:
    """A sentence of a Korean article may be the English one it was translated from."""
    letters = _HANGUL_OR_LATIN.findall(text)
    return sum(map(is_hangul, letters)) >= _SPOKEN_KOREAN * len(letters)
