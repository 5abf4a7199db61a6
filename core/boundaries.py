"""Where Korean sentences end, put right after the splitter.

The splitter cuts after every ending that looks final, and takes what stands before the next
Korean word along: a bracket that just opened, a quotation that the next sentence begins with,
an operator. Sentences are ranges of the text; nothing of it is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Span = tuple[int, int]

_CLOSERS = "\"'”’)\\]」』"
_ENDS = re.compile(rf"[.!?…。~:;][{_CLOSERS}]*$")
# marks that close what was before them: "(… 속도)" + ". 이를 해석하면"
_CLOSING = re.compile(r"[.!?…。)\]”’」』]+(?=\s|$)")
_INNER_END = re.compile(rf"(?<=[\uac00-\ud7a3])[.!?…。]+[{_CLOSERS}]*\s+")
_GOES_ON = re.compile(r"[,(\[{<“‘「]$|(?<![^\s(,])(?:\?\s*:|[&|=+*/<>!?-]{2,})$")
_QUOTED = re.compile(r"[\"“‘'][^\"“”‘’']{1,80}[\"”’']$")
_LONGEST = 600


def mended(text: str, spans: Iterable[Span]) -> list[Span]:
    """The same text, cut where its sentences end."""
    found: list[Span] = []
    for start, end in spans:
        if found:
            found[-1:] = _rejoined(text, found[-1], (start, end))
        else:
            found.append((start, end))
    return found


def _rejoined(text: str, first: Span, second: Span) -> list[Span]:
    """Two neighbours as they were, with another boundary between them, or as one."""
    (start, cut), (begin, end) = first, second
    closing = _CLOSING.match(text, begin, end)
    if closing is not None and (cut == begin or closing.end() == end):
        rest = end - len(text[closing.end() : end].lstrip())
        return [(start, closing.end()), (rest, end)] if rest < end else [(start, closing.end())]
    before = text[start:cut]
    if end - start > _LONGEST or not _is_cut_short(before, text[begin:end], cut == begin):
        return [first, second]
    inner = _last_end(before)
    if inner is None:
        return [(start, end)]
    return [(start, start + len(before[: inner.end()].rstrip())), (start + inner.end(), end)]


def _is_cut_short(first: str, second: str, glued: bool) -> bool:
    if _GOES_ON.search(first):
        return True
    if _ENDS.search(first):
        return False
    bracketed = second.startswith("(") or (_is_open(first) and ")" in second)
    inner = _last_end(first)
    return (
        glued or bracketed or (inner is not None and bool(_QUOTED.fullmatch(first[inner.end() :])))
    )


def _last_end(text: str) -> re.Match[str] | None:
    """Where within the text a sentence ended already, and not within a bracket."""
    ends = list(_INNER_END.finditer(text))
    return ends[-1] if ends and not _is_open(text[: ends[-1].start()]) else None


def _is_open(text: str) -> bool:
    return text.count("(") > text.count(")")
