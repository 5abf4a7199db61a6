"""Feeds asked in time: as many at once as are allowed, never two at the same host.

    due, claimed → a host's feeds one after the other → asked → decided → kept

Several processes share the feeds by their claims (`core.ports.Feeds.due`). A process that dies
leaves claims that end by themselves; one that stops gives them back.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from core.errors import DigestError, StorageUnavailable
from core.feed import Entry, Source
from core.polling import after
from core.ports import Feeds
from core.web.asking import FeedWeb, HostTurns, asked

log = logging.getLogger(__name__)

LEASE = 600.0  # seconds: a host's few feeds, each as slow as we bear
_IN_STORE = 4  # times as many as are asked at once; each must come to its turn within its lease
_LOOK = 30.0  # seconds at most between two looks: somebody may have added a feed
_TROUBLE = 10.0  # seconds after which a database that was away is asked again


def utc_now() -> datetime:
    return datetime.now(UTC)


class Poller:
    """`told` hears which entries are new. `counts` says how often what came of asking."""

    def __init__(
        self,
        feeds: Feeds,
        web: FeedWeb,
        me: str,
        *,
        at_once: int = 16,
        told: Callable[[list[Entry]], None] = lambda _: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._feeds = feeds
        self._web = web
        self._me = me
        self._at_once = at_once
        self._told = told
        self._now = now
        self._turns = HostTurns()
        self._claimed: deque[list[Source]] = deque()
        self._working: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Goes on until cancelled; then what was begun is left to others."""
        try:
            while True:
                try:
                    pause = await self._round()
                except StorageUnavailable as error:
                    log.warning("feeds cannot be looked up: %s", error)
                    pause = _TROUBLE
                await self._woken(pause)
        finally:
            await self._stop()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Poller]:
        """At work until the block ends."""
        running = asyncio.create_task(self.run())
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def catch_up(self) -> None:
        """Asks what is due now, until nothing is. Raises StorageUnavailable."""
        try:
            while await self._begin() or self._working:
                await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop()

    def nudge(self) -> None:
        """A feed was added: no need to wait for the next look."""
        self._wake.set()

    async def _round(self) -> float:
        """Begins what there is room for; seconds until the next look is worth it."""
        await self._begin()
        if len(self._working) >= self._at_once:
            return _LOOK
        next_at = await self._feeds.next_due()
        if next_at is None:
            return _LOOK
        # Due and not claimed: its host is busy, and whoever has finished there wakes us.
        return min(max((next_at - self._now()).total_seconds(), 1.0), _LOOK)

    async def _begin(self) -> bool:
        """Whether anything was begun."""
        if not self._claimed and len(self._working) < self._at_once:
            # Some in store: looking up what is due costs more than a feed that has not changed.
            limit = _IN_STORE * self._at_once
            due = await self._feeds.due(self._now(), limit, by=self._me, lease=LEASE)
            self._claimed.extend(_by_host(due))
        begun = False
        while self._claimed and len(self._working) < self._at_once:
            task = asyncio.create_task(self._poll_all(self._claimed.popleft()))
            self._working.add(task)
            task.add_done_callback(self._done)
            begun = True
        return begun

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()

    async def _woken(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _poll_all(self, sources: list[Source]) -> None:
        for source in sources:
            try:
                await self._poll(source)
            except StorageUnavailable as error:
                log.warning("what came of %s could not be kept: %s", source.url, error)
            except Exception:
                # One feed in a thousand breaks what nobody thought of; its claim ends by itself.
                log.exception("asking %s failed", source.url)

    async def _poll(self, source: Source) -> None:
        outcome = await asked(self._web, source, self._turns, self._now())
        kept = after(source, outcome, self._now())
        new = await self._feeds.polled(kept, outcome.announced, by=self._me)
        self.counts[outcome.error or ("changed" if outcome.wishes else "unchanged")] += 1
        if kept.state == "gone":
            log.info("%s is given up after %d failures: %s", kept.url, kept.failures, kept.error)
        if new:
            self._told(new)

    async def _stop(self) -> None:
        self._claimed.clear()
        working = list(self._working)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        try:
            await self._feeds.release(self._me)
        except DigestError as error:
            log.warning("claims could not be given back: %s", error)


def _by_host(sources: Iterable[Source]) -> list[list[Source]]:
    hosts: dict[str, list[Source]] = {}
    for source in sources:
        hosts.setdefault(urlsplit(source.url).netloc, []).append(source)
    return list(hosts.values())
