"""Feeds and what they announced: `core.ports.Feeds` on SQLAlchemy.

A claim is a row's own: who is to ask a feed stands in it, with the moment until which that is
believed. Choosing and claiming is one transaction, in which no other process chooses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.article import Language
from core.feed import Announced, Entry, Source, SourceKind
from core.links import followable
from storage import statements
from storage.articles import hash_of
from storage.orphans import batches, delete_rows
from storage.polled import UNCLAIMED, UNDIGESTED, Polled, host_of, keep, source_values
from storage.statements import utc_now
from storage.tables import FeedEntryRow, FeedKeyRow, FeedRow, SubscriptionFeedRow
from storage.trouble import reading, writing

PER_HOST = 4  # of one host at a time: the others are not to wait behind a large one
_CLAIM_LOCK = 0x5D0D16E6  # PostgreSQL's advisory lock: one chooses at a time
_TOGETHER = 64  # sources that are kept in one transaction
_feeds = FeedRow.__table__
_entries = FeedEntryRow.__table__
# Spelled out in the statement instead of bound: only so is the index of the living ones used.
_ALIVE = FeedRow.state == literal("alive", literal_execute=True)


class SqlFeeds:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now
        self._waiting: list[Polled] = []
        self._turn = asyncio.Lock()
        self._keeping: set[asyncio.Task[dict[str, list[Entry]]]] = set()

    async def add(
        self,
        url: str,
        *,
        kind: SourceKind = "feed",
        title: str = "",
        site: str = "",
        language: Language | None = None,
    ) -> Source:
        link, now = followable(url), self._now()
        new = Source(hash_of(link), link, kind, title, site, language, next_at=now)
        async with writing(self._engine) as connection:
            known = _at(new.id, link)
            row = (await connection.execute(known)).one_or_none()
            if row is None:
                values = source_values(new, now) | _UNCLAIMED
                row = await statements.add(connection, FeedRow, values)
            # Where another process has added it in between, it is there now.
            row = row or (await connection.execute(known)).one()
            if row.state != "alive":
                row = (await connection.execute(_revived(row.id, now))).one()
        return source_of(row)

    async def get(self, source_id: str) -> Source | None:
        return next(iter(await self.of([source_id])), None)

    async def of(self, source_ids: Sequence[str]) -> list[Source]:
        found: dict[str, Source] = {}
        async with reading(self._engine) as connection:
            for some in batches(set(source_ids)):
                rows = await connection.execute(select(_feeds).where(FeedRow.id.in_(some)))
                found.update((row.id, source_of(row)) for row in rows)
        return [found[one] for one in dict.fromkeys(source_ids) if one in found]

    async def all(self, limit: int = 1000, *, after: str = "") -> list[Source]:
        wanted = select(_feeds).where(FeedRow.id > after).order_by(FeedRow.id).limit(limit)
        async with reading(self._engine) as connection:
            return [source_of(row) for row in await connection.execute(wanted)]

    async def pause(self, source_id: str) -> None:
        await self._change(source_id, state="paused")

    async def remove(self, source_id: str) -> None:
        async with writing(self._engine) as connection:
            await delete_feeds(connection, [source_id])

    async def due(self, now: datetime, limit: int, *, by: str, lease: float) -> list[Source]:
        busy = select(FeedRow.host).where(FeedRow.claimed_until > now)
        place = func.row_number().over(
            partition_by=FeedRow.host, order_by=(FeedRow.next_at, FeedRow.id)
        )
        ranked = (
            select(FeedRow.id, FeedRow.next_at, place.label("place"))
            .where(_ALIVE, FeedRow.next_at <= now, FeedRow.host.not_in(busy))
            .subquery()
        )
        chosen = select(ranked.c.id).where(ranked.c.place <= PER_HOST)
        chosen = chosen.order_by(ranked.c.next_at, ranked.c.id).limit(limit)
        claim = update(FeedRow).where(FeedRow.id.in_(chosen)).returning(_feeds)
        claim = claim.values(claimed_by=by, claimed_until=now + timedelta(seconds=lease))
        async with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CLAIM_LOCK})")
            rows = (await connection.execute(claim)).all()
        return [source_of(row) for row in sorted(rows, key=lambda row: (row.next_at, row.id))]

    async def release(self, by: str) -> None:
        change = update(FeedRow).where(FeedRow.claimed_by == by).values(UNCLAIMED)
        async with writing(self._engine) as connection:
            await connection.execute(change)

    async def next_due(self) -> datetime | None:
        wanted = select(func.min(FeedRow.next_at, type_=FeedRow.next_at.type))
        async with reading(self._engine) as connection:
            found = await connection.execute(wanted.where(_ALIVE, FeedRow.claimed_until.is_(None)))
        at: datetime | None = found.scalar_one_or_none()
        return at

    async def polled(
        self, source: Source, announced: Sequence[Announced], *, by: str
    ) -> list[Entry]:
        # Many feeds are asked at once, and a transaction for each would be most of the work: who
        # comes while one is being kept is kept with the next ones, all in one transaction.
        mine = Polled(source, tuple(announced), by, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        async with self._turn:
            while any(one is mine for one in self._waiting):
                await self._keep_waiting()
        return await mine.new

    async def _keep_waiting(self) -> None:
        some, self._waiting = _distinct(self._waiting)
        keeping = asyncio.create_task(self._kept(some))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        keeping.add_done_callback(lambda done: _tell(some, done))
        # Goes on if we are cancelled: there is others' news in it.
        await asyncio.wait({keeping})

    async def _kept(self, some: Sequence[Polled]) -> dict[str, list[Entry]]:
        async with writing(self._engine) as connection:
            return await keep(connection, some)

    async def entries_since(
        self, source_ids: Sequence[str], since: datetime, limit: int
    ) -> list[Entry]:
        ids = sorted(set(source_ids))
        earlier = _entries.alias()
        known = select(earlier.c.id).where(
            earlier.c.identity == FeedEntryRow.identity,
            earlier.c.feed_id.in_(ids),
            earlier.c.found_at <= since,
        )
        wanted = (FeedEntryRow.feed_id.in_(ids), FeedEntryRow.found_at > since, ~known.exists())
        return await self._newest(wanted, _entries.c.identity, limit)

    async def waiting(self, limit: int) -> list[Entry]:
        return await self._newest((UNDIGESTED,), _entries.c.link_hash, limit)

    async def digested(
        self, entry_id: str, *, digest_id: str | None = None, error: str | None = None
    ) -> None:
        link = select(FeedEntryRow.link_hash).where(FeedEntryRow.id == entry_id).limit(1)
        change = update(FeedEntryRow).where(FeedEntryRow.link_hash == link.scalar_subquery())
        if digest_id is None:
            change = change.where(FeedEntryRow.digest_id.is_(None)).values(error=error)
        else:
            change = change.values(digest_id=digest_id, error=None)
        async with writing(self._engine) as connection:
            await connection.execute(change)

    async def given_up(self, limit: int) -> list[Source]:
        wanted = select(_feeds).where(FeedRow.state == "gone", FeedRow.told.is_(False))
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted.order_by(FeedRow.id).limit(limit))
            return [source_of(row) for row in rows]

    async def told(self, source_id: str) -> None:
        await self._change(source_id, told=True)

    async def _newest(self, wanted: Iterable[Any], once: Any, limit: int) -> list[Entry]:
        """Of each `once` the row that was found first."""
        place = func.row_number().over(
            partition_by=once, order_by=(FeedEntryRow.found_at, FeedEntryRow.id)
        )
        ranked = select(_entries, place.label("place")).where(*wanted).subquery()
        newest = (ranked.c.found_at.desc(), ranked.c.published_at.desc(), ranked.c.id)
        firsts = select(ranked).where(ranked.c.place == 1).order_by(*newest).limit(limit)
        async with reading(self._engine) as connection:
            return [entry_of(row) for row in await connection.execute(firsts)]

    async def _change(self, source_id: str, **values: Any) -> None:
        async with writing(self._engine) as connection:
            change = update(FeedRow).where(FeedRow.id == source_id).values(values)
            await connection.execute(change)


def _tell(some: Sequence[Polled], done: asyncio.Task[dict[str, list[Entry]]]) -> None:
    for one in some:
        if one.new.done():  # whoever waited for it was cancelled
            continue
        if done.cancelled():
            one.new.cancel()
        elif (error := done.exception()) is not None:
            one.new.set_exception(error)
        else:
            one.new.set_result(done.result()[one.source.id])


def _distinct(waiting: Sequence[Polled]) -> tuple[list[Polled], list[Polled]]:
    """Each source once, and not too many; the rest."""
    some: dict[str, Polled] = {}
    rest: list[Polled] = []
    for one in waiting:
        if one.source.id in some or len(some) >= _TOGETHER:
            rest.append(one)
        else:
            some[one.source.id] = one
    return list(some.values()), rest


async def delete_feeds(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Feeds with everything of theirs. Rows deleted, by table."""
    gone = {
        table.__tablename__: await delete_rows(connection, table, table.feed_id.in_(ids))
        for table in (SubscriptionFeedRow, FeedEntryRow, FeedKeyRow)
    }
    return {**gone, "feeds": await delete_rows(connection, FeedRow, FeedRow.id.in_(ids))}


