"""Text of models and pages made harmless for Discord, and never longer than there is room for.

What comes out is read by people as it was written: nothing in it formats, links, pings or turns
into an emoji. Room is counted in UTF-16 units, of which every character has at least one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.replies import plain
from core.errors import BadLink
from core.links import followable

_ALWAYS = frozenset("\\*_~`|#>[]<")
_PING = re.compile(r"@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
_NOTHING = "\u200b"  # a space without width: what it stands in is no name any more
MARK = "…"
LONGEST_ADDRESS = 512


def width(text: str) -> int:
    """UTF-16 units, as JavaScript counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def pieces(text: str, room: int) -> Iterator[str]:
    """The whole text, escaped, in pieces of at most `room` units each, cut at spaces."""
    flat = plain(text)
    piece: list[str] = []
    used, space = 0, 0  # space: where the last word in `piece` begins
    for index, char in enumerate(flat):
        shown = _escaped(flat, index)
        size = width(shown)
        if used + size > room and piece:
            cut = space if space > len(piece) // 2 else len(piece)
            yield "".join(piece[:cut]).rstrip()
            piece = piece[cut:]
            used, space = sum(width(one) for one in piece), 0
        piece.append(shown)
        used += size
        if char == " ":
            space = len(piece)
    yield "".join(piece)


def fitted(text: str, room: int) -> str:
    """The text escaped; "…" ends one of which there is more."""
    parts = pieces(text, room)
    first = next(parts)
    if next(parts, None) is None:
        return first
    return next(pieces(text, room - 1)) + MARK


def escaped(text: str) -> str:
    flat = plain(text)
    return "".join(_escaped(flat, index) for index in range(len(flat)))


def _escaped(text: str, index: int) -> str:
    char, following = text[index], text[index + 1 : index + 2]
    if char in _ALWAYS or (char == ":" and following not in ("", " ")):
        return "\\" + char  # :emoji:, https://
    if char == "-" and following in ("", " ", "\\", "#"):
        return "\\" + char  # a list, small print
    if char == "." and following in ("", " ") and text[max(0, index - 1) : index].isdigit():
        return "\\" + char  # a numbered list
    return char + _NOTHING if char == "@" and _PING.match(text, index) else char


def linked(text: str, url: str | None, room: int) -> str:
    """A masked link of ours, or the text alone where there is no address that can be trusted."""
    address = safe_address(url)
    if address is None:
        return fitted(text, room)
    return f"[{fitted(text, room - width(address) - 4)}]({address})"


def safe_address(url: str | None) -> str | None:
    """An address that ends where we say it does; None for one that is no link or too long."""
    if not url:
        return None
    try:
        address = followable(url)
    except BadLink:
        return None
    address = address.replace("(", "%28").replace(")", "%29").replace("'", "%27")
    return address if len(address) <= LONGEST_ADDRESS else None
