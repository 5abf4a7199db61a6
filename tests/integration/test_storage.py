"""The database as a file: its versions, its pragmas, several processes, and what it refuses."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL
from support.builders import a_page, a_record

from core.errors import SettingsError
from storage.database import (
    database_url,
    open_database,
    sqlite_file,
    version,
)
from storage.digests import SqlDigests
from storage.tables import ArticleRow, VerdictRow


def tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows}


@pytest.fixture
def url(tmp_path: Path) -> URL:
    return database_url(None, tmp_path)


@pytest.fixture
def file(url: URL) -> Path:
    found = sqlite_file(url)
    assert found is not None
    return found


async def test_the_first_opening_makes_the_tables(url: URL, file: Path) -> None:
    assert not file.exists()
    async with open_database(url) as engine:
        found = await version(engine)
        assert found.current == found.newest
    assert {"articles", "digests", "verdicts", "alembic_version"} <= tables(file)


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    async with open_database(database_url(None, tmp_path / "a" / "b")):
        pass
    assert (tmp_path / "a" / "b" / "smartdevdigest.sqlite3").exists()


async def test_the_page_s_validators_are_kept_with_the_article(url: URL) -> None:
    page = a_page("x", etag='"v7"', last_modified="Sat, 21 Nov 2026 06:00:00 GMT")
    async with open_database(url) as engine:
        await SqlDigests(engine).add(a_record(), content_hash="a" * 64, page=page)
        async with engine.connect() as connection:
            kept = await connection.execute(select(ArticleRow.etag, ArticleRow.last_modified))
            assert kept.one() == ('"v7"', "Sat, 21 Nov 2026 06:00:00 GMT")


async def test_opening_again_keeps_everything(url: URL) -> None:
    async with open_database(url) as engine:
        await SqlDigests(engine).add(a_record(), content_hash="a" * 64)
    async with open_database(url) as engine:
        assert await SqlDigests(engine).get(a_record().id) == a_record()


async def test_a_newer_database_is_refused_and_untouched(url: URL, file: Path) -> None:
    async with open_database(url):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(SettingsError, match=r"made by a newer SmartDevDigest .*9999"):
        async with open_database(url):
            pass
    assert file.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_untouched(url: URL, file: Path) -> None:
    file.write_text("a diary, not a database" * 100, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(SettingsError, match="not a database"):
        async with open_database(url):
            pass
    assert file.read_bytes() == before


async def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="cannot be used"):
        async with open_database(database_url(None, tmp_path / "taken")):
            pass


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("not an address", "not a database address"),
        ("mysql+pymysql://bot:s3cret@db/digests", "database"),
        ("postgresql+asyncpg9://bot:s3cret@db/digests", "database"),
    ],
)
async def test_an_address_we_cannot_use_is_refused_without_showing_its_password(
    given: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        async with open_database(database_url(given, tmp_path)):
            pass
    assert "s3cret" not in str(caught.value)


def test_a_plain_sqlite_address_gets_the_async_driver(tmp_path: Path) -> None:
    assert database_url("sqlite:///x.db", tmp_path).drivername == "sqlite+aiosqlite"
    kept = database_url("postgresql+asyncpg://db/digests", tmp_path)
    assert kept.drivername == "postgresql+asyncpg"
    assert sqlite_file(kept) is None


async def test_sqlite_writes_ahead_waits_and_keeps_references(url: URL) -> None:
    async with open_database(url) as engine, engine.connect() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "busy_timeout": 10_000,
        "foreign_keys": 1,
        "synchronous": 2,  # FULL: a commit is on disk
    }


async def test_the_article_is_kept_beside_its_digest(url: URL) -> None:
    async with open_database(url) as engine:
        await SqlDigests(engine).add(a_record(), content_hash="a" * 64)
        async with engine.connect() as connection:
            row = (await connection.execute(select(ArticleRow))).one()
    assert (row.content_hash, row.url, row.site) == (
        "a" * 64,
        a_record().article.url,
        "blog.example.com",
    )
    assert row.canonical == "https://blog.example.com/connection-pools"
    assert row.words == a_record().details.words
    assert row.fetched_at.utcoffset() == timedelta(0)


async def test_an_address_that_is_no_link_has_no_canonical_form(url: URL) -> None:
    record = a_record()
    odd = record.model_copy(update={"article": record.article.model_copy(update={"url": "row 7"})})
    async with open_database(url) as engine:
        await SqlDigests(engine).add(odd, content_hash="a" * 64)
        async with engine.connect() as connection:
            row = (await connection.execute(select(ArticleRow))).one()
    assert (row.url, row.canonical) == ("row 7", None)


async def test_a_new_answer_to_the_same_question_replaces_the_old_one(url: URL) -> None:
    async with open_database(url) as engine:
        digests = SqlDigests(engine)
        await digests.add(a_record(), content_hash="a" * 64)
        for verdict, by in [("too_hard", "dana"), ("good", "dana"), ("too_easy", "dana")]:
            await digests.add_verdict(a_record().id, verdict, by=by)  # type: ignore[arg-type]
        await digests.add_verdict(a_record().id, "too_hard", by="lee")
        async with engine.connect() as connection:
            rows = (await connection.execute(select(VerdictRow.by, VerdictRow.verdict))).all()
    assert {tuple(row) for row in rows} == {
        ("dana", "too_easy"),
        ("dana", "good"),
        ("lee", "too_hard"),
    }


async def test_a_record_of_an_older_shape_counts_as_not_kept(url: URL, file: Path) -> None:
    async with open_database(url) as engine:
        digests = SqlDigests(engine)
        await digests.add(a_record(), content_hash="a" * 64)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("""UPDATE digests SET record = '{"id": "old"}'""")
        assert await digests.get(a_record().id) is None
        assert await digests.recent(5) == []


async def test_times_are_kept_in_utc(url: URL) -> None:
    seoul = datetime(2025, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    async with open_database(url) as engine:
        await SqlDigests(engine, now=lambda: seoul).add(a_record(), content_hash="a" * 64)
        async with engine.connect() as connection:
            row = (await connection.execute(select(ArticleRow.fetched_at))).one()
    assert row.fetched_at == datetime(2025, 3, 1, tzinfo=UTC)
    assert row.fetched_at.tzinfo is UTC