# --- rows and values

_UNCLAIMED: dict[str, Any] = {**UNCLAIMED, "told": False}


def _at(source_id: str, link: str) -> Any:
    """The source of that address, and before it one that has moved there."""
    moved = (FeedRow.host == host_of(link)) & (FeedRow.link == link)
    wanted = select(_feeds).where((FeedRow.id == source_id) | moved)
    return wanted.order_by(FeedRow.id != source_id).limit(1)


def _revived(source_id: str, now: datetime) -> Any:
    values = {"state": "alive", "failures": 0, "error": "", "next_at": now, "told": False}
    return update(FeedRow).where(FeedRow.id == source_id).values(values).returning(_feeds)


def source_of(row: Row[*tuple[Any, ...]]) -> Source:
    return Source(
        id=row.id,
        url=row.link,
        kind=row.kind,
        title=row.title or "",
        site=row.site,
        language=row.language,
        state=row.state,
        etag=row.etag,
        last_modified=row.last_modified,
        interval=row.interval,
        polled_at=row.polled_at,
        worked_at=row.worked_at,
        next_at=row.next_at if row.state == "alive" else None,
        failures=row.failures,
        error=row.error,
        changed_at=row.changed_at,
        body_hash=row.body_hash,
        ttl=row.ttl,
        skip_hours=frozenset(row.skip.get("hours", ())),
        skip_days=frozenset(row.skip.get("days", ())),
    )


def entry_of(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        id=row.id,
        source_id=row.feed_id,
        identity=row.identity,
        link=row.link,
        title=row.title or "",
        summary=row.summary,
        published_at=row.published_at,
        seen_at=row.found_at,
        digest_id=row.digest_id,
        error=row.error,
    )
