"""What we say by ourselves, each thing once: `core.ports.Announcements` on SQLAlchemy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.announcements import Announcement, Posted
from storage import statements
from storage.orphans import batches
from storage.statements import utc_now
from storage.tables import AnnouncementRow, PostedRow, SubscriptionRow
from storage.trouble import reading, writing

_table, _posted = AnnouncementRow.__table__, PostedRow.__table__
_MORNING = AnnouncementRow.kind.in_(("daily", "nothing"))


class SqlAnnouncements:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def keep(self, announcement: Announcement) -> Announcement | None:
        values = announcement_values(announcement)
        async with writing(self._engine) as connection:
            # It may be removed meanwhile; FOR UPDATE, so that it is not while we write.
            mine = select(SubscriptionRow.id).where(
                SubscriptionRow.id == announcement.subscription_id
            )
            if (await connection.execute(mine.with_for_update())).one_or_none() is None:
                return None
            new = await statements.add(connection, AnnouncementRow, values)
            if new is not None and announcement.posted:
                await connection.execute(insert(PostedRow), posted_values(announcement))
            [kept] = await _read(connection, [announcement.id])
        return kept

    async def get(self, announcement_id: str) -> Announcement | None:
        async with reading(self._engine) as connection:
            found = await _read(connection, [announcement_id])
        return found[0] if found else None

    async def mornings(
        self, subscription_id: str, limit: int, *, before: date | None = None
    ) -> list[Announcement]:
        wanted = select(AnnouncementRow.id).where(
            AnnouncementRow.subscription_id == subscription_id, _MORNING
        )
        if before is not None:
            wanted = wanted.where(AnnouncementRow.day < before.isoformat())
        newest = wanted.order_by(AnnouncementRow.day.desc()).limit(limit)
        async with reading(self._engine) as connection:
            ids = (await connection.execute(newest)).scalars().all()
            return await _read(connection, ids)

    async def latest(self) -> Mapping[str, date]:
        last = select(AnnouncementRow.subscription_id, func.max(AnnouncementRow.day))
        wanted = last.where(_MORNING).group_by(AnnouncementRow.subscription_id)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).all()
        return {subscription: date.fromisoformat(day) for subscription, day in rows}

    async def posted(self, subscription_id: str) -> frozenset[str]:
        wanted = select(PostedRow.identity, PostedRow.link, PostedRow.digest_id).where(
            PostedRow.subscription_id == subscription_id
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).all()
        return frozenset(key for row in rows for key in row)

    async def known(self, ids: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        async with reading(self._engine) as connection:
            for some in batches(ids):
                wanted = select(AnnouncementRow.id).where(AnnouncementRow.id.in_(some))
                found.update((await connection.execute(wanted)).scalars())
        return frozenset(found)

    async def claim(self, announcement_id: str, by: str, *, settled_before: datetime) -> bool:
        free = or_(
            AnnouncementRow.tried_by.is_(None),
            AnnouncementRow.tried_by == by,
            AnnouncementRow.tried_at <= settled_before,
        )
        unsaid = and_(AnnouncementRow.reply.is_(None), free)
        change = update(AnnouncementRow).where(AnnouncementRow.id == announcement_id, unsaid)
        async with writing(self._engine) as connection:
            done = await connection.execute(change.values(tried_by=by, tried_at=self._now()))
        return done.rowcount == 1

    async def replied(self, announcement_id: str, reply: str) -> None:
        change = update(AnnouncementRow).where(AnnouncementRow.id == announcement_id)
        async with writing(self._engine) as connection:
            await connection.execute(change.values(reply=reply))


async def _read(connection: AsyncConnection, ids: Sequence[str]) -> list[Announcement]:
    """In the order of the ids, with what they list."""
    listed: defaultdict[str, list[Posted]] = defaultdict(list)
    found: dict[str, Row[Any]] = {}
    for some in batches(ids):
        mine = select(_table).where(AnnouncementRow.id.in_(some))
        found |= {row.id: row for row in await connection.execute(mine)}
        theirs = select(_posted).where(PostedRow.announcement_id.in_(some))
        for row in await connection.execute(theirs.order_by(PostedRow.place)):
            listed[row.announcement_id].append(posted_of_row(row))
    return [announcement_of(found[one], listed[one]) for one in ids if one in found]


def announcement_values(announcement: Announcement) -> dict[str, Any]:
    return {
        "id": announcement.id,
        "subscription_id": announcement.subscription_id,
        "kind": announcement.kind,
        "day": announcement.day.isoformat(),
        "made_at": announcement.made_at,
        "about": announcement.about,
        "silent": announcement.silent,
    }


def posted_values(announcement: Announcement) -> list[dict[str, Any]]:
    return [
        {
            "announcement_id": announcement.id,
            "place": place,
            "subscription_id": announcement.subscription_id,
            "identity": one.identity,
            "link": one.link,
            "title": one.title,
            "source": one.source,
            "source_id": one.source_id,
            "digest_id": one.digest_id,
            "score": one.score,
        }
        for place, one in enumerate(announcement.posted)
    ]


def posted_of_row(row: Row[Any]) -> Posted:
    return Posted(
        identity=row.identity,
        link=row.link,
        title=row.title,
        source=row.source,
        digest_id=row.digest_id,
        score=row.score,
        source_id=row.source_id,
    )


def announcement_of(row: Row[Any], posted: Sequence[Posted]) -> Announcement:
    return Announcement(
        id=row.id,
        subscription_id=row.subscription_id,
        kind=row.kind,
        day=date.fromisoformat(row.day),
        made_at=row.made_at,
        posted=tuple(posted),
        about=row.about,
        silent=row.silent,
        reply=row.reply,
        tried_by=row.tried_by,
        tried_at=row.tried_at,
    )
