"""All requests of this process together: Discord takes 50 a second from a bot.

discord.py learns of that limit by being refused, by all that are under way at once; and whoever is
refused 10,000 times in ten minutes is barred from Discord altogether. So they are spaced beforehand.
Answers to interactions do not count, and somebody waits for them.
Source: Discord's documentation, "Rate Limits": global limit, invalid requests.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp

_AT_ONCE = 5  # after a silence
_ANSWERS = ("/interactions/", "/webhooks/")


class Budget:
    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap = 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = -math.inf  # a clock may begin anywhere, such as when the machine was started

    async def take(self) -> None:
        """Waits for the next free moment; in the order of asking."""
        now = self._clock()
        mine = max(self._next, now - (_AT_ONCE - 1) * self._gap)
        self._next = mine + self._gap
        if mine > now:
            await self._sleep(mine - now)

    def trace(self) -> aiohttp.TraceConfig:
        """Makes each request of an aiohttp session take its turn first."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._before)
        return trace

    async def _before(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        asked: aiohttp.TraceRequestStartParams,
    ) -> None:
        if not any(part in asked.url.path for part in _ANSWERS):
            await self.take()
