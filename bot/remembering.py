"""What channels want, at hand: a platform waits for our answer, and a profile changes once a year.

Set in this process, it counts at once; set by another one, within `seconds`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from core.places import ChannelProfile, Place
from core.ports import Profiles

_SECONDS = 15.0
_MOST = 10_000


class RememberedProfiles:
    """The port `core.ports.Profiles`, in front of another one."""

    def __init__(
        self,
        inner: Profiles,
        *,
        seconds: float = _SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[Place, tuple[float, ChannelProfile]] = OrderedDict()
        self._changes = 0

    async def get(self, place: Place) -> ChannelProfile:
        channel = replace(place, thread=None)
        known = self._known.get(channel)
        if known is not None and self._clock() - known[0] < self._seconds:
            return known[1]
        asked_at, changes = self._clock(), self._changes
        found = await self._inner.get(channel)
        if changes == self._changes:  # else it may be what stood there before
            self._known[channel] = (asked_at, found)
            self._known.move_to_end(channel)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None:
        channel = replace(place, thread=None)
        try:
            await self._inner.put(channel, profile, by=by)
        finally:
            # Also after a failure: it may have been kept all the same.
            self._changes += 1
            self._known.pop(channel, None)
