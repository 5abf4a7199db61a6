"""Inline code, put aside while the markup of a line is read: what stands in code is no markup.

`__init__` is no emphasis, `a[i](x)` no link and `? :` ends no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SPAN = re.compile(r"(?<![`\\])(`{1,3})(?!`)(.{1,2000}?)(?<!`)\1(?!`)", re.DOTALL)

# Private characters of the last plane: no text has them, and no pattern takes them for letters.
_FIRST = 0x100000
_MOST = 0xFFFE
_SHELVED = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + _MOST)}]")


def shelve(text: str) -> tuple[str, list[str]]:
    """The text with one character for each code span, and the spans with their backticks."""
    shelf: list[str] = []
    return shelve_more(text, _SPAN, lambda m: m[0], shelf) if "`" in text else text, shelf


def shelve_more(
    text: str, pattern: re.Pattern[str], kept: Callable[[re.Match[str]], str], shelf: list[str]
) -> str:
    """One character for whatever `pattern` finds; what is to come back is added to the shelf."""

    def placed(match: re.Match[str]) -> str:
        if len(shelf) >= _MOST:
            return match[0]
        shelf.append(kept(match))
        return chr(_FIRST + len(shelf) - 1)

    return pattern.sub(placed, text)


def restored(text: str, shelf: Sequence[str]) -> str:
    if not shelf:
        return text

    def taken(match: re.Match[str]) -> str:
        place = ord(match[0]) - _FIRST
        return shelf[place] if place < len(shelf) else match[0]

    return _SHELVED.sub(taken, text)
