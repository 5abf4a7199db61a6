"""One lane for each channel: messages go one after another, no faster than the platform likes.

Whoever has something to say takes a turn; what is urgent goes first, the rest as they came. When
the platform asks for a pause, the lane is held: nobody in it tries meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MOST_LANES = 1000  # idle ones beyond that are forgotten

Waiter = tuple[int, int, "asyncio.Future[None]"]


@dataclass(eq=False)
class _Lane:
    """A bucket with `left` tokens at the time `since`, closed until `closed_until`."""

    left: float
    since: float
    closed_until: float = 0.0
    waiting: list[Waiter] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.Task[None] | None = None


class Lanes:
    """`per_second` turns a second in a lane, `burst` of them at once after a silence."""

    def __init__(
        self, per_second: float, burst: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._numbers = itertools.count()

    @asynccontextmanager
    async def turn(self, name: str, *, urgency: int = 1) -> AsyncIterator[None]:
        """Waits for a turn and has the lane to itself until the block ends. 0 is most urgent."""
        lane = self._lane(name)
        ready = asyncio.get_running_loop().create_future()
        heapq.heappush(lane.waiting, (urgency, next(self._numbers), ready))
        if lane.running is None:
            lane.running = asyncio.create_task(self._run(lane))
        try:
            await ready
            yield
        finally:
            if ready.cancelled() or not ready.done():
                ready.cancel()  # nobody gives it a turn any more
            else:
                lane.free.set()

    def hold(self, name: str, seconds: float) -> None:
        """No turn begins before so many seconds have passed."""
        lane = self._lane(name)
        lane.closed_until = max(lane.closed_until, self._clock() + seconds)

    async def _run(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                pause = self._pause(lane)
                if pause > 0:
                    await asyncio.sleep(pause)
                    continue  # the lane may have been held meanwhile
                _, _, ready = heapq.heappop(lane.waiting)
                if ready.done():
                    continue
                lane.left -= 1.0
                lane.free.clear()
                ready.set_result(None)
                await lane.free.wait()
        finally:
            lane.running = None

    def _pause(self, lane: _Lane) -> float:
        """Seconds until the next turn may begin."""
        now = self._clock()
        lane.left = min(self._burst, lane.left + (now - lane.since) * self._per_second)
        lane.since = now
        lacking = max(0.0, 1.0 - lane.left) / self._per_second
        return max(lacking, lane.closed_until - now)

    def _lane(self, name: str) -> _Lane:
        found = self._lanes.get(name)
        if found is None:
            if len(self._lanes) >= _MOST_LANES:
                self._forget_idle()
            found = self._lanes[name] = _Lane(self._burst, self._clock())
        return found

    def _forget_idle(self) -> None:
        """Those that are as good as new: nobody in them, full, not held."""
        for name, lane in [*self._lanes.items()]:
            idle = lane.running is None and not lane.waiting and self._pause(lane) <= 0
            if idle and lane.left >= self._burst:
                del self._lanes[name]
