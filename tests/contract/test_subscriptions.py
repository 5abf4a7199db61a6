"""What every keeper of subscriptions and announcements must do, in memory and in databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.fake_subscriptions import (
    PLACE,
    FakeAnnouncements,
    FakeSubscriptions,
    a_subscription,
)

from core.announcements import Announcement, Posted, morning_id
from core.places import Place
from core.ports import Announcements, Subscriptions
from storage.announcements import SqlAnnouncements
from storage.articles import hash_of
from storage.feeds import SqlFeeds
from storage.subscriptions import SqlSubscriptions

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
FEEDS = ("https://one.example/feed", "https://two.example/feed")
F1, F2 = sorted(map(hash_of, FEEDS))
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Kept:
    subscriptions: Subscriptions
    announcements: Announcements
    now: Time


@pytest.fixture
async def kept(keeper: AsyncEngine | None) -> Kept:
    now = Time()
    if keeper is None:
        announcements = FakeAnnouncements(now)
        return Kept(FakeSubscriptions(now, announcements), announcements, now)
    await _feeds(keeper)
    return Kept(SqlSubscriptions(keeper, now), SqlAnnouncements(keeper, now), now)


async def _feeds(engine: AsyncEngine) -> None:
    """Sources that subscriptions may name."""
    for url in FEEDS:
        await SqlFeeds(engine).add(url)


def a_morning(
    day: date = WEDNESDAY, subscription: str = "s1", *posted: Posted, **changes: object
) -> Announcement:
    made = Announcement(morning_id(subscription, day), subscription, "daily", day, NOW, posted)
    return replace(made, **changes)  # type: ignore[arg-type]


def a_posted(name: str = "pools") -> Posted:
    return Posted(name, f"https://a.example/{name}", f"제목 {name}", "블로그", f"d-{name}", 3.5)


async def test_everything_of_a_subscription_comes_back(kept: Kept) -> None:
    full = a_subscription(
        place=Place("discord", "G1", "C9", "T9"),
        sources=(F1, F2),
        low=2.0,
        high=3.5,
        language="ko",
        ui="ko",
        include=("쿠버네티스", "go"),
        avoid=("광고",),
        at=time(7, 30),
        timezone="Australia/Lord_Howe",
        days=frozenset({0, 2, 4}),
        size=7,
        quiet=(time(22), time(6, 30)),
        say_nothing_new=True,
        paused=True,
    )
    await kept.subscriptions.put(full)
    assert await kept.subscriptions.get("s1") == full
    assert await kept.subscriptions.get("s2") is None


async def test_a_change_keeps_its_beginning_and_its_address(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription(sources=(F1,)))
    changed = a_subscription(sources=(F2,), size=9, secret="another", created_at=NOW)
    await kept.subscriptions.put(changed)
    found = await kept.subscriptions.get("s1")
    assert found == a_subscription(sources=(F2,), size=9)


async def test_one_without_a_beginning_begins_now(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription(created_at=None))
    found = await kept.subscriptions.get("s1")
    assert found is not None
    assert found.created_at == NOW + timedelta(seconds=1)


async def test_a_channel_has_its_own_in_the_order_of_their_making(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription("s2", created_at=NOW))
    await kept.subscriptions.put(a_subscription("s1", created_at=NOW + timedelta(days=1)))
    await kept.subscriptions.put(a_subscription("s3", place=Place("slack", "T1", "C2")))
    await kept.subscriptions.put(a_subscription("s4", place=Place("discord", "T1", "C1")))
    found = await kept.subscriptions.of(replace(PLACE, thread="a thread"))
    assert [one.id for one in found] == ["s2", "s1"]
    assert {one.id for one in await kept.subscriptions.all()} == {"s1", "s2", "s3", "s4"}


async def test_a_secret_address_leads_to_its_subscription_only(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription("s1"))
    await kept.subscriptions.put(a_subscription("s2"))
    found = await kept.subscriptions.of_secret("secret-of-s2")
    assert found == a_subscription("s2")
    assert await kept.subscriptions.of_secret("SECRET-OF-S2") is None
    assert await kept.subscriptions.of_secret("") is None


async def test_pausing_and_removing_say_whether_there_was_one(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription(sources=(F1,)))
    await kept.announcements.keep(a_morning(WEDNESDAY, "s1", a_posted()))
    assert await kept.subscriptions.pause("s1", True) is True
    assert await kept.subscriptions.get("s1") == a_subscription(sources=(F1,), paused=True)
    assert await kept.subscriptions.pause("s2", True) is False
    assert await kept.subscriptions.remove("s1") is True
    assert await kept.subscriptions.remove("s1") is False
    assert await kept.subscriptions.all() == []
    assert await kept.announcements.latest() == {}
    assert await kept.announcements.posted("s1") == frozenset()


async def test_a_morning_is_kept_once_whoever_makes_it(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription())
    first = a_morning(WEDNESDAY, "s1", a_posted("one"), a_posted("two"))
    second = a_morning(WEDNESDAY, "s1", a_posted("three"), kind="nothing", silent=True)
    assert await kept.announcements.keep(first) == first
    assert await kept.announcements.keep(second) == first
    assert await kept.announcements.get(first.id) == first
    assert await kept.announcements.posted("s1") == a_posted("one").keys | a_posted("two").keys


async def test_many_who_make_the_same_morning_at_once_all_get_one(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription())
    made = [a_morning(WEDNESDAY, "s1", a_posted(f"n{number}")) for number in range(8)]
    found = await asyncio.gather(*(kept.announcements.keep(one) for one in made))
    assert len({one.posted for one in found if one is not None}) == 1
    assert None not in found
    assert len(await kept.announcements.posted("s1")) == 3


async def test_nothing_is_kept_for_a_subscription_that_is_gone(kept: Kept) -> None:
    assert await kept.announcements.keep(a_morning()) is None
    assert await kept.announcements.get(a_morning().id) is None


async def test_mornings_come_newest_first_and_page_by_page(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription())
    days = [WEDNESDAY - timedelta(days=back) for back in (3, 0, 1, 2)]
    for day in days:
        await kept.announcements.keep(a_morning(day, "s1", a_posted(day.isoformat())))
    gone = a_morning(kind="gone", id="g", about=F1, day=WEDNESDAY + timedelta(days=1))
    await kept.announcements.keep(gone)
    newest = await kept.announcements.mornings("s1", 2)
    assert [one.day for one in newest] == [WEDNESDAY, TUESDAY]
    older = await kept.announcements.mornings("s1", 9, before=TUESDAY)
    assert [one.day for one in older] == sorted(days)[:2][::-1]
    assert older[0].posted == (a_posted(older[0].day.isoformat()),)
    assert await kept.announcements.latest() == {"s1": WEDNESDAY}
    assert await kept.announcements.known([gone.id, "x"]) == {gone.id}


async def claims(kept: Kept, by: str, settled: Callable[[datetime], datetime]) -> bool:
    before = settled(kept.now.now)
    return await kept.announcements.claim(a_morning().id, by, settled_before=before)


async def test_a_claim_is_one_processs_until_it_is_settled(kept: Kept) -> None:
    await kept.subscriptions.put(a_subscription())
    await kept.announcements.keep(a_morning())
    assert await claims(kept, "p1", lambda now: now - timedelta(minutes=1))
    assert await claims(kept, "p1", lambda now: now - timedelta(minutes=1))
    assert not await claims(kept, "p2", lambda now: now - timedelta(minutes=1))
    assert await claims(kept, "p2", lambda now: now + timedelta(minutes=1))
    await kept.announcements.replied(a_morning().id, "C1:1.0")
    assert not await claims(kept, "p2", lambda now: now + timedelta(minutes=1))
    found = await kept.announcements.get(a_morning().id)
    assert found is not None
    assert (found.reply, found.tried_by) == ("C1:1.0", "p2")
