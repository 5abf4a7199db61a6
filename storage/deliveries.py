"""Shared links, each accepted once and answered once: `core.ports.Deliveries` on SQLAlchemy.

Accepting is the promise that nothing is lost. It is one short transaction, on disk when it ends
(`storage/database.py` sees to that), and everything it looks at stands in an index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import BadLink, StorageUnavailable
from core.links import canonical
from core.places import Delivery, Place, Platform, SharedLink
from storage import statements
from storage.accepting import Accepting, Kept
from storage.short import read, write
from storage.statements import utc_now
from storage.tables import DeliveryRow, EventRow

_table = DeliveryRow.__table__
# Spelled out in the statement instead of bound: only so is the index of the waiting ones used.
WAITING = DeliveryRow.state == literal("waiting", literal_execute=True)


class SqlDeliveries:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now
        self._accepting = Accepting(engine, _keep)

    async def accept(self, shared: SharedLink) -> tuple[Delivery, bool]:
        kept, new = await self._accepting.add(delivery_values(shared, self._now()))
        if kept is None:
            raise StorageUnavailable("database", "the delivery was erased meanwhile")
        return delivery_of(kept), new

    async def get(self, delivery_id: str) -> Delivery | None:
        return await self._first(_one(delivery_id))

    async def claim(self, delivery_id: str, by: str, *, settled_before: datetime) -> bool:
        free = or_(
            DeliveryRow.tried_by.is_(None),
            DeliveryRow.tried_by == by,
            DeliveryRow.tried_at <= settled_before,
        )
        unsaid = and_(DeliveryRow.reply.is_(None), DeliveryRow.state != "withdrawn", free)
        change = update(DeliveryRow).where(DeliveryRow.id == delivery_id, unsaid)
        change = change.values(tried_by=by, tried_at=self._now())
        return await write(self._engine, lambda one: one.execute(change).rowcount) == 1

    async def replied(self, delivery_id: str, reply: str) -> None:
        await self._change(delivery_id, reply=reply)

    async def answered(self, delivery_id: str, digest_id: str) -> None:
        values = {"state": "answered", "digest_id": digest_id, "error": None, "reason": ""}
        await self._change(delivery_id, DeliveryRow.state != "withdrawn", **values)

    async def failed(self, delivery_id: str, error: str, reason: str = "") -> None:
        open_still = DeliveryRow.state.not_in(("withdrawn", "answered"))
        await self._change(delivery_id, open_still, state="failed", error=error, reason=reason)

    async def withdraw(
        self, place: Place, message: str, *, keep: Sequence[str] = ()
    ) -> list[Delivery]:
        gone = and_(_of_message(place, message), DeliveryRow.canonical.not_in(_canonical(keep)))
        change = update(DeliveryRow).where(gone).values(state="withdrawn").returning(_table)
        return in_order(await write(self._engine, lambda one: one.execute(change).all()))

    async def of_reply(self, place: Place, reply: str) -> Delivery | None:
        wanted = select(_table).where(*_in_channel(place), DeliveryRow.reply == reply)
        return await self._first(wanted.limit(1))

    async def of_message(self, place: Place, message: str) -> list[Delivery]:
        wanted = select(_table).where(_of_message(place, message))
        return in_order(await self._rows(wanted))

    async def unanswered(
        self, accepted_before: datetime, limit: int, *, after: str = ""
    ) -> list[Delivery]:
        old = DeliveryRow.accepted_at < accepted_before
        wanted = select(_table).where(WAITING, DeliveryRow.id > after, old)
        rows = await self._rows(wanted.order_by(DeliveryRow.id).limit(limit))
        return [delivery_of(row) for row in rows]

    async def waiting(self) -> int:
        wanted = select(func.count()).where(WAITING)
        return await read(self._engine, lambda one: one.execute(wanted).scalar_one())

    async def count(
        self,
        platform: Platform,
        workspace: str,
        since: datetime,
        *,
        by: str = "",
        channel: str = "",
    ) -> int:
        whose = DeliveryRow.by == by if by else DeliveryRow.channel == channel
        wanted = select(func.count()).where(
            *_in_workspace(platform, workspace), whose, DeliveryRow.accepted_at >= since
        )
        return await read(self._engine, lambda one: one.execute(wanted).scalar_one())

    async def recent(
        self, platform: Platform, workspace: str, limit: int, *, channel: str = ""
    ) -> list[Delivery]:
        wanted = select(_table).where(
            *_in_workspace(platform, workspace), DeliveryRow.state == "answered"
        )
        if channel:
            wanted = wanted.where(DeliveryRow.channel == channel)
        newest = wanted.order_by(DeliveryRow.accepted_at.desc(), DeliveryRow.id).limit(limit)
        return [delivery_of(row) for row in await self._rows(newest)]

    async def seen(self, platform: Platform, workspace: str, event: str) -> bool:
        where = {"platform": platform, "workspace": workspace, "event": event}
        values = {**where, "seen_at": self._now()}
        add = statements.adding(self._engine.dialect, EventRow)

        def remember(connection: Connection) -> bool:
            return connection.execute(add, values).one_or_none() is None

        return await write(self._engine, remember, urgent=True)

    async def _change(
        self, delivery_id: str, *conditions: ColumnElement[bool], **values: object
    ) -> None:
        change = update(DeliveryRow).where(DeliveryRow.id == delivery_id, *conditions)
        change = change.values(**values)
        await write(self._engine, lambda one: one.execute(change).rowcount)

    async def _first(self, wanted: Select[Any]) -> Delivery | None:
        rows = await self._rows(wanted)
        return delivery_of(rows[0]) if rows else None

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        return await read(self._engine, lambda one: one.execute(wanted).all())


def _keep(connection: Connection, values: Mapping[str, Any]) -> Kept:
    """The delivery, and whether it is new. One statement. On SQLite nobody else writes meanwhile.
    On PostgreSQL two links accepted at the same instant may get the same turn: that makes them
    equals and harms nobody."""
    place = {f"in_{name}": values[name] for name in ("platform", "workspace", "channel")}
    insert = accepting(connection.dialect.name)
    new = connection.execute(insert, {**values, **place}).one_or_none()
    return new or connection.execute(_one(values["id"])).one_or_none(), new is not None


@cache  # building it takes longer than running it
def accepting(dialect: str) -> Executable:
    """Takes what `delivery_values` gives, and the place once more as in_platform and so on."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(DeliveryRow)
    unless_known = insert.values(turn=turn(dialect)).on_conflict_do_nothing(index_elements=["id"])
    made: Executable = unless_known.returning(*_table.c)
    return made


