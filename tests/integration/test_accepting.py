"""Accepting stays quick however many wait: everything it looks at stands in an index."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_shared_link

from core.places import Place
from storage.database import open_database
from storage.deliveries import SqlDeliveries, delivery_values, turn
from storage.tables import DeliveryRow

WAITING = 10_000
HERE = {"in_platform": "slack", "in_workspace": "T1", "in_channel": "C7"}
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
async def crowded(empty_database: URL) -> AsyncIterator[AsyncEngine]:
    """Ten thousand wait in a hundred channels; as many were answered."""
    async with open_database(empty_database) as engine:
        async with engine.begin() as connection:
            await connection.execute(insert(DeliveryRow), list(_rows()))
        async with engine.connect() as connection:
            await connection.execute(text("ANALYZE"))
            await connection.commit()
        yield engine


def _rows() -> Iterator[dict[str, Any]]:
    for number in range(2 * WAITING):
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


async def test_a_turn_is_found_quickly_with_ten_thousand_waiting(crowded: AsyncEngine) -> None:
    wanted, took = select(turn(crowded.dialect.name)), []
    async with crowded.connect() as connection:
        for _ in range(40):
            began = time.perf_counter()
            assert (await connection.execute(wanted, HERE)).scalar_one() == 105
            took.append(time.perf_counter() - began)
    assert median(took) < 0.005, [round(1000 * seconds, 1) for seconds in took]


async def test_the_turns_of_ten_thousand_are_counted_on(crowded: AsyncEngine) -> None:
    deliveries = SqlDeliveries(crowded)
    turns = []
    for number, channel in enumerate(["C7", "C7", "new", "C8"]):
        place = Place("slack", "T1", channel)
        shared = a_shared_link(f"https://b.example/{number}", place=place, message=f"b{number}")
        turns.append((await deliveries.accept(shared))[0].turn)
    assert turns == [105, 106, 5, 105]
