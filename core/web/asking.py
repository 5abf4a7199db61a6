"""A feed asked: one request with its redirects becomes what `core/polling.py` decides on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from core.errors import DigestError, FeedGone
from core.feed import Announced, Source
from core.identity import FIRST_NEW
from core.polling import Outcome
from core.web.answers import Answer
from core.web.feeds import outcome_of
from core.web.fetch import Turns
from core.web.linked import is_talk, linked_in

_PARSING_SECONDS = 60.0
_LATE = timedelta(hours=2)  # an entry may stand there some time after its date
_LOOKED_AT = 12  # pages of talk, one after the other


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
            outcome = await asyncio.to_thread(outcome_of, source, answer, now)
    except TimeoutError:
        return Outcome(source.url, error="not_a_feed")
    except DigestError as error:
        wish = getattr(error, "retry_after", None)
        return Outcome(source.url, error.code, gone=isinstance(error, FeedGone), wish=wish)
    return await _about(web, source, outcome, turn)


async def _about(web: FeedWeb, source: Source, outcome: Outcome, turn: Turns) -> Outcome:
    """The same with the articles in place of the pages where people talk about them.

    Only what was written since the feed was read the last time is looked at, the first time what
    will be new of it; the link of a page that cannot be looked at stays what it is.
    """
    if source.kind != "links" or not any(is_talk(one.link) for one in outcome.announced):
        return outcome
    found: list[Announced] = []
    left = FIRST_NEW if source.changed_at is None else _LOOKED_AT
    for one in outcome.announced:
        if left and is_talk(one.link) and _is_recent(one, source):
            left -= 1
            with suppress(DigestError):
                page = await web.ask(one.link, turn=turn)
                article = await asyncio.to_thread(linked_in, one.link, page.body)
                one = replace(one, link=article or one.link, comments=one.link)
        found.append(one)
    return replace(outcome, announced=tuple(found))


def _is_recent(one: Announced, source: Source) -> bool:
    if source.changed_at is None or one.published_at is None:
        return True
    return one.published_at > source.changed_at - _LATE
