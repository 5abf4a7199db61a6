"""What every keeper of asked-for terms does, in memory and in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import URL
from support.consulting import FakeAskedTerms

from core.places import Place, Scope
from core.ports import AskedTerms
from storage.asked_terms import SqlAskedTerms
from storage.database import open_database
from storage.erasing import SqlErasing

HERE = Place("slack", "T1", "C1", "1.0")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def asked(request: pytest.FixtureRequest) -> AsyncIterator[AskedTerms]:
    if request.param == "memory":
        yield FakeAskedTerms()
        return
    url: URL = request.getfixturevalue(f"{request.param}_database")
    async with open_database(url) as engine:
        yield SqlAskedTerms(engine)


async def test_what_is_asked_for_most_in_a_channel_comes_first(asked: AskedTerms) -> None:
    for term in ("pod", "wal", "pod", "ingress"):
        await asked.add(HERE, "U1", term, "en")
    await asked.add(Place("slack", "T1", "C2"), "U1", "mesh", "ko")
    await asked.add(Place("slack", "T2", "C1"), "U1", "mesh", "ko")
    await asked.add(Place("discord", "T1", "C1"), "U1", "mesh", "ko")
    assert await asked.often(HERE, 2) == ["pod", "ingress"]
    assert await asked.often(Place("slack", "T1", "C1"), 9) == ["pod", "ingress", "wal"]
    assert await asked.often(Place("slack", "T9", "C1"), 9) == []


async def test_what_a_person_asked_for_is_erased_with_them(sqlite_database: URL) -> None:
    async with open_database(sqlite_database) as engine:
        asked = SqlAskedTerms(engine)
        await asked.add(HERE, "U1", "pod", "en")
        await asked.add(HERE, "U2", "wal", "en")
        await SqlErasing(engine).erase(Scope("slack", "T1", user="U1"))
        assert await asked.often(HERE, 9) == ["wal"]
