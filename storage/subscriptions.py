"""Who wants a daily digest of what: `core.ports.Subscriptions` on SQLAlchemy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.feed import Subscription
from core.places import Place, Platform
from storage import statements
from storage.orphans import batches, delete_rows
from storage.statements import utc_now
from storage.tables import AnnouncementRow, PostedRow, SubscriptionFeedRow, SubscriptionRow
from storage.trouble import reading, writing

_table = SubscriptionRow.__table__


class SqlSubscriptions:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def put(self, subscription: Subscription) -> None:
        values = subscription_values(subscription, self._now())
        read = [
            {"subscription_id": subscription.id, "feed_id": source}
            for source in dict.fromkeys(subscription.sources)
        ]
        async with writing(self._engine) as connection:
            await statements.put(connection, SubscriptionRow, values, keep=("created_at", "secret"))
            mine = SubscriptionFeedRow.subscription_id == subscription.id
            await delete_rows(connection, SubscriptionFeedRow, mine)
            if read:
                await connection.execute(insert(SubscriptionFeedRow), read)

    async def get(self, subscription_id: str) -> Subscription | None:
        return await self._first(SubscriptionRow.id == subscription_id)

    async def of(self, place: Place) -> list[Subscription]:
        return await self._found(
            SubscriptionRow.platform == place.platform,
            SubscriptionRow.workspace == place.workspace,
            SubscriptionRow.channel == place.channel,
        )

    async def all(self) -> list[Subscription]:
        return await self._found()

    async def of_secret(self, secret: str) -> Subscription | None:
        return await self._first(SubscriptionRow.secret == secret)

    async def pause(self, subscription_id: str, paused: bool) -> bool:
        change = update(SubscriptionRow).where(SubscriptionRow.id == subscription_id)
        async with writing(self._engine) as connection:
            done = await connection.execute(change.values(paused=paused))
        return done.rowcount == 1

    async def remove(self, subscription_id: str) -> bool:
        async with writing(self._engine) as connection:
            return bool(
                (await delete_subscriptions(connection, [subscription_id]))["subscriptions"]
            )

    async def _first(self, condition: ColumnElement[bool]) -> Subscription | None:
        found = await self._found(condition)
        return found[0] if found else None

    async def _found(self, *conditions: ColumnElement[bool]) -> list[Subscription]:
        wanted = select(_table).where(*conditions)
        async with reading(self._engine) as connection:
            in_order = wanted.order_by(SubscriptionRow.created_at, SubscriptionRow.id)
            rows = (await connection.execute(in_order)).all()
            sources = await _sources(connection, [row.id for row in rows])
        return [subscription_of(row, sources[row.id]) for row in rows]


async def _sources(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for some in batches(ids):
        read = select(SubscriptionFeedRow.subscription_id, SubscriptionFeedRow.feed_id)
        mine = read.where(SubscriptionFeedRow.subscription_id.in_(some))
        for one in await connection.execute(mine.order_by(SubscriptionFeedRow.feed_id)):
            found[one.subscription_id].append(one.feed_id)
    return found


async def delete_subscriptions(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """With all that was announced for them; rows by table."""
    tables: tuple[tuple[type[Any], Any], ...] = (
        (PostedRow, PostedRow.subscription_id),
        (AnnouncementRow, AnnouncementRow.subscription_id),
        (SubscriptionFeedRow, SubscriptionFeedRow.subscription_id),
        (SubscriptionRow, SubscriptionRow.id),
    )
    gone: dict[str, int] = {table.__tablename__: 0 for table, _ in tables}
    for some in batches(ids):
        for table, column in tables:
            gone[table.__tablename__] += await delete_rows(connection, table, column.in_(some))
    return gone


def subscription_values(subscription: Subscription, now: datetime) -> dict[str, Any]:
    place, quiet = subscription.place, subscription.quiet
    return {
        "id": subscription.id,
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": place.thread,
        "by": subscription.by,
        "low": subscription.low,
        "high": subscription.high,
        "language": subscription.language,
        "ui": subscription.ui,
        "include": list(subscription.include),
        "avoid": list(subscription.avoid),
        "at": clock(subscription.at),
        "timezone": subscription.timezone,
        "days": sorted(subscription.days),
        "size": subscription.size,
        "quiet_from": None if quiet is None else clock(quiet[0]),
        "quiet_until": None if quiet is None else clock(quiet[1]),
        "say_nothing_new": subscription.say_nothing_new,
        "paused": subscription.paused,
        "secret": subscription.secret,
        "created_at": subscription.created_at or now,
    }


def subscription_of(row: Row[Any], sources: Sequence[str]) -> Subscription:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_until)
    return Subscription(
        id=row.id,
        place=Place(cast("Platform", row.platform), row.workspace, row.channel, row.thread),
        by=row.by,
        sources=tuple(sources),
        low=row.low,
        high=row.high,
        language=row.language,
        ui=row.ui,
        include=tuple(row.include),
        avoid=tuple(row.avoid),
        at=time.fromisoformat(row.at),
        timezone=row.timezone,
        days=frozenset(row.days),
        size=row.size,
        quiet=quiet,
        say_nothing_new=row.say_nothing_new,
        paused=row.paused,
        secret=row.secret,
        created_at=row.created_at,
    )


def clock(moment: time) -> str:
    return moment.strftime("%H:%M")
