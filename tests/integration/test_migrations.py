"""The database's versions, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Connection, DateTime, column, inspect, table, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support import forks
from support.builders import a_record, an_article

from core.errors import SettingsError
from storage.articles import SqlArticles
from storage.database import create, database_url, look, migrate, open_database, version
from storage.digests import SqlDigests
from storage.subscriptions import SqlSubscriptions
from storage.tables import Base

ROOT = Path(__file__).parents[2]
NAMES = set(Base.metadata.tables)
FIRST = {"articles", "digests", "verdicts"}

# As version 0001 made them, whatever the code says today.
_time = DateTime(timezone=True)
ARTICLES = table(
    "articles",
    *map(column, ("content_hash", "title", "language", "words")),
    column("fetched_at", _time),
)
DIGESTS = table(
    "digests",
    *map(column, ("id", "content_hash", "model", "language")),
    column("record", JSON),
    column("created_at", _time),
)


OLD_SUBSCRIPTIONS = table(
    "subscriptions",
    *map(column, "id platform workspace channel by hour timezone size".split()),
    column("levels", JSON),
    column("created_at", _time),
)


@pytest.fixture
async def engine(empty_database: URL) -> AsyncIterator[AsyncEngine]:
    engine = create(empty_database)
    yield engine
    await engine.dispose()


async def names(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda plain: inspect(plain).get_table_names()))


async def test_migrations_go_down_and_up_again_step_by_step(engine: AsyncEngine) -> None:
    await migrate(engine)
    assert await names(engine) == NAMES | {"alembic_version"}
    await migrate(engine, "0001")
    assert await names(engine) == FIRST | {"alembic_version"}
    await migrate(engine, "base")
    assert await names(engine) == {"alembic_version"}
    await migrate(engine)
    assert await names(engine) == NAMES | {"alembic_version"}


async def test_the_migrations_make_exactly_the_tables_of_the_code(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    for _ in range(2):  # and after a way down and up again
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
        await migrate(engine, "base")


async def test_the_waiting_ones_have_indexes_of_their_own(engine: AsyncEngine) -> None:
    """Which Alembic does not compare."""
    await migrate(engine)
    asked = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE name LIKE 'ix_deliveries_waiting%'",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ix_deliveries_waiting%'",
    }[engine.dialect.name]
    async with engine.connect() as connection:
        made = list((await connection.execute(text(asked))).scalars())
    assert len(made) == 3
    assert all("where" in statement.lower() and "'waiting'" in statement for statement in made)


async def test_a_row_of_version_one_survives_the_way_up_and_down(engine: AsyncEngine) -> None:
    await migrate(engine)
    await migrate(engine, "0001")
    now, content_hash = datetime(2026, 11, 21, 9, tzinfo=UTC), "a" * 64
    article = {"title": "제목", "language": "ko", "words": 7, "fetched_at": now}
    digest = {"id": a_record().id, "model": "m", "language": "en", "created_at": now}
    record = a_record().model_dump(mode="json")
    async with engine.begin() as connection:
        await connection.execute(ARTICLES.insert().values(content_hash=content_hash, **article))
        await connection.execute(
            DIGESTS.insert().values(content_hash=content_hash, record=record, **digest)
        )
    await migrate(engine)
    assert await SqlDigests(engine).get(a_record().id) == a_record()
    assert await SqlArticles(engine).get(content_hash) is None  # its text was never kept
    long_ago = datetime.min.replace(tzinfo=UTC)
    assert await SqlArticles(engine).read_at("https://a.example/", long_ago) is None
    text_hash = await SqlArticles(engine).put(an_article(), link="https://a.example/")
    assert await SqlArticles(engine).get(text_hash) == an_article()
    await migrate(engine, "0001")
    async with engine.connect() as connection:
        titles = await connection.execute(text("SELECT title FROM articles"))
        assert "제목" in set(titles.scalars())


async def test_a_subscription_of_before_ranges_survives_the_way_up_and_down(
    engine: AsyncEngine,
) -> None:
    await migrate(engine)
    await migrate(engine, "0003")
    old = {
        "id": "s1",
        "platform": "slack",
        "workspace": "T1",
        "channel": "C1",
        "by": "U1",
        "hour": 7,
        "timezone": "Asia/Seoul",
        "size": 5,
    }
    async with engine.begin() as connection:
        levels = ["elementary", "intermediate"]
        row = {**old, "levels": levels, "created_at": datetime(2026, 11, 21, tzinfo=UTC)}
        await connection.execute(OLD_SUBSCRIPTIONS.insert().values(row))
    await migrate(engine)
    [found] = await SqlSubscriptions(engine).all()
    assert (found.low, found.high, found.at) == (1.5, 3.5, time(7))
    assert (found.timezone, found.size, found.by, found.paused) == ("Asia/Seoul", 5, "U1", False)
    assert len(found.secret) >= 32
    await migrate(engine, "0003")
    async with engine.connect() as connection:
        [kept] = (await connection.execute(OLD_SUBSCRIPTIONS.select())).all()
    assert (kept.levels, kept.hour) == (["elementary", "intermediate"], 7)


async def test_a_newer_database_is_refused_and_untouched(
    engine: AsyncEngine, empty_database: URL
) -> None:
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE events"))  # as newer code may have done
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = await names(engine)
    for opening in (open_database(empty_database).__aenter__(), look(empty_database)):
        with pytest.raises(SettingsError, match=r"made by a newer SmartDevDigest .*9999"):
            await opening
    assert await names(engine) == before
    assert (await version(engine)).current == "9999"


async def test_a_migration_that_fails_leaves_nothing_half_done(
    engine: AsyncEngine, empty_database: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr("sqlalchemy.schema.CreateIndex.__init__", broken)
        with pytest.raises(SettingsError, match="killed here"):
            await open_database(empty_database).__aenter__()
    assert await names(engine) == set()
    await migrate(engine)
    assert await names(engine) == NAMES | {"alembic_version"}


async def test_processes_that_start_at_once_on_nothing_all_come_up(
    empty_database: URL, tmp_path: Path
) -> None:
    url = empty_database.render_as_string(hide_password=False)
    started = [
        forks.start("support.opening:open_and_add", [url, number], ROOT, {}, tmp_path / "log")
        for number in "123"
    ]
    ended = [await asyncio.to_thread(process.wait) for process in started]
    assert ended == [0, 0, 0], (tmp_path / "log").read_text()
    async with open_database(empty_database) as engine:
        assert len(await SqlDigests(engine).recent(10)) == 3


@pytest.mark.parametrize("given", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_plain_postgresql_address_gets_the_async_driver(given: str, tmp_path: Path) -> None:
    url = database_url(f"{given}://bot:s3cret@db:5433/digests?sslmode=require", tmp_path)
    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.query["sslmode"]) == ("db", 5433, "require")


async def test_a_server_that_is_not_there_is_one_clear_sentence_without_the_password(
    tmp_path: Path,
) -> None:
    url = database_url("postgresql://bot:s3cret@127.0.0.1:9/digests", tmp_path)
    with pytest.raises(SettingsError, match="cannot be used") as caught:
        await open_database(url).__aenter__()
    assert "s3cret" not in str(caught.value)
