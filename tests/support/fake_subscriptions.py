"""Subscriptions and announcements in memory; they run through the same contract as the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from support.fakes import Clock, utc_now

from core.announcements import Announcement
from core.feed import Subscription
from core.places import Place

PLACE = Place("slack", "T1", "C1")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_subscription(id: str = "s1", **changes: Any) -> Subscription:
    """Everything each day at eight in Seoul, for one channel."""
    values: dict[str, Any] = {
        "place": PLACE,
        "by": "U1",
        "sources": (),
        "at": time(8),
        "timezone": "Asia/Seoul",
        "secret": f"secret-of-{id}",
        "created_at": LONG_AGO,
    }
    return Subscription(id=id, **(values | changes))


class FakeSubscriptions:
    """`announcements`, where it is given, loses those of a subscription that is removed."""

    def __init__(
        self, now: Clock = utc_now, announcements: FakeAnnouncements | None = None
    ) -> None:
        self.kept: dict[str, Subscription] = {}
        self._now = now
        self._announcements = announcements
        if announcements is not None:
            announcements.subscriptions = self.kept

    async def put(self, subscription: Subscription) -> None:
        known = self.kept.get(subscription.id)
        self.kept[subscription.id] = replace(
            subscription,
            sources=tuple(sorted(set(subscription.sources))),
            created_at=known.created_at if known else subscription.created_at or self._now(),
            secret=known.secret if known else subscription.secret,
        )

    async def get(self, subscription_id: str) -> Subscription | None:
        return self.kept.get(subscription_id)

    async def of(self, place: Place) -> list[Subscription]:
        channel = replace(place, thread=None)
        return [one for one in await self.all() if replace(one.place, thread=None) == channel]

    async def all(self) -> list[Subscription]:
        return sorted(self.kept.values(), key=lambda one: (one.created_at or LONG_AGO, one.id))

    async def of_secret(self, secret: str) -> Subscription | None:
        return next((one for one in self.kept.values() if one.secret == secret), None)

    async def pause(self, subscription_id: str, paused: bool) -> bool:
        known = self.kept.get(subscription_id)
        if known is not None:
            self.kept[subscription_id] = replace(known, paused=paused)
        return known is not None

    async def remove(self, subscription_id: str) -> bool:
        if self._announcements is not None:
            self._announcements.forget(subscription_id)
        return self.kept.pop(subscription_id, None) is not None


class FakeAnnouncements:
    """Announcements by their id."""

    def __init__(self, now: Clock = utc_now) -> None:
        self.kept: dict[str, Announcement] = {}
        self.subscriptions: Mapping[str, Subscription] | None = None
        self._now = now

    async def keep(self, announcement: Announcement) -> Announcement | None:
        if self.subscriptions is not None and (
            announcement.subscription_id not in self.subscriptions
        ):
            return None
        return self.kept.setdefault(announcement.id, announcement)

    async def get(self, announcement_id: str) -> Announcement | None:
        return self.kept.get(announcement_id)

    async def mornings(
        self, subscription_id: str, limit: int, *, before: date | None = None
    ) -> list[Announcement]:
        found = [
            one
            for one in self._mornings()
            if one.subscription_id == subscription_id and (before is None or one.day < before)
        ]
        return sorted(found, key=lambda one: one.day, reverse=True)[:limit]

    async def latest(self) -> Mapping[str, date]:
        found: dict[str, date] = {}
        for one in self._mornings():
            found[one.subscription_id] = max(one.day, found.get(one.subscription_id, one.day))
        return found

    async def posted(self, subscription_id: str) -> frozenset[str]:
        mine = (one for one in self.kept.values() if one.subscription_id == subscription_id)
        return frozenset(key for one in mine for told in one.posted for key in told.keys)

    async def known(self, ids: Collection[str]) -> frozenset[str]:
        return frozenset(self.kept.keys() & set(ids))

    async def claim(self, announcement_id: str, by: str, *, settled_before: datetime) -> bool:
        known = self.kept.get(announcement_id)
        if known is None or known.reply is not None:
            return False
        if known.tried_by not in (None, by) and (known.tried_at or settled_before) > settled_before:
            return False
        self.kept[announcement_id] = replace(known, tried_by=by, tried_at=self._now())
        return True

    async def replied(self, announcement_id: str, reply: str) -> None:
        if (known := self.kept.get(announcement_id)) is not None:
            self.kept[announcement_id] = replace(known, reply=reply)

    def forget(self, subscription_id: str) -> None:
        mine = [one.id for one in self.kept.values() if one.subscription_id == subscription_id]
        for announcement_id in mine:
            del self.kept[announcement_id]

    def _mornings(self) -> list[Announcement]:
        return [one for one in self.kept.values() if one.kind in ("daily", "nothing")]
