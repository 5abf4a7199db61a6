"""What a chat hears becomes deliveries: the one way in for every adapter.

    message → links → what the channel wants → too many? → kept durably → queued

Everything here is short enough to happen before a platform is answered. Making the digest is
a workflow's affair (`bot/workflows.py`); `accept` only promises it. A crash between keeping and
queueing loses nothing: `bot/sweeping.py` queues what was kept and never begun.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.article import Language
from core.errors import BadLink, DigestError, StorageUnavailable
from core.links import canonical
from core.places import ChannelProfile, Delivery, Place, SharedLink
from core.ports import Deliveries, Profiles
from core.settings import LimitSettings

log = logging.getLogger(__name__)


class Queue(Protocol):
    """Where accepted deliveries wait: `bot/workflows.py`, or a list in a test."""

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
    """What becomes of a message. `limit` is the word in `bot.replies.WORDS` for why some links
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
    ) -> None:
        self.deliveries = deliveries
        self.profiles = profiles
        self.queue = queue
        self.limits = limits
        self._now = now

    async def hear(self, heard: Heard) -> Heeded:
        """Accepts the links of a message. Heard again, it changes nothing.

        Raises StorageUnavailable: then nothing is promised, and the platform should be left to
        send the event once more.
        """
        links = distinct(heard.links)
        if not links:
            return Heeded()
        profile = await self.profiles.get(heard.place)
        if profile.mode == "off" or (profile.mode == "ask" and not heard.asked):
            return Heeded()
        limit: str | None = None
        if len(links) > self.limits.links_per_message:
            limit = "limit.message"
        wanted = [
            shared_link(heard, link, profile) for link in links[: self.limits.links_per_message]
        ]
        accepted: list[Delivery] = []
        for shared in wanted:
            over = await self._over(shared)
            if over is not None:
                limit = over
                break
            accepted.append(await self.accept(shared))
        return Heeded(tuple(accepted), len(links) - len(accepted), limit)

    async def accept(self, shared: SharedLink) -> Delivery:
        """One link, whatever its channel's mode. Raises BadLink and StorageUnavailable."""
        delivery, new = await self.deliveries.accept(shared)
        if new:
            await self._queue(delivery)
        return delivery

    async def edited(self, heard: Heard) -> Heeded:
        """A message now holds these links: new ones are accepted, missing ones withdrawn."""
        await self._withdraw(heard.place, heard.message, distinct(heard.links))
        return await self.hear(heard)

    async def deleted(self, place: Place, message: str) -> None:
        await self._withdraw(place, message, ())

    async def _withdraw(self, place: Place, message: str, keep: Sequence[str]) -> None:
        kept = [canonical(link) for link in keep]
        gone = await self.deliveries.withdraw(place, message, keep=kept)
        if gone:
            await self.queue.take_back(gone)

    async def _over(self, shared: SharedLink) -> str | None:
        place, hour = shared.place, self._now() - timedelta(hours=1)
        if await self.deliveries.get(shared.key) is not None:
            return None  # heard again: it was counted when it was new
        count = self.deliveries.count
        mine = await count(place.platform, place.workspace, hour, by=shared.by)
        if mine >= self.limits.user_per_hour:
            return "limit.user"
        here = await count(place.platform, place.workspace, hour, channel=place.channel)
        return "limit.channel" if here >= self.limits.channel_per_hour else None

    async def _queue(self, delivery: Delivery) -> None:
        try:
            await self.queue.enqueue(delivery)
        except (StorageUnavailable, DigestError):
            # Accepted is accepted: it is kept, and will be queued when somebody looks for it.
            log.warning("delivery %s is kept but could not be queued yet", delivery.id)


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
