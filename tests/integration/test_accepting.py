"""Accepting stays quick however many wait: everything it looks at stands in an index."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_shared_link

from core.places import Place
from storage.accepting import Accepting, Kept
from storage.database import open_database
from storage.deliveries import SqlDeliveries, delivery_values, turn
from storage.tables import DeliveryRow
from storage.trouble import writers_turn

WAITING = 2_000
HERE = {"in_platform": "slack", "in_workspace": "T1", "in_channel": "C7"}
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
async def crowded(fresh_database: URL) -> AsyncIterator[AsyncEngine]:
    """Two thousand wait in a hundred channels; as many were answered."""
    async with open_database(fresh_database) as engine:
        async with engine.begin() as connection:
            await connection.execute(insert(DeliveryRow), list(_rows()))
        async with engine.connect() as connection:
            await connection.execute(text("ANALYZE"))
            await connection.commit()
        yield engine


def _rows(part: int | None = None) -> Iterator[dict[str, Any]]:
    """All of them; of the two parts, the first is a hundredth of the second."""
    hundredth = 2 * WAITING // 100
    numbers = {None: range(2 * WAITING), 0: range(hundredth), 1: range(hundredth, 2 * WAITING)}
    for number in numbers[part]:
        place = Place("slack", "T1", f"C{number % 100}")
        shared = a_shared_link(f"https://a.example/{number}", place=place, message=f"{number}.0")
        state = "waiting" if number < WAITING else "answered"
        yield delivery_values(shared, NOW) | {"turn": 5 + number // 100, "state": state}


async def test_a_turn_is_found_without_reading_those_who_wait(crowded: AsyncEngine) -> None:
    dialect = crowded.dialect.name
    how = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
    asked = select(turn(dialect)).params(HERE)
    statement = asked.compile(crowded.sync_engine, compile_kwargs={"literal_binds": True})
    async with crowded.connect() as connection:
        steps = (await connection.exec_driver_sql(f"{how} {statement}")).all()
    looks = [str(step[-1]) for step in steps if "deliveries" in str(step[-1])]
    assert len(looks) == 2
    for look, index in zip(looks, ("waiting_turn", "waiting_channel"), strict=True):
        # A SEARCH, or a scan under a Limit: the first entry of the index is enough.
        assert look.strip(" ->").startswith(("SEARCH", "Index Only Scan", "Index Scan"))
        assert f"ix_deliveries_{index}" in look


@pytest.mark.slow
async def test_a_turn_takes_as_much_work_whether_few_wait_or_many(sqlite_database: URL) -> None:
    """Counted in steps of SQLite's machine, which are the same on every machine."""
    asked = select(turn("sqlite")).params(HERE)
    async with open_database(sqlite_database) as engine:
        statement = str(asked.compile(engine.sync_engine, compile_kwargs={"literal_binds": True}))
        took = []
        for number in range(2):
            async with engine.begin() as connection:
                await connection.execute(insert(DeliveryRow), list(_rows(number)))
            took.append(_steps(sqlite_database, statement))
    few, many = took
    assert 0 < many < few + 50


def _steps(url: URL, statement: str) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.set_progress_handler(count, 1)
        connection.execute(statement).fetchall()
    return steps


async def test_the_turns_of_a_crowd_are_counted_on(crowded: AsyncEngine) -> None:
    deliveries = SqlDeliveries(crowded)
    turns = []
    for number, channel in enumerate(["C7", "C7", "new", "C8"]):
        place = Place("slack", "T1", channel)
        shared = a_shared_link(f"https://b.example/{number}", place=place, message=f"b{number}")
        turns.append((await deliveries.accept(shared))[0].turn)
    assert turns == [25, 26, 5, 25]


# --- at the same time


async def test_who_comes_at_the_same_time_shares_a_transaction(fresh_database: URL) -> None:
    async with open_database(fresh_database) as engine:
        kept: list[int] = []
        begun: list[Connection] = []

        def keep(_connection: Connection, values: Mapping[str, Any]) -> Kept:
            kept.append(values["number"])
            return None, True

        def count(connection: Connection) -> None:
            begun.append(connection)

        accepting = Accepting(engine, keep)
        event.listen(Engine, "begin", count)
        try:
            await asyncio.gather(*(accepting.add({"number": number}) for number in range(30)))
        finally:
            event.remove(Engine, "begin", count)
        assert sorted(kept) == [*range(30)]
        assert len(begun) <= 2  # the first may be on its way before the others come


async def test_what_the_database_does_not_take_spoils_nobody_else_s(fresh_database: URL) -> None:
    async with open_database(fresh_database) as engine:
        deliveries = SqlDeliveries(engine)
        good = [a_shared_link(f"https://c.example/{number}") for number in range(3)]
        bad = replace(good[0], message="9.9", by=cast("str", None))
        found = await asyncio.gather(
            *map(deliveries.accept, [good[0], bad, *good[1:]]), return_exceptions=True
        )
        assert isinstance(found[1], IntegrityError)
        for shared in good:
            assert await deliveries.get(shared.key) is not None
        assert await deliveries.get(bad.key) is None


async def test_who_is_waited_for_writes_before_who_is_not(sqlite_database: URL) -> None:
    async with open_database(sqlite_database) as engine:
        order: list[str] = []

        async def take(name: str, *, urgent: bool = False) -> None:
            async with writers_turn(engine, urgent=urgent):
                order.append(name)

        async with writers_turn(engine):
            waiting = [
                asyncio.create_task(take("first")),
                asyncio.create_task(take("given up")),
                asyncio.create_task(take("second")),
                asyncio.create_task(take("urgent", urgent=True)),
            ]
            await asyncio.sleep(0)
            waiting[1].cancel()
            await asyncio.wait([waiting[1]])
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == ["urgent", "first", "second"]
