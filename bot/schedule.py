"""The clock of everything that happens without being asked: it wakes, looks, and begins work.

APScheduler wakes us at each subscription's next morning, and once a minute for whatever happened
elsewhere (a subscription made by another process, a clock that was set, an hour of sleep). Each
time the same is done: what is due by `core/mornings.py` is begun as a workflow whose id is the
local date, so that it does not matter who wakes, how often, or how late.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from core.errors import BadSubscription, DigestError
from core.feed import Entry, Source, Subscription
from core.mornings import due, next_moment
from core.ports import Announcements, Feeds, Subscriptions
from core.settings import OutputLanguage

log = logging.getLogger(__name__)
# It tells of every waking; a look that is skipped because one is going on is no trouble.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

_LOOK_SECONDS = 60
_AGAIN_SECONDS = 5
_MOST_ENTRIES = 200  # in one look; those that wait longer come with the next
_REMEMBERED = 20_000
_MOST_GONE = 100


class Work(Protocol):
    """What is begun, as `bot/durable/workflows.py` does it: durably, and twice is once."""

    async def begin_morning(self, subscription: Subscription, day: date) -> None: ...

    async def begin_telling_gone(self, subscription: Subscription, source: Source) -> None: ...

    async def begin_entry(self, entry: Entry, language: OutputLanguage) -> None: ...


class Entries(Protocol):
    """The part of `bot.daily.Daily` that knows what a subscription may choose from."""

    async def undigested(self, subscription: Subscription) -> Sequence[Entry]:
        """Entries without a digest in the language that is wanted."""


class Mornings(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
    """A subscription's mornings for APScheduler, whose own cron forgets or repeats them where the
    clocks change."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        return next_moment(self._subscription, max(previous or now, now))


class Schedule:
    def __init__(
        self,
        subscriptions: Subscriptions,
        announcements: Announcements,
        feeds: Feeds,
        entries: Entries,
        work: Work,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._subscriptions = subscriptions
        self._announcements = announcements
        self._feeds = feeds
        self._entries = entries
        self._work = work
        self._now = now
        self._scheduler: Any = AsyncIOScheduler(timezone=UTC)
        self._begun: OrderedDict[str, None] = OrderedDict()
        self._looking = asyncio.Lock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Schedule]:
        """Awake until the block ends. The first look comes at once: it finds what was missed."""
        every = IntervalTrigger(seconds=_LOOK_SECONDS, timezone=UTC)
        # Late is not too late, and what would have happened several times happens once.
        options = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        self._scheduler.add_job(
            self.wake, every, next_run_time=datetime.now(UTC), id="look", **options
        )
        self._scheduler.start()
        try:
            yield self
        finally:
            self._scheduler.shutdown(wait=False)

    async def wake(self) -> None:
        """One look, whose troubles are logged: the next look comes soon."""
        async with self._looking:
            try:
                await self.look()
            except DigestError as error:
                log.warning("the subscriptions cannot be looked at now: %s", error)
                self._again_soon()
            except Exception:
                log.exception("looking at the subscriptions failed")

    def _again_soon(self) -> None:
        """A database that was busy for a moment costs no minute."""
        if self._scheduler.running:
            at = datetime.now(UTC) + timedelta(seconds=_AGAIN_SECONDS)
            again = DateTrigger(at, timezone=UTC)
            self._scheduler.add_job(
                self.wake, again, id="again", replace_existing=True, misfire_grace_time=None
            )

    async def look(self) -> None:
        """Begins all that is due. Raises StorageUnavailable."""
        subscriptions = await self._subscriptions.all()
        await self._begin_mornings(subscriptions)
        self._arrange(subscriptions)
        await self._tell_gone(subscriptions)
        await self._digest_ahead(subscriptions)

    async def _begin_mornings(self, subscriptions: Sequence[Subscription]) -> None:
        latest = await self._announcements.latest()
        now = self._now()
        for one in subscriptions:
            try:
                day = due(one, now, latest.get(one.id))
            except BadSubscription as error:
                log.warning("subscription %s has no mornings: %s", one.id, error)
                continue
            if day is not None:
                await self._work.begin_morning(one, day)

    def _arrange(self, subscriptions: Sequence[Subscription]) -> None:
        """A job for each, which only wakes; one that is gone or paused has none."""
        if not self._scheduler.running:
            return
        wanted: Mapping[str, Subscription] = {f"morning:{one.id}": one for one in subscriptions}
        for job in self._scheduler.get_jobs():
            if job.id.startswith("morning:") and job.id not in wanted:
                job.remove()
        for job_id, one in wanted.items():
            self._arrange_one(job_id, one)

    def _arrange_one(self, job_id: str, subscription: Subscription) -> None:
        known = self._scheduler.get_job(job_id)
        if known is not None and known.kwargs.get("subscription") == subscription:
            return
        try:
            self._scheduler.add_job(
                self._wake_for,
                Mornings(subscription),
                id=job_id,
                kwargs={"subscription": subscription},
                replace_existing=True,
                misfire_grace_time=None,
                coalesce=True,
            )
        except BadSubscription:
            return  # it was logged with its morning

    async def _wake_for(self, subscription: Subscription) -> None:
        log.debug("it is morning for subscription %s", subscription.id)
        await self.wake()

    async def _tell_gone(self, subscriptions: Sequence[Subscription]) -> None:
        for source in await self._feeds.given_up(_MOST_GONE):
            for one in subscriptions:
                if source.id in one.sources:
                    await self._work.begin_telling_gone(one, source)
            # Told twice is told once; forgotten would be never.
            await self._feeds.told(source.id)

    async def _digest_ahead(self, subscriptions: Sequence[Subscription]) -> None:
        """So that a morning finds its digests made. Who comes first has it."""
        for entry in await self._feeds.waiting(_MOST_ENTRIES):
            await self._begin_entry(entry, "auto")
        for one in subscriptions:
            if one.language != "auto" and not one.paused:
                for entry in await self._entries.undigested(one):
                    await self._begin_entry(entry, one.language)

    async def _begin_entry(self, entry: Entry, language: OutputLanguage) -> None:
        name = f"{entry.id}:{language}"
        if name in self._begun:
            return
        await self._work.begin_entry(entry, language)
        self._begun[name] = None
        if len(self._begun) > _REMEMBERED:
            self._begun.popitem(last=False)
