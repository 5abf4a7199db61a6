"""Inserts that settle a conflict in place, so that two processes that write the same both succeed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, Executable, Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import Base


def utc_now() -> datetime:
    return datetime.now(UTC)


async def put(
    connection: AsyncConnection,
    table: type[Base],
    values: Mapping[str, Any],
    *,
    key: Collection[str] = (),
    keep: Collection[str] = (),
) -> None:
    """Insert, or where the key (else the primary key) is there already, replace the other columns
    but those in `keep`."""
    await connection.execute(putting(connection.dialect, table, values, key=key, keep=keep))


def putting(
    dialect: Dialect,
    table: type[Base],
    values: Mapping[str, Any],
    *,
    key: Collection[str] = (),
    keep: Collection[str] = (),
) -> Executable:
    """The same as a statement."""
    key = key or primary_key(table)
    replaced = {name: value for name, value in values.items() if name not in {*key, *keep}}
    insert = _insert(dialect, table).values(values)
    made: Executable = insert.on_conflict_do_update(index_elements=list(key), set_=replaced)
    return made


async def add(
    connection: AsyncConnection, table: type[Base], values: Mapping[str, Any]
) -> Row[*tuple[Any, ...]] | None:
    """Insert, or where the primary key is there already, nothing. The row, if it was inserted."""
    done = await connection.execute(adding(connection.dialect, table), dict(values))
    return done.one_or_none()


def adding(dialect: Dialect, table: type[Base]) -> Executable:
    """The same as a statement, to be executed with the values. Its row is there if it was new."""
    insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=primary_key(table))
    made: Executable = insert.returning(*table.__table__.c)
    return made


def primary_key(table: type[Base]) -> list[str]:
    return [column.name for column in table.__table__.primary_key]


def _insert(dialect: Dialect, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    # The two dialects spell it alike and share no class for it.
    kind = postgresql if dialect.name == "postgresql" else sqlite
    made: postgresql.Insert | sqlite.Insert = kind.insert(table)
    return made
