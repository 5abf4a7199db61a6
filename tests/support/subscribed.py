"""Subscriptions in memory with everything around them, for surfaces under test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from support.builders import a_record
from support.fake_subscriptions import FakeAnnouncements, FakeSubscriptions
from support.fakes import FakeDigests
from support.feeds import FakeFeeds

from bot.subscribing import Subscribing
from core.announcements import Announcement, Posted, morning_id
from core.errors import NotFound
from core.feed import FoundFeed
from core.places import Place

FEED = "https://blog.example.com/feed.xml"
SITE = "https://blog.example.com/"
DAY = date(2026, 11, 26)


class Found:
    """Knows one site with two feeds, and the feeds in `known`, by address with their title;
    `asked` are the addresses that were looked at."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known: dict[str, str] = {FEED: "Pools & Queues"}

    async def __call__(self, address: str) -> Sequence[FoundFeed]:
        self.asked.append(address)
        if address in self.known:
            return [FoundFeed(address, self.known[address], SITE)]
        if address.rstrip("/") == SITE.rstrip("/"):
            return [FoundFeed(FEED, "Pools & Queues", SITE), FoundFeed(f"{SITE}all.xml")]
        raise NotFound(address, "404")


class SubscribedWorld:
    def __init__(self, public_url: str = "") -> None:
        self.announcements = FakeAnnouncements()
        self.subscriptions = FakeSubscriptions(announcements=self.announcements)
        self.feeds = FakeFeeds()
        self.found = Found()
        self.subscribing = Subscribing(
            self.subscriptions, self.announcements, self.feeds, self.found, public_url=public_url
        )

    async def subscribed(self, place: Place, **form: str) -> str:
        """The id of a new subscription."""
        given = {"sources": FEED, "timezone": "Asia/Seoul", **form}
        done = await self.subscribing.subscribe(place, "U1", given, ui="en")
        return done.subscription.id

    async def a_morning(
        self, subscription_id: str, digests: FakeDigests, *, title: str = "Pools, measured"
    ) -> Announcement:
        record = a_record()
        await digests.add(record, content_hash="0" * 64)
        [source] = self.feeds.sources.values()
        posted = Posted(
            identity="identity",
            link="https://blog.example.com/pools",
            title=title,
            source="Pools & Queues",
            digest_id=record.id,
            score=2.5,
            source_id=source.id,
        )
        made = Announcement(
            morning_id(subscription_id, DAY),
            subscription_id,
            "daily",
            DAY,
            datetime(2026, 11, 25, 23, tzinfo=UTC),
            (posted,),
        )
        kept = await self.announcements.keep(made)
        assert kept is not None
        return kept
