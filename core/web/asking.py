"""A feed asked: one request with its redirects becomes what `core/polling.py` decides on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from core.errors import DigestError, FeedGone
from core.feed import Source
from core.polling import Outcome
from core.web.answers import Answer
from core.web.feeds import outcome_of
from core.web.fetch import Turns

_PARSING_SECONDS = 60.0


class FeedWeb(Protocol):
    """`core.web.fetch.SafeWeb`, as far as feeds need it."""

    async def ask(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        turn: Turns | None = None,
    ) -> Answer: ...


class HostTurns:
    """One at a time at each host. Called with a host, it gives what is to be entered."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def __call__(self, host: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(host, asyncio.Lock())
        self._waiting[host] = self._waiting.get(host, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._locks[host], self._waiting[host]


async def asked(web: FeedWeb, source: Source, turn: Turns, now: datetime) -> Outcome:
    """What came of it, troubles included."""
    try:
        answer = await web.ask(
            source.url, etag=source.etag, last_modified=source.last_modified, turn=turn
        )
        if answer.status == 304:
            return outcome_of(source, answer, now)
        # Large feeds take their time, and the loop has others to look after.
        async with asyncio.timeout(_PARSING_SECONDS):
            return await asyncio.to_thread(outcome_of, source, answer, now)
    except TimeoutError:
        return Outcome(source.url, error="not_a_feed")
    except DigestError as error:
        wish = getattr(error, "retry_after", None)
        return Outcome(source.url, error.code, gone=isinstance(error, FeedGone), wish=wish)
