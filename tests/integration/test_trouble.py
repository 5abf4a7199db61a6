"""A database that is away, broken or busy: one error of ours, and everything works again after."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import PLACE, URL, a_record, a_shared_link, an_article
from support.postgres import PostgresServer

from core.errors import StorageUnavailable
from core.places import ChannelProfile, Process, Scope, Workspace
from core.settings import RetentionSettings
from storage.articles import SqlArticles
from storage.database import create, database_url, open_database, sqlite_file
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.erasing import SqlErasing
from storage.processes import SqlProcesses
from storage.profiles import SqlProfiles
from storage.retention import sweep
from storage.trouble import is_trouble, reading, writing
from storage.workspaces import SqlWorkspaces

Call = Callable[[AsyncEngine], Awaitable[object]]

CALLS: dict[str, Call] = {
    "get a digest": lambda engine: SqlDigests(engine).get("f" * 24),
    "keep a digest": lambda engine: SqlDigests(engine).add(a_record(), content_hash="a" * 64),
    "keep questions": lambda engine: SqlDigests(engine).add_questions("f" * 24, ["Why?"]),
    "keep a verdict": lambda engine: SqlDigests(engine).add_verdict("f" * 24, "good", by="x"),
    "keep an article": lambda engine: SqlArticles(engine).put(an_article(), link=URL),
    "get an article": lambda engine: SqlArticles(engine).get("f" * 64),
    "accept": lambda engine: SqlDeliveries(engine).accept(a_shared_link()),
    "get a delivery": lambda engine: SqlDeliveries(engine).get("f" * 32),
    "withdraw": lambda engine: SqlDeliveries(engine).withdraw(PLACE, "1.0"),
    "seen": lambda engine: SqlDeliveries(engine).seen("slack", "T1", "Ev1"),
    "get a profile": lambda engine: SqlProfiles(engine).get(PLACE),
    "set a profile": lambda engine: SqlProfiles(engine).put(PLACE, ChannelProfile(), by="U1"),
    "workspaces": lambda engine: SqlWorkspaces(engine).all("slack"),
    "install": lambda engine: SqlWorkspaces(engine).put(Workspace("slack", "T1")),
    "beat": lambda engine: SqlProcesses(engine).beat(Process("a", "a", 1, 1.0, "bot")),
    "dead": lambda engine: SqlProcesses(engine).dead(1.0),
    "look": lambda engine: SqlErasing(engine).look(Scope("slack", "T1")),
    "sweep": lambda engine: sweep(engine, RetentionSettings()),
}


@pytest.fixture
async def postgres(postgres_database: sqlalchemy.URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(postgres_database) as engine:
        yield engine


@pytest.fixture
async def sqlite(sqlite_database: sqlalchemy.URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(sqlite_database) as engine:
        yield engine


@pytest.fixture
async def either(fresh_database: sqlalchemy.URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(fresh_database) as engine:
        yield engine


async def test_a_server_that_is_away_is_trouble_and_its_return_is_enough(
    postgres: AsyncEngine, postgres_server: PostgresServer
) -> None:
    for call in CALLS.values():
        await call(postgres)
    try:
        await asyncio.to_thread(postgres_server.stop)
        for name, call in CALLS.items():
            with pytest.raises(StorageUnavailable) as caught:
                await call(postgres)
            assert caught.value.retryable, name
    finally:
        await asyncio.to_thread(postgres_server.start)
    for call in CALLS.values():
        await call(postgres)


async def test_what_was_accepted_before_the_server_went_is_there_after(
    postgres: AsyncEngine, postgres_server: PostgresServer
) -> None:
    deliveries = SqlDeliveries(postgres)
    delivery, _ = await deliveries.accept(a_shared_link())
    await asyncio.to_thread(postgres_server.stop)
    await asyncio.to_thread(postgres_server.start)
    assert await deliveries.accept(a_shared_link()) == (delivery, False)


async def test_a_connection_that_breaks_in_the_middle_is_trouble(
    postgres: AsyncEngine, postgres_server: PostgresServer
) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'"
    )

    async def broken() -> None:
        async with writing(postgres) as connection:
            await connection.execute(text("SET application_name = 'victim'"))
            await asyncio.to_thread(postgres_server.execute, kill)
            await connection.execute(text("SELECT 1"))

    with pytest.raises(StorageUnavailable):
        await broken()
    assert await SqlDeliveries(postgres).get("f" * 32) is None


async def test_a_file_that_somebody_else_keeps_locked_is_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.BUSY_SECONDS", 0)
    url = database_url(None, tmp_path)
    async with open_database(url) as engine:
        file = sqlite_file(url)
        assert file is not None
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            await SqlDeliveries(engine).accept(a_shared_link())
        assert await SqlDeliveries(engine).get("f" * 32) is None  # readers do not mind
        other.execute("ROLLBACK")
        other.close()
        _, new = await SqlDeliveries(engine).accept(a_shared_link())
        assert new


def test_a_file_that_cannot_be_opened_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(tmp_path)
    assert is_trouble(caught.value)


async def test_a_pool_without_a_free_connection_is_trouble(
    postgres_database: sqlalchemy.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.POOL_SECONDS", 0.05)
    engine = create(postgres_database)
    taken = [await engine.connect() for _ in range(15)]
    with pytest.raises(StorageUnavailable):
        await SqlDeliveries(engine).get("f" * 32)
    for connection in taken:
        await connection.close()
    assert await SqlDeliveries(engine).get("f" * 32) is None
    await engine.dispose()


async def test_a_programmer_s_mistake_is_no_trouble_on_sqlite(sqlite: AsyncEngine) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with reading(sqlite) as connection:
            await connection.execute(text("SELECT * FROM missing"))


async def test_a_programmer_s_mistake_is_no_trouble_on_postgres(postgres: AsyncEngine) -> None:
    with pytest.raises(ProgrammingError, match="does not exist"):
        async with reading(postgres) as connection:
            await connection.execute(text("SELECT * FROM missing"))


async def test_a_violated_constraint_is_no_trouble(either: AsyncEngine) -> None:
    row = "INSERT INTO digests (id, content_hash, model, language, record, created_at) "
    with pytest.raises(IntegrityError):
        async with writing(either) as connection:
            await connection.execute(
                text(row + "VALUES ('x', 'nothing', 'm', 'en', '{}', '2026-11-25 00:00:00+00')")
            )


async def test_nothing_is_kept_of_a_transaction_that_failed(either: AsyncEngine) -> None:
    values = "VALUES ('slack', 'T1', 'Ev1', '2026-11-25 00:00:00+00')"

    async def interrupted(engine: AsyncEngine) -> None:
        async with writing(engine) as connection:
            await connection.execute(text(f"INSERT INTO events {values}"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted(either)
    assert await SqlDeliveries(either).seen("slack", "T1", "Ev1") is False


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (psycopg.errors.AdminShutdown("going"), True),
        (psycopg.errors.TooManyConnections("full"), True),
        (psycopg.errors.DeadlockDetected("deadlock"), True),
        (psycopg.errors.DiskFull("full"), True),
        (psycopg.OperationalError("connection refused"), True),
        (psycopg.InterfaceError("the connection is closed"), True),
        (psycopg.errors.ProgramLimitExceeded("index row size"), False),
        (psycopg.errors.UndefinedTable("nothing"), False),
        (psycopg.errors.ForeignKeyViolation("nothing"), False),
        (ConnectionResetError("reset"), True),
        (ValueError("ours"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_time_may_heal_is_trouble(error: Exception, trouble: bool) -> None:
    assert is_trouble(error) is trouble
