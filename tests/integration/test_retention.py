"""What is old enough goes, what is not stays, in batches of any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_record, a_shared_link, an_article
from support.fake_subscriptions import a_subscription
from support.feeds import an_announced

from core.announcements import Announcement, Posted
from core.settings import RetentionSettings
from storage.announcements import SqlAnnouncements
from storage.articles import SqlArticles
from storage.database import open_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.feeds import SqlFeeds
from storage.retention import sweep
from storage.subscriptions import SqlSubscriptions
from storage.tables import Base, ExplainedTermRow

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
KEEP = RetentionSettings(articles=30, deliveries=365, events=2, workflows=7)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
async def engine(fresh_database: URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(fresh_database) as engine:
        yield engine


async def swept(engine: AsyncEngine, batch: int = 500, **changes: int) -> dict[str, int]:
    settings = KEEP.model_copy(update=changes)
    return dict(await sweep(engine, settings, lambda: NOW, batch=batch))


async def count(engine: AsyncEngine, table: str) -> int:
    async with engine.connect() as connection:
        wanted = select(func.count()).select_from(Base.metadata.tables[table])
        return (await connection.execute(wanted)).scalar_one()


async def test_old_mornings_go_with_what_they_listed_and_their_subscription_stays(
    engine: AsyncEngine,
) -> None:
    subscriptions, announcements = SqlSubscriptions(engine), SqlAnnouncements(engine)
    await subscriptions.put(a_subscription())
    told = Posted("i", "https://a.example/", "t", "s", "d", 2.5)
    for days in (400, 366, 2):
        at = days_ago(days)
        made = Announcement(f"day-{days}", "s1", "daily", at.date(), at, (told, told))
        await announcements.keep(made)
    assert await swept(engine, 1) == {"announcements": 2, "posted": 4}
    [left] = await announcements.mornings("s1", 9)
    assert (left.id, len(left.posted)) == ("day-2", 2)
    assert await subscriptions.get("s1") is not None


@pytest.mark.parametrize("batch", [1, 3, 500])
async def test_old_events_go(engine: AsyncEngine, batch: int) -> None:
    for number in range(7):
        at = days_ago(3 if number < 5 else 1)
        await SqlDeliveries(engine, lambda at=at: at).seen("slack", "T1", f"Ev{number}")  # type: ignore[misc]
    assert await swept(engine, batch) == {"events": 5}
    assert await SqlDeliveries(engine).seen("slack", "T1", "Ev6") is True
    assert await SqlDeliveries(engine).seen("slack", "T1", "Ev0") is False


async def test_old_deliveries_go_but_never_the_waiting_ones(engine: AsyncEngine) -> None:
    old, new = SqlDeliveries(engine, lambda: days_ago(366)), SqlDeliveries(engine, lambda: NOW)
    waiting, _ = await old.accept(a_shared_link(message="1"))
    failed, _ = await old.accept(a_shared_link(message="2"))
    fresh, _ = await new.accept(a_shared_link(message="3"))
    for one in (failed, fresh):
        await new.failed(one.id, "failed")
    assert await swept(engine) == {"deliveries": 1}
    assert await new.get(failed.id) is None
    assert await new.get(waiting.id) == waiting
    assert await new.get(fresh.id) is not None


async def test_explained_terms_go_with_the_deliveries_of_their_time(engine: AsyncEngine) -> None:
    where = {"platform": "slack", "workspace": "T1", "channel": "C1", "by": "U1", "language": "en"}
    async with engine.begin() as connection:
        for days in (1, 366):
            row = {**where, "term": "quorum", "at": days_ago(days)}
            await connection.execute(insert(ExplainedTermRow), row)
    assert await swept(engine) == {"explained_terms": 1}


async def keep_digest(engine: AsyncEngine, name: str, days: float) -> str:
    def then() -> datetime:
        return days_ago(days)

    article = an_article(content=f"about {name}")
    text = await SqlArticles(engine, then).put(article, link=f"https://a.example/{name}")
    await SqlDigests(engine, then).add(a_record(id=name), content_hash=text)
    await SqlDigests(engine, then).add_verdict(name, "good", by="page")
    return text


@pytest.mark.parametrize("batch", [1, 500])
async def test_digests_and_articles_that_nobody_shared_since_go(
    engine: AsyncEngine, batch: int
) -> None:
    for name, days in {"old": 31, "older": 90, "new": 29, "shared": 90, "shared-once": 90}.items():
        await keep_digest(engine, name, days)
    for name, days in {"shared": 3, "shared-once": 80}.items():
        deliveries = SqlDeliveries(engine, lambda days=days: days_ago(days))  # type: ignore[misc]
        delivery, _ = await deliveries.accept(a_shared_link(message=name))
        await deliveries.answered(delivery.id, name)
    assert await swept(engine, batch) == {
        "digests": 3,
        "verdicts": 3,
        "articles": 3,
        "readings": 3,
    }
    assert {record.id for record in await SqlDigests(engine).recent(9)} == {"new", "shared"}


async def test_an_article_read_again_stays(engine: AsyncEngine) -> None:
    await keep_digest(engine, "old", 90)
    text = await SqlArticles(engine, lambda: days_ago(1)).put(
        an_article(content="about old"), link="https://b.example/"
    )
    assert await swept(engine) == {"digests": 1, "verdicts": 1}
    assert await SqlArticles(engine).get(text) is not None


async def test_nought_days_keep_for_ever(engine: AsyncEngine) -> None:
    await keep_digest(engine, "old", 4000)
    old = SqlDeliveries(engine, lambda: days_ago(4000))
    delivery, _ = await old.accept(a_shared_link())
    await old.answered(delivery.id, "old")
    assert await swept(engine, articles=0, deliveries=0) == {}
    assert await count(engine, "articles") == 1


async def a_read_feed(feeds: SqlFeeds, at: datetime, *numbers: int) -> None:
    """As the poller leaves a feed in which these entries stood at that moment."""
    source = await feeds.add("https://blog.example/feed")
    known = await feeds.get(source.id)
    assert known is not None
    await feeds.due(max(at, known.next_at or at), 1, by="p1", lease=60)
    kept = replace(known, polled_at=at, worked_at=at, changed_at=at, next_at=at)
    announced = [an_announced(number, published_at=at) for number in numbers]
    await feeds.polled(kept, announced, by="p1")


async def test_what_feeds_announced_long_ago_goes_and_is_still_known(engine: AsyncEngine) -> None:
    feeds = SqlFeeds(engine, lambda: days_ago(120))
    await a_read_feed(feeds, days_ago(120), 1, 2)
    await a_read_feed(feeds, days_ago(1), 2, 3)
    # Two entries of 120 days ago; the three keys of the one that is not in the feed any more.
    assert await swept(engine, batch=1, feeds=90) == {"feed_entries": 2, "feed_keys": 3}
    assert [entry.title for entry in await feeds.waiting(9)] == ["Post number 3"]
    await a_read_feed(feeds, NOW, 2, 3)
    assert len(await feeds.waiting(9)) == 1


async def test_a_feed_that_never_changes_keeps_what_it_has(engine: AsyncEngine) -> None:
    feeds = SqlFeeds(engine, lambda: days_ago(300))
    await a_read_feed(feeds, days_ago(300), 1, 2)
    assert await swept(engine, feeds=90) == {"feed_entries": 2}
    await a_read_feed(feeds, NOW, 1, 2)
    assert await feeds.waiting(9) == []


async def test_feeds_that_nobody_asks_or_reads_go(engine: AsyncEngine) -> None:
    feeds = SqlFeeds(engine, lambda: days_ago(100))
    await a_read_feed(feeds, days_ago(100), 1)
    [source] = await feeds.all()
    alive = await feeds.add("https://alive.example/feed")
    await feeds.pause(source.id)
    assert await swept(engine, feeds=90) == {"feed_entries": 1, "feeds": 1, "feed_keys": 3}
    assert await feeds.all() == [alive]
