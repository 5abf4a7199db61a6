"""Beginnings that many prompts share, read once and copied into the slot of whoever begins alike."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from core.engine.rowcache import Prefix

SHORTEST = 8
_MOST = 8
_SHARE = 8  # of the budget, one in so many tokens may be a kept beginning

Key = tuple[int, ...]


class Prefixes:
    """Within `capacity`, the tokens that the whole budget holds; who was asked for longest ago goes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Key, Prefix] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def tokens(self) -> int:
        return sum(one.length for one in self._kept.values())

    def find(self, key: Key) -> Prefix | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def may_keep(self, length: int, free: int) -> bool:
        """Whether one of so many tokens could be kept. `free`: tokens that no row has taken."""
        return length >= SHORTEST and self._room(length, free) >= 0

    def keep(self, key: Key, free: int, copied: Callable[[], Prefix]) -> None:
        """Unless it is there, too short or too long. `copied`: makes the copy."""
        if key in self._kept or not self.may_keep(len(key), free):
            return
        self.shrink(self._room(len(key), free), _MOST - 1)
        self._kept[key] = copied()

    def shrink(self, room: int, most: int = _MOST) -> None:
        """The newest ones stay, at most so many and of so many tokens together."""
        left = self.tokens
        while self._kept and (len(self._kept) > most or left > room):
            _, gone = self._kept.popitem(last=False)
            left -= gone.length

    def clear(self) -> None:
        self._kept.clear()

    def _room(self, length: int, free: int) -> int:
        """Tokens of others that may stay beside one of this length."""
        return min(free, self._capacity // _SHARE) - length
