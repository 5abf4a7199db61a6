"""Whoever keeps the index complete, beside everything else: woken by each new digest, and now and
then by itself for what other processes made. Search waits for nobody; a new article is found a
moment after it was answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from core.errors import DigestError

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0


class Librarian:
    """`catch_up` puts some of what is missing into the index and says how much; `refresh` makes
    what is in it ready to be searched. `warm`: do that ahead of the first question."""

    def __init__(
        self,
        catch_up: Callable[[], Awaitable[int]],
        refresh: Callable[[], Awaitable[None]],
        added: asyncio.Event,
        *,
        warm: bool = False,
        pause: float = _LOOK_SECONDS,
    ) -> None:
        self._catch_up = catch_up
        self._refresh = refresh
        self._added = added
        self._pause = pause
        self._warm = warm

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        working = asyncio.create_task(self._run())
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _run(self) -> None:
        while True:
            self._added.clear()
            try:
                while await self._catch_up():
                    pass
                if self._warm:
                    await self._refresh()
            except DigestError as error:
                log.warning("the index could not be brought up to date: %s", error)
            except Exception:
                log.exception("the index could not be brought up to date")
            with contextlib.suppress(TimeoutError):
                # not wait_for: Python 3.11's loses a cancellation that meets the event
                async with asyncio.timeout(self._pause):
                    await self._added.wait()
