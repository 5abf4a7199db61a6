"""Said once: the same notice to the same person waits for some minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

_REMEMBERED = 5000


class Once:
    def __init__(self, minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = minutes * 60
        self._clock = clock
        self._at: dict[Hashable, float] = {}

    def first(self, what: Hashable) -> bool:
        """Whether it has not been said for so many minutes; from now on it has."""
        now = self._clock()
        said = self._at.pop(what, None)
        if said is not None and now - said < self._seconds:
            self._at[what] = said
            return False
        if len(self._at) >= _REMEMBERED:
            self._at.pop(next(iter(self._at)))
        self._at[what] = now
        return True

    def forget(self, what: Hashable) -> None:
        """It was not said after all."""
        self._at.pop(what, None)
