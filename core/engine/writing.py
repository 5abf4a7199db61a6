"""How the tokens of an answer become text while they come.

A token may end in the middle of a character (a Korean syllable is three bytes) or in the middle
of a stop string; what is shown never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


class Decodes(Protocol):
    """What we need of a tokenizer; it leaves out the control tokens."""

    def decode(self, ids: list[int]) -> str: ...


class Writer:
    """The text of one answer. `finished` is True once a stop string was met."""

    def __init__(self, tokenizer: Decodes, stop: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._stop = tuple(text for text in stop if text)
        self._ids: list[int] = []
        # Only a window is decoded again for each token: ids before `_begin` are settled, those
        # before `_end` are shown and give the window its left context.
        self._begin = 0
        self._end = 0
        self._shown: list[str] = []
        self._held = ""
        self.finished = False

    @property
    def text(self) -> str:
        return "".join(self._shown)

    def add(self, token_id: int) -> str:
        """The text that may be shown now; often empty."""
        if self.finished:
            return ""
        self._ids.append(token_id)
        return self._show(self._new_text(), last=False)

    def close(self) -> str:
        """What was held back. Bytes that never became a character are dropped."""
        if self.finished:
            return ""
        known = self._tokenizer.decode(self._ids[self._begin : self._end])
        rest = self._tokenizer.decode(self._ids[self._begin :])[len(known) :]
        piece = self._show(rest.rstrip(_INCOMPLETE), last=True)
        self.finished = True
        return piece

    def _new_text(self) -> str:
        known = self._tokenizer.decode(self._ids[self._begin : self._end])
        text = self._tokenizer.decode(self._ids[self._begin :])
        if text.endswith(_INCOMPLETE) or len(text) <= len(known):
            return ""
        self._begin, self._end = self._end, len(self._ids)
        return text[len(known) :]

    def _show(self, new: str, *, last: bool) -> str:
        text = self._held + new
        cut = _first_of(self._stop, text)
        if cut is not None:
            self.finished = True
            text, self._held = text[:cut], ""
        else:
            keep = 0 if last else _begun(self._stop, text)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        if text:
            self._shown.append(text)
        return text


def written(ids: Sequence[int], tokenizer: Decodes, stop: Sequence[str] = ()) -> str:
    """The text of an answer that is there as a whole."""
    writer = Writer(tokenizer, stop)
    for token_id in ids:
        writer.add(token_id)
    writer.close()
    return writer.text


def _first_of(stops: Sequence[str], text: str) -> int | None:
    found = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return min(found, default=None)


def _begun(stops: Sequence[str], text: str) -> int:
    """How many characters at the end of `text` could be the beginning of a stop string."""
    longest = 0
    for stop in stops:
        for size in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:size]):
                longest = size
                break
    return longest
