"""A morning's steps: wait until there is something to choose from, choose, say it, once each.

    ready? → choose → keep → say the list → a delivery for each digest, in the list's thread

`bot/durable/workflows.py` calls the steps in their order and remembers their results; all of them may be
repeated. Nothing is chosen twice, because what was kept first stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from bot import telling
from bot.chats import Chat, GivenUp, Morning, NothingNew, Unprompted
from bot.delivering import Outbox
from core.announcements import Announcement, gone_id, morning_id, posted_of
from core.digest import DigestRecord
from core.digesting import Digester
from core.errors import ChatFailed
from core.feed import Candidate, Entry, Subscription, choose
from core.mornings import window, zone_of
from core.places import DAILY, Delivery, SharedLink
from core.ports import Announcements, Articles, Deliveries, Digests, Feeds, Subscriptions
from core.settings import OutputLanguage

log = logging.getLogger(__name__)

# More than any channel reads; what is beyond is older than what is before.
_MOST_ENTRIES = 500
_EVER = datetime.min.replace(tzinfo=UTC)
Plain = dict[str, Any]


class Daily:
    def __init__(
        self,
        subscriptions: Subscriptions,
        announcements: Announcements,
        feeds: Feeds,
        deliveries: Deliveries,
        digests: Digests,
        articles: Articles,
        digester: Digester,
        chats: Mapping[str, Chat],
        *,
        me: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._subscriptions = subscriptions
        self._announcements = announcements
        self._feeds = feeds
        self._deliveries = deliveries
        self._digests = digests
        self._articles = articles
        self._digester = digester
        self._chats = chats
        self._now = now
        ledger = _AnnouncementsAsDeliveries(subscriptions, announcements, chats)
        self._outbox = Outbox(ledger, chats, me=me, now=now)

    # --- choosing

    async def ready(self, subscription_id: str) -> bool:
        """False while one of its feeds is due to be asked, or an article to be digested."""
        subscription = await self._subscriptions.get(subscription_id)
        if subscription is None or subscription.paused:
            return True
        now = self._now()
        for source in await self._feeds.of(subscription.sources):
            due = source.next_at is None or source.next_at <= now
            if source.state == "alive" and due:
                return False
        entries = await self.entries(subscription)
        return all(entry.digest_id or entry.error for entry in entries)

    async def choose(self, subscription_id: str, day: str) -> Plain | None:
        """The announcement of that local date, kept from now on. None: nobody wants it any more."""
        subscription = await self._subscriptions.get(subscription_id)
        if subscription is None or subscription.paused:
            return None
        morning = date.fromisoformat(day)
        chosen = await self.todays(subscription, before=morning)
        made = Announcement(
            id=morning_id(subscription_id, morning),
            subscription_id=subscription_id,
            kind="daily" if chosen else "nothing",
            day=morning,
            made_at=self._now(),
            posted=tuple(map(posted_of, chosen)),
            silent=not chosen and not subscription.say_nothing_new,
        )
        kept = await self._announcements.keep(made)
        return None if kept is None else self._outline(kept, subscription)

    async def todays(
        self, subscription: Subscription, *, before: date | None = None
    ) -> list[Candidate]:
        """What would be posted now. `before`: as if no later morning had been."""
        posted = await self._announcements.posted(subscription.id)
        return choose(subscription, await self.candidates(subscription, before=before), posted)

    async def candidates(
        self, subscription: Subscription, *, before: date | None = None
    ) -> list[Candidate]:
        entries = await self.entries(subscription, before=before)
        sources = {one.id: one for one in await self._feeds.of(subscription.sources)}
        found = []
        for entry in entries:
            record = await self._record(entry, subscription.language)
            if record is not None:
                source = sources.get(entry.source_id)
                title = (source.title or source.site) if source is not None else ""
                found.append(Candidate(entry, record, title))
        return found

    async def entries(
        self, subscription: Subscription, *, before: date | None = None
    ) -> list[Entry]:
        """What its feeds announced since the mornings that count, digested or not."""
        latest = await self._announcements.mornings(subscription.id, 2, before=before)
        since = window(subscription, [one.made_at for one in latest])
        return await self._feeds.entries_since(subscription.sources, since or _EVER, _MOST_ENTRIES)

    async def undigested(self, subscription: Subscription) -> list[Entry]:
        """Entries whose digest in the language that is wanted has not been made; none where the
        model does not write it."""
        language = subscription.language
        if language == "auto" or language not in self._digester.engine.writes:
            return []
        found = []
        for entry in await self.entries(subscription):
            record = await self._record(entry, language)
            if record is not None and record.details.language != language:
                found.append(entry)
        return found

    async def _record(self, entry: Entry, language: OutputLanguage) -> DigestRecord | None:
        if language != "auto":
            article = await self._articles.read_at(entry.link, _EVER)
            if article is not None:
                wanted = self._digester.digest_id(article, language)
                found = await self._digests.get(wanted)
                if found is not None:
                    return found
        return None if entry.digest_id is None else await self._digests.get(entry.digest_id)

    # --- saying

    async def say(self, announcement_id: str) -> None:
        """Raises ChatFailed with its kin."""
        announcement = await self._announcements.get(announcement_id)
        if announcement is not None:
            await self._outbox.show(announcement_id, await self._shown(announcement))

    async def accept(self, announcement_id: str, number: int) -> Plain | None:
        """A delivery of one listed digest, in the thread of the list."""
        announcement = await self._announcements.get(announcement_id)
        if announcement is None or announcement.reply is None:
            return None
        subscription = await self._subscriptions.get(announcement.subscription_id)
        if subscription is None:
            return None
        told = announcement.posted[number]
        chat = self._chats[subscription.place.platform]
        place, message = chat.beneath(subscription.place, announcement.reply)
        shared = SharedLink(
            told.link,
            place,
            message,
            by=subscription.by,
            language=subscription.language,
            ui=subscription.ui,
            nonce=f"{DAILY}{announcement.day.isoformat()}",
        )
        delivery, _ = await self._deliveries.accept(shared)
        return {"platform": place.platform, "delivery": delivery.id, "digest": told.digest_id}

    async def give_up(self, subscription_id: str, source_id: str) -> Plain | None:
        """The announcement that a feed of a subscription is not asked any more."""
        subscription = await self._subscriptions.get(subscription_id)
        source = await self._feeds.get(source_id)
        if subscription is None or source is None or source.state != "gone":
            return None
        now = self._now()
        made = Announcement(
            id=gone_id(subscription_id, source_id, source.worked_at),
            subscription_id=subscription_id,
            kind="gone",
            day=now.astimezone(zone_of(subscription.timezone)).date(),
            made_at=now,
            about=source_id,
        )
        kept = await self._announcements.keep(made)
        return None if kept is None else self._outline(kept, subscription)

    # --- what became of an entry

    async def digested(self, entry_id: str, digest_id: str) -> None:
        await self._feeds.digested(entry_id, digest_id=digest_id)

    async def not_digested(self, entry_id: str, error: str) -> None:
        await self._feeds.digested(entry_id, error=error)

    async def _shown(self, announcement: Announcement) -> Unprompted:
        subscription_id = announcement.subscription_id
        if announcement.kind == "nothing":
            return NothingNew(subscription_id, announcement.day)
        if announcement.kind == "gone":
            source = await self._feeds.get(announcement.about)
            title, url = (source.title, source.url) if source is not None else ("", "")
            error = source.error if source is not None else ""
            return GivenUp(subscription_id, title, url, error)
        listed = [
            telling.listed(told, await self._digests.get(told.digest_id))
            for told in announcement.posted
        ]
        return Morning(subscription_id, announcement.day, tuple(listed))

    def _outline(self, kept: Announcement, subscription: Subscription) -> Plain:
        """What a workflow has to know of it. On this machine nobody is told anything: it is there
        when somebody looks."""
        told = not kept.silent and subscription.place.platform != "local"
        return {"id": kept.id, "said": told, "count": len(kept.posted)}


class _AnnouncementsAsDeliveries:
    """The `Ledger` in which it stands whether an announcement was said."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        announcements: Announcements,
        chats: Mapping[str, Chat],
    ) -> None:
        self._subscriptions = subscriptions
        self._announcements = announcements
        self._chats = chats

    async def get(self, announcement_id: str, /) -> Delivery | None:
        announcement = await self._announcements.get(announcement_id)
        if announcement is None:
            return None
        subscription = await self._subscriptions.get(announcement.subscription_id)
        if subscription is None:
            return None
        platform = subscription.place.platform
        chat = self._chats.get(platform)
        if chat is None:
            raise ChatFailed(platform, "this process does not speak with it")
        shared = SharedLink(
            link="",
            place=subscription.place,
            message=chat.unprompted(announcement.made_at, announcement_id),
            by=subscription.by,
            ui=subscription.ui,
        )
        return Delivery(
            id=announcement.id,
            shared=shared,
            canonical="",
            state="waiting",
            turn=0,
            accepted_at=announcement.made_at,
            reply=announcement.reply,
            tried_by=announcement.tried_by,
            tried_at=announcement.tried_at,
        )

    async def claim(self, announcement_id: str, by: str, /, *, settled_before: datetime) -> bool:
        return await self._announcements.claim(announcement_id, by, settled_before=settled_before)

    async def replied(self, announcement_id: str, reply: str, /) -> None:
        await self._announcements.replied(announcement_id, reply)