def turn(dialect: str) -> ColumnElement[int]:
    """The lowest turn that waits anywhere, or if that is higher, one behind the channel's last."""
    here = [
        DeliveryRow.platform == bindparam("in_platform"),
        DeliveryRow.workspace == bindparam("in_workspace"),
        DeliveryRow.channel == bindparam("in_channel"),
    ]
    lowest = select(func.min(DeliveryRow.turn)).where(WAITING).scalar_subquery()
    last = select(func.max(DeliveryRow.turn)).where(WAITING, *here).scalar_subquery()
    higher = func.greatest if dialect == "postgresql" else func.max
    found: ColumnElement[int] = higher(
        func.coalesce(lowest, 1), func.coalesce(last, 0) + 1, type_=BigInteger()
    )
    return found


def delivery_values(shared: SharedLink, now: datetime) -> dict[str, Any]:
    values = asdict(shared)
    place = values.pop("place")
    return {
        **values,
        **place,
        "id": shared.key,
        "canonical": canonical(shared.link),
        "state": "waiting",
        "accepted_at": now,
        "reason": "",
    }


def delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        shared=SharedLink(
            link=row.link,
            place=Place(cast("Platform", row.platform), row.workspace, row.channel, row.thread),
            message=row.message,
            by=row.by,
            language=row.language,
            ui=row.ui,
            nonce=row.nonce,
            again=row.again,
        ),
        canonical=row.canonical,
        state=row.state,
        turn=row.turn,
        accepted_at=row.accepted_at,
        reply=row.reply,
        tried_by=row.tried_by,
        tried_at=row.tried_at,
        digest_id=row.digest_id,
        error=row.error,
        reason=row.reason,
    )


def in_order(rows: Sequence[Row[Any]]) -> list[Delivery]:
    """As they were accepted."""
    return sorted(map(delivery_of, rows), key=lambda one: (one.accepted_at, one.turn, one.id))


def _one(delivery_id: str) -> Select[Any]:
    return select(_table).where(DeliveryRow.id == delivery_id)


def _in_workspace(platform: str, workspace: str) -> list[ColumnElement[bool]]:
    return [DeliveryRow.platform == platform, DeliveryRow.workspace == workspace]


def _in_channel(place: Place) -> list[ColumnElement[bool]]:
    return [*_in_workspace(place.platform, place.workspace), DeliveryRow.channel == place.channel]


def _of_message(place: Place, message: str) -> ColumnElement[bool]:
    return and_(*_in_channel(place), DeliveryRow.message == message)


def _canonical(links: Sequence[str]) -> list[str]:
    """What is no link cannot be the link of a delivery."""
    found = []
    for link in links:
        try:
            found.append(canonical(link))
        except BadLink:
            continue
    return found
