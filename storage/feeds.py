"""Feeds and what they announced: `core.ports.Feeds` on SQLAlchemy.

A claim is a row's own: who is to ask a feed stands in it, with the moment until which that is
believed. Choosing and claiming is one transaction, in which no other process chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.article import Language
from core.feed import Announced, Entry, Source, SourceKind
from core.identity import Sorted, keys_of, sort
from core.links import followable
from storage import statements
from storage.articles import hash_of
from storage.orphans import batches, delete_rows
from storage.statements import utc_now
from storage.tables import FeedEntryRow, FeedKeyRow, FeedRow, SubscriptionFeedRow
from storage.trouble import reading, writing

PER_HOST = 4  # of one host at a time: the others are not to wait behind a large one
_CLAIM_LOCK = 0x5D0D16E6  # PostgreSQL's advisory lock: one chooses at a time
_TOUCH = timedelta(days=1)
_feeds = FeedRow.__table__
_entries = FeedEntryRow.__table__
# Spelled out in the statement instead of bound: only so is the index of the living ones used.
_ALIVE = FeedRow.state == literal("alive", literal_execute=True)
_UNDIGESTED = FeedEntryRow.digest_id.is_(None) & FeedEntryRow.error.is_(None)


class SqlFeeds:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

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
        change = update(FeedRow).where(FeedRow.claimed_by == by).values(_UNCLAIMED_NOW)
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
        now = source.polled_at or self._now()
        mine = (FeedRow.id == source.id, FeedRow.claimed_by == by, _ALIVE)
        keep = update(FeedRow).where(*mine).values(source_values(source, now) | _UNCLAIMED_NOW)
        async with writing(self._engine) as connection:
            if not announced:  # as most of the time: one statement
                await connection.execute(keep)
                return []
            asked = select(FeedRow.changed_at).where(*mine).with_for_update()
            before = (await connection.execute(asked)).one_or_none()
            if before is None:
                return []
            await connection.execute(keep)
            return await _keep(connection, source, announced, now, first=before[0] is None)

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
        return await self._newest((_UNDIGESTED,), _entries.c.link_hash, limit)

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


# --- what was announced


async def _keep(
    connection: AsyncConnection,
    source: Source,
    announced: Sequence[Announced],
    now: datetime,
    *,
    first: bool,
) -> list[Entry]:
    owned = keys_of(source.id, announced)
    here, elsewhere = await _known(connection, source.id, owned)
    found = sort(source.id, announced, owned, here, elsewhere, now, first=first)
    await _remember(connection, source.id, found, here, now)
    if found.entries:
        tried = await _tried(connection, [hash_of(entry.link) for entry in found.entries])
        rows = [entry_values(entry) | tried.get(hash_of(entry.link), {}) for entry in found.entries]
        # Its keys were not there, so neither was it; but retention takes keys and entries apart.
        await delete_rows(
            connection,
            FeedEntryRow,
            FeedEntryRow.feed_id == source.id,
            FeedEntryRow.id.in_([row["id"] for row in rows]),
        )
        await connection.execute(insert(FeedEntryRow), rows)
    return list(found.new)


async def _known(
    connection: AsyncConnection, source_id: str, owned: Sequence[Sequence[str]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Identities by key: those of this feed, and those of all others."""
    here: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for some in batches({key for keys in owned for key in keys}):
        wanted = select(FeedKeyRow.key, FeedKeyRow.feed_id, FeedKeyRow.identity)
        for key, feed_id, identity in await connection.execute(
            wanted.where(FeedKeyRow.key.in_(some)).order_by(FeedKeyRow.seen_at.desc())
        ):
            (here if feed_id == source_id else elsewhere)[key] = identity
    return here, elsewhere


async def _remember(
    connection: AsyncConnection,
    source_id: str,
    found: Sorted,
    here: Mapping[str, str],
    now: datetime,
) -> None:
    new = [
        {"key": key, "feed_id": source_id, "identity": identity, "seen_at": now}
        for key, identity in found.keys.items()
        if key not in here
    ]
    if new:
        await connection.execute(insert(FeedKeyRow), new)
    for some in batches(here.keys() & found.keys.keys()):
        still = (FeedKeyRow.feed_id == source_id, FeedKeyRow.key.in_(some))
        touched = update(FeedKeyRow).where(*still, FeedKeyRow.seen_at < now - _TOUCH)
        await connection.execute(touched.values(seen_at=now))


async def _tried(
    connection: AsyncConnection, links: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    """How the digest of each link went that another feed had announced before."""
    found: dict[str, dict[str, str | None]] = {}
    for some in batches(set(links)):
        wanted = select(FeedEntryRow.link_hash, FeedEntryRow.digest_id, FeedEntryRow.error)
        for link, digest_id, error in await connection.execute(
            wanted.where(FeedEntryRow.link_hash.in_(some), ~_UNDIGESTED)
        ):
            found[link] = {"digest_id": digest_id, "error": error}
    return found


async def delete_feeds(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Feeds with everything of theirs. Rows deleted, by table."""
    gone = {
        table.__tablename__: await delete_rows(connection, table, table.feed_id.in_(ids))
        for table in (SubscriptionFeedRow, FeedEntryRow, FeedKeyRow)
    }
    return {**gone, "feeds": await delete_rows(connection, FeedRow, FeedRow.id.in_(ids))}


# --- rows and values

_UNCLAIMED_NOW: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
_UNCLAIMED: dict[str, Any] = {**_UNCLAIMED_NOW, "told": False}


def _at(source_id: str, link: str) -> Any:
    """The source of that address, and before it one that has moved there."""
    moved = (FeedRow.host == _host(link)) & (FeedRow.link == link)
    wanted = select(_feeds).where((FeedRow.id == source_id) | moved)
    return wanted.order_by(FeedRow.id != source_id).limit(1)


def _revived(source_id: str, now: datetime) -> Any:
    values = {"state": "alive", "failures": 0, "error": "", "next_at": now, "told": False}
    return update(FeedRow).where(FeedRow.id == source_id).values(values).returning(_feeds)


def source_values(source: Source, now: datetime) -> dict[str, Any]:
    return {
        "id": source.id,
        "link": source.url,
        "host": _host(source.url),
        "kind": source.kind,
        "title": source.title,
        "site": source.site,
        "language": source.language,
        "state": source.state,
        "etag": source.etag,
        "last_modified": source.last_modified,
        "body_hash": source.body_hash,
        "interval": source.interval,
        "ttl": source.ttl,
        "skip": {"hours": sorted(source.skip_hours), "days": sorted(source.skip_days)},
        "next_at": source.next_at or now,
        "polled_at": source.polled_at,
        "worked_at": source.worked_at,
        "changed_at": source.changed_at,
        "failures": source.failures,
        "error": source.error,
    }


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


def entry_values(entry: Entry) -> dict[str, Any]:
    return {
        "feed_id": entry.source_id,
        "id": entry.id,
        "identity": entry.identity,
        "link": entry.link,
        "link_hash": hash_of(entry.link),
        "title": entry.title,
        "summary": entry.summary,
        "published_at": entry.published_at,
        "found_at": entry.seen_at,
        "digest_id": entry.digest_id,
        "error": entry.error,
    }


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


def _host(link: str) -> str:
    return urlsplit(link).netloc.lower()
