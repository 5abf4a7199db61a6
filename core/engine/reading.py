"""What a pass reads of the prompts that are new: a piece of one, or pieces of rows side by side.

A processor is busy with one row. A card is not: a pass over fifty tokens takes it as long as one over
a thousand, so there rows are read together. Pieces of unequal length are filled up in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.engine.row import Row

# At most this share of what is read together may be there to fill shorter rows up.
_FILLED = 0.5


class Piece(NamedTuple):
    """So many tokens of a row; `shared`: it ends where the beginning ends that others share."""

    slot: int
    row: Row
    tokens: int
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """`together`: rows of one pass at most. `keeps`: whether there is room to keep a beginning of so
    many tokens for others."""

    together: int
    keeps: Callable[[int], bool]

    def pieces(self, rows: Sequence[Row], room: int) -> list[Piece]:
        """Of neighbours, `room` tokens at most, filling included. Empty: all are read.

        A beginning that others share is read by itself: those that wait begin with it.
        """
        found: list[Piece] = []
        for slot, row in enumerate(rows):
            if not row.reading:
                if found:
                    break
                continue
            piece = self._piece(slot, row, room)
            if found and (piece.shared or not _fits([*found, piece], room)):
                break
            found.append(piece)
            if piece.shared or len(found) == self.together:
                break
        return found

    def _piece(self, slot: int, row: Row, room: int) -> Piece:
        count = min(row.unread, room)
        length = len(row.prefix)
        if row.cached < length < row.cached + count and self.keeps(length):
            return Piece(slot, row, length - row.cached, shared=True)
        return Piece(slot, row, count)


def _fits(pieces: Sequence[Piece], room: int) -> bool:
    whole = width(pieces) * len(pieces)
    read = sum(piece.tokens for piece in pieces)
    return whole <= room and whole - read <= _FILLED * whole


def width(pieces: Iterable[Piece]) -> int:
    return max(piece.tokens for piece in pieces)


def filled(pieces: Sequence[Piece]) -> tuple[list[list[int]], list[list[int]]]:
    """Tokens and their places, as many of each row. What fills up goes to the place after the piece:
    it is written again before it is seen."""
    ids, places = [], []
    longest = width(pieces)
    for _, row, count, _ in pieces:
        begin, end, lacking = row.cached, row.cached + count, longest - count
        ids.append([0] * lacking + row.ids[begin:end])
        places.append([end] * lacking + list(range(begin, end)))
    return ids, places
