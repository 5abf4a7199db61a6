"""What a chat hears becomes deliveries: the one way in for every adapter.

    message → links → what the channel wants → too many? → kept durably → queued

Everything here is short enough to happen before a platform is answered. Making the digest is
a workflow's affair (`bot/durable/workflows.py`); `accept` only promises it. A crash between keeping and
queueing loses nothing: `bot/presence.py` queues what was kept and never begun.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from bot.tracing import about
from core.article import Language
from core.errors import AskedTooOften, BadLink, DigestError, StorageUnavailable
from core.links import canonical
from core.places import ChannelProfile, Delivery, Place, SharedLink
from core.ports import Deliveries, Profiles
from core.settings import LimitSettings

log = logging.getLogger(__name__)

_COUNT_AGAIN = timedelta(minutes=1)
_MOST_COUNTED = 10_000
# A link edited out of its message and in again; the number in the nonce makes each return one
# delivery, however often it is told.
_BACK = "back"
_MOST_TIMES_BACK = 3


class Queue(Protocol):
    """Where accepted deliveries wait: `bot/durable/workflows.py`, or a list in a test. `coming` counts the
    messages that are just being heard: work stands back for them."""

    coming: int

    async def enqueue(self, delivery: Delivery) -> None: ...

    async def take_back(self, deliveries: Sequence[Delivery]) -> None:
        """They are withdrawn: what was said of them is to be removed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message with links, as an adapter understood it.

    `asked`: somebody wants these links digested (a mention, a command, a reaction, a shortcut),
    so that a channel in mode "ask" answers too. `ui`: the person's language.
    """

    place: Place
    message: str
    by: str
    links: Sequence[str]
    ui: Language = "en"
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Heeded:
    """What becomes of a message. `limit` is the word in `bot.words.WORDS` for why some links
    are left out ("limit.user", "limit.channel", "limit.message"), or None."""

    accepted: tuple[Delivery, ...] = ()
    left_out: int = 0
    limit: str | None = None


class Receiver:
    def __init__(
        self,
        deliveries: Deliveries,
        profiles: Profiles,
        queue: Queue,
        limits: LimitSettings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limited: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._limited = limited
        self.deliveries = deliveries
        self.profiles = profiles
        self.queue = queue
        self.limits = limits
        self._now = now
        self._turns: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()
        self._counted: dict[tuple[str, ...], tuple[int, datetime]] = {}

    async def hear(self, heard: Heard) -> Heeded:
        """Accepts the links of a message. Heard again, it changes nothing.

        Raises StorageUnavailable: then nothing is promised, and the platform should be left to
        send the event once more.
        """
        return await self._heed(heard, back=False)

    async def _heed(self, heard: Heard, *, back: bool) -> Heeded:
        links = distinct(heard.links)
        if not links:
            return Heeded()
        self.queue.coming += 1
        try:
            return await self._hear(heard, links, back=back)
        finally:
            self.queue.coming -= 1

    async def _hear(self, heard: Heard, links: Sequence[str], *, back: bool) -> Heeded:
        profile = await self.profiles.get(heard.place)
        if profile.mode == "off" or (profile.mode == "ask" and not heard.asked):
            return Heeded()
        limit: str | None = None
        if len(links) > self.limits.links_per_message:
            limit = "limit.message"
            self._limited(limit)
        wanted = [
            shared_link(heard, link, profile) for link in links[: self.limits.links_per_message]
        ]
        accepted: list[Delivery] = []
        for shared in wanted:
            async with self._one_at_a_time(shared):
                found = await self._within_limits(shared, back=back)
            if isinstance(found, str):
                limit = found
                break
            accepted.append(found)
        return Heeded(tuple(accepted), len(links) - len(accepted), limit)

    async def accept(self, shared: SharedLink) -> Delivery:
        """One link, whatever its channel's mode. Raises BadLink and StorageUnavailable."""
        delivery, new = await self.deliveries.accept(shared)
        if new:
            with about(delivery.id):  # the first line of its way; the last one is "answered"
                log.info("accepted from %s: %s", shared.place.platform, delivery.canonical)
            self._count(shared)
            await self._queue(delivery)
        return delivery

    async def once_more(self, shared: SharedLink) -> Delivery:
        """A further digest of a link that was shared before; `shared.nonce` tells it from the
        others. Raises AskedTooOften, BadLink and StorageUnavailable."""
        async with self._one_at_a_time(shared):
            over = await self._over(shared)
            if over is not None:
                raise AskedTooOften(shared.link, over)
            return await self.accept(shared)

    async def edited(self, heard: Heard) -> Heeded:
        """A message now holds these links: new ones are accepted, missing ones withdrawn, and
        one that was withdrawn and is back is answered again."""
        await self._withdraw(heard.place, heard.message, distinct(heard.links))
        return await self._heed(heard, back=True)

    async def deleted(self, place: Place, message: str) -> None:
        await self._withdraw(place, message, ())

    async def _withdraw(self, place: Place, message: str, keep: Sequence[str]) -> None:
        kept = [canonical(link) for link in keep]
        gone = await self.deliveries.withdraw(place, message, keep=kept)
        if gone:
            await self.queue.take_back(gone)

    def _one_at_a_time(self, shared: SharedLink) -> asyncio.Lock:
        """Of a person: what is shared at once would not be counted for each other."""
        return self._turns.setdefault(_keys(shared)[0], asyncio.Lock())

    async def _within_limits(self, shared: SharedLink, *, back: bool) -> Delivery | str:
        """Accepts it, or says which limit it is over. `back`: its message holds it again, so
        one that was withdrawn counts as not shared yet."""
        while True:
            over = await self._over(shared)
            if over is not None:
                return over
            delivery = await self.accept(shared)
            times = _times_back(shared)
            if delivery.state != "withdrawn" or not back or times >= _MOST_TIMES_BACK:
                return delivery
            shared = replace(shared, nonce=f"{_BACK}{times + 1}")

    async def _over(self, shared: SharedLink) -> str | None:
        by_person, in_channel = await asyncio.gather(
            *(self._accepted(shared, key) for key in _keys(shared))
        )
        if by_person >= self.limits.user_per_hour:
            limit = "limit.user"
        elif in_channel >= self.limits.channel_per_hour:
            limit = "limit.channel"
        else:
            return None
        # Heard again: it was counted when it was new.
        if await self.deliveries.get(shared.key) is not None:
            return None
        self._limited(limit)
        return limit

    async def _accepted(self, shared: SharedLink, key: tuple[str, ...]) -> int:
        """Links accepted in the last hour. Looked up now and then, counted on in between: a
        platform waits for our answer, and others' share may be a minute old."""
        now = self._now()
        count, since = self._counted.get(key, (0, datetime.min.replace(tzinfo=UTC)))
        limit = min(self.limits.user_per_hour, self.limits.channel_per_hour)
        if now - since < _COUNT_AGAIN and count < limit:
            return count
        place, hour = shared.place, now - timedelta(hours=1)
        whose = {"by": shared.by} if key[0] == "by" else {"channel": place.channel}
        count = await self.deliveries.count(place.platform, place.workspace, hour, **whose)
        if len(self._counted) >= _MOST_COUNTED:
            self._counted.clear()
        self._counted[key] = (count, now)
        return count

    def _count(self, shared: SharedLink) -> None:
        for key in _keys(shared):
            if key in self._counted:
                count, since = self._counted[key]
                self._counted[key] = (count + 1, since)

    async def _queue(self, delivery: Delivery) -> None:
        try:
            await self.queue.enqueue(delivery)
        except (StorageUnavailable, DigestError):
            # Accepted is accepted: it is kept, and will be queued when somebody looks for it.
            log.warning("delivery %s is kept but could not be queued yet", delivery.id)


def _times_back(shared: SharedLink) -> int:
    return int(shared.nonce.removeprefix(_BACK) or 0)


def _keys(shared: SharedLink) -> tuple[tuple[str, ...], tuple[str, ...]]:
    place = shared.place
    where = (place.platform, place.workspace)
    return ("by", *where, shared.by), ("channel", *where, place.channel)


def distinct(links: Sequence[str]) -> list[str]:
    """The links that are links, each article once, in their order."""
    found: dict[str, str] = {}
    for link in links:
        try:
            found.setdefault(canonical(link), link)
        except BadLink:
            log.info("not a link we can follow: %r", link[:200])
    return list(found.values())


def shared_link(heard: Heard, link: str, profile: ChannelProfile) -> SharedLink:
    return SharedLink(
        link=link,
        place=heard.place,
        message=heard.message,
        by=heard.by,
        language=profile.language,
        ui=profile.ui or heard.ui,
    )
