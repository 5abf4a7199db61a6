"""Text of models and pages, never longer than there is room for.

Most of it stands in rich text, which Slack takes literally: nothing in it can format, link or
call anybody. Only a message's fallback text is read as mrkdwn and has to be escaped.

Room is counted in bytes of UTF-8, of which a Korean character has three: whether Slack counts
characters or bytes where it does not say, what fits here fits there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.replies import plain
from core.errors import BadLink
from core.links import canonical

MARK = "…"
LONGEST_ADDRESS = 1000  # it counts towards the message, and people know the link they shared
_PING = re.compile(r"@(?=\w)")
_CONTROL = re.compile(r"([*_~`])")
_NOTHING = "\u2060"  # a joiner without width: what it stands in is no word any more


def width(text: str) -> int:
    return len(text.encode())


def pieces(text: str, room: int) -> Iterator[str]:
    """The whole text on one line, in pieces of at most `room` bytes each, cut at spaces."""
    rest = plain(text)
    while width(rest) > room:
        end = _longest(rest, room)
        space = rest.rfind(" ", 0, end + 1)
        cut = space if space > end // 2 else end
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    yield rest


def _longest(text: str, room: int) -> int:
    """How many characters fit; at least one, so that cutting comes to an end."""
    used = 0
    for index, char in enumerate(text):
        used += width(char)
        if used > room:
            return max(1, index)
    return len(text)


def fitted(text: str, room: int) -> str:
    """At most `room` bytes; "…" ends a text of which there is more."""
    flat = plain(text)
    if width(flat) <= room:
        return flat
    return next(pieces(flat, room - width(MARK))) + MARK


def escaped(text: str) -> str:
    """For mrkdwn: shown as it was written; it formats, links and calls nobody."""
    flat = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = _PING.sub(f"@{_NOTHING}", flat)
    flat = flat.replace("://", f":{_NOTHING}//").replace("www.", f"www{_NOTHING}.")
    return _CONTROL.sub(rf"{_NOTHING}\1{_NOTHING}", flat)


def address(url: str | None) -> str | None:
    """The one address for an article; None for what is no link, or too long to carry along."""
    if not url:
        return None
    try:
        found = canonical(url)
    except BadLink:
        return None
    return found if len(found) <= LONGEST_ADDRESS else None


def meter(score: float) -> str:
    """Five circles, halves included: 3.5 is ●●●◐○."""
    halves = round(score * 2)
    full, half = divmod(halves, 2)
    return "●" * full + "◐" * half + "○" * (5 - full - half)
