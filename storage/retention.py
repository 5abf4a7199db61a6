"""What is old enough goes (core.settings.RetentionSettings), a bounded batch at a time, so that
nobody waits long for their turn to write."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.settings import RetentionSettings
from storage.feeds import delete_feeds
from storage.orphans import (
    BATCH,
    UNREAD,
    delete_articles,
    delete_digests,
    delete_rows,
)
from storage.statements import utc_now
from storage.tables import (
    AnnouncementRow,
    ArticleRow,
    DeliveryRow,
    DigestRow,
    EventRow,
    ExplainedTermRow,
    FeedEntryRow,
    FeedKeyRow,
    FeedRow,
    PostedRow,
    ReadingRow,
    SubscriptionFeedRow,
)
from storage.trouble import writing

# A key is marked as seen once a day at most (`storage/feeds.py`).
_NOT_SEEN = timedelta(days=2)

log = logging.getLogger(__name__)

# Deletes at most so many of what is older than that moment; says what is gone.
Rule = Callable[[AsyncConnection, datetime, int], Awaitable[Counter[str]]]


async def sweep(
    engine: AsyncEngine,
    retention: RetentionSettings,
    now: Callable[[], datetime] = utc_now,
    *,
    batch: int = BATCH,
) -> Mapping[str, int]:
    """Rows deleted, by table. Raises StorageUnavailable; what is left then goes the next time."""
    rules: list[tuple[int, Rule]] = [
        (retention.events, _events),
        (retention.deliveries, _deliveries),
        (retention.deliveries, _terms),
        (retention.deliveries, _announcements),
        (retention.feeds, _entries),
        (retention.feeds, _keys),
        (retention.feeds, _feeds),
        (retention.articles, _digests),
        (retention.articles, _articles),
    ]
    gone: Counter[str] = Counter()
    for days, rule in rules:
        if days:
            gone += await _to_the_end(engine, rule, now() - timedelta(days=days), batch)
    if gone:
        log.info("old enough to go: %s", ", ".join(f"{n} {name}" for name, n in gone.items()))
    return gone


async def _to_the_end(
    engine: AsyncEngine, rule: Rule, before: datetime, batch: int
) -> Counter[str]:
    gone: Counter[str] = Counter()
    while True:
        async with writing(engine) as connection:
            some = await rule(connection, before, batch)
        if not some.total():
            return gone
        gone += some


async def _events(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    key = tuple_(EventRow.platform, EventRow.workspace, EventRow.event)
    old = select(EventRow.platform, EventRow.workspace, EventRow.event)
    some = old.where(EventRow.seen_at < before).limit(batch)
    return Counter(events=await delete_rows(connection, EventRow, key.in_(some)))


async def _deliveries(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    """Not the waiting ones, however old: they were promised an answer."""
    ended = DeliveryRow.state != "waiting"
    old = select(DeliveryRow.id).where(DeliveryRow.accepted_at < before, ended).limit(batch)
    return Counter(deliveries=await delete_rows(connection, DeliveryRow, DeliveryRow.id.in_(old)))


async def _announcements(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    """After so long no feed announces again what is forgotten with them."""
    old = select(AnnouncementRow.id).where(AnnouncementRow.made_at < before)
    ids = await _some(connection, old, batch)
    return Counter(
        posted=await delete_rows(connection, PostedRow, PostedRow.announcement_id.in_(ids)),
        announcements=await delete_rows(connection, AnnouncementRow, AnnouncementRow.id.in_(ids)),
    )


async def _terms(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    old = select(ExplainedTermRow.id).where(ExplainedTermRow.at < before).limit(batch)
    wanted = ExplainedTermRow.id.in_(old)
    return Counter(explained_terms=await delete_rows(connection, ExplainedTermRow, wanted))


async def _entries(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    """What a feed announced stays known by its keys, so that it is not new again."""
    some = select(FeedEntryRow.id).where(FeedEntryRow.found_at < before).limit(batch)
    wanted = FeedEntryRow.id.in_(await _ids(connection, some))
    return Counter(feed_entries=await delete_rows(connection, FeedEntryRow, wanted))


async def _keys(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    """What did not stand in the feed any more when it was last read. A feed that never changes is
    not read again, and keeps what it has."""
    feed = FeedRow.id == FeedKeyRow.feed_id
    old = select(FeedKeyRow.key, FeedKeyRow.feed_id).join(FeedRow, feed)
    some = old.where(FeedKeyRow.seen_at < before, FeedRow.changed_at >= before + _NOT_SEEN)
    found = (await connection.execute(some.limit(batch))).all()
    wanted = tuple_(FeedKeyRow.key, FeedKeyRow.feed_id).in_([tuple(row) for row in found])
    return Counter(feed_keys=await delete_rows(connection, FeedKeyRow, wanted) if found else 0)


async def _feeds(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    """Those that are not asked any more and that nobody subscribes to."""
    read = exists().where(SubscriptionFeedRow.feed_id == FeedRow.id)
    still = select(FeedRow.id).where(FeedRow.state != "alive", FeedRow.next_at < before, ~read)
    return Counter(await delete_feeds(connection, await _ids(connection, still.limit(batch))))


async def _ids(connection: AsyncConnection, wanted: Select[str]) -> list[str]:
    return list((await connection.execute(wanted)).scalars())


async def _digests(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    since = exists().where(DeliveryRow.digest_id == DigestRow.id, DeliveryRow.accepted_at >= before)
    old = select(DigestRow.id).where(DigestRow.created_at < before, ~since)
    return await delete_digests(connection, await _some(connection, old, batch))


async def _articles(connection: AsyncConnection, before: datetime, batch: int) -> Counter[str]:
    since = exists().where(
        ReadingRow.content_hash == ArticleRow.content_hash, ReadingRow.read_at >= before
    )
    old = select(ArticleRow.content_hash).where(ArticleRow.fetched_at < before, ~since, UNREAD)
    return await delete_articles(connection, await _some(connection, old, batch))


async def _some(connection: AsyncConnection, wanted: Select[str], batch: int) -> list[str]:
    return list((await connection.execute(wanted.limit(batch))).scalars())
