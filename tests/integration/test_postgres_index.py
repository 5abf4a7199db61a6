"""The index in PostgreSQL: what it asks of the server, and that it finds what memory finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from support.postgres import PostgresServer
from support.shelf import MINE, Shelves

import storage.postgres_filling
import storage.postgres_index
from core.engine.echo import HashingEncoder
from core.errors import SettingsError
from core.library import Everything, Filters
from core.ports import Vectors
from core.settings import RetrievalSettings
from storage.database import database_url, open_database
from storage.library import SqlLibrary, library_over
from storage.postgres_index import open_postgres_index

IN_POSTGRESQL = RetrievalSettings(index="postgresql")
SUBJECTS = ("pools", "queues", "caches", "locks", "indexes", "replicas", "shards", "logs")
QUESTIONS = (
    "why are caches cold after a deploy?",
    "replicas",
    "how do shards and locks meet",
    "복제본은 왜 늦나요?",
    "logs that nobody reads",
    "wombats",
)


class Narrow(HashingEncoder):
    """Vectors of fewer numbers."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        cut = (await super().embed(texts))[:, :16] + np.float32(0.01)
        return np.asarray(cut / np.linalg.norm(cut, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
async def shelves(vector_database: URL) -> AsyncIterator[Shelves]:
    """Searched in memory; the tests open the other index beside."""
    async with open_database(vector_database) as engine:
        yield Shelves(engine)


async def beside(shelves: Shelves) -> SqlLibrary:
    return await library_over(shelves.engine, HashingEncoder(), IN_POSTGRESQL)


async def fill(shelves: Shelves, count: int = 40) -> None:
    for number in range(count):
        first, second = SUBJECTS[number % 8], SUBJECTS[number * 3 % 7]
        await shelves.keep(
            f"About {first} {number}",
            f"{first} and {second} in service {number}. " + f"We saw {first} fail. " * (number % 5),
            difficulty=1.0 + number % 4,
        )
    await shelves.keep("복제본이 늦는 까닭", "복제본은 기록을 따라가므로 늦습니다.")
    while await shelves.library.shelving.catch_up(50):
        pass


async def rows(shelves: Shelves, statement: str) -> list[Any]:
    async with shelves.engine.connect() as connection:
        return list((await connection.execute(text(statement))).scalars())


@pytest.mark.parametrize("query", QUESTIONS)
async def test_both_indexes_find_the_same_in_the_same_order(shelves: Shelves, query: str) -> None:
    await fill(shelves)
    other = await beside(shelves)
    for filters in (Filters(), Filters(hardest=2.0)):
        wanted = await shelves.library.search(query, reach=Everything(), filters=filters)
        found = await other.search(query, reach=Everything(), filters=filters)
        assert [hit.digest_id for hit in found] == [hit.digest_id for hit in wanted]
        scores = [hit.score for hit in wanted]
        assert [hit.score for hit in found] == pytest.approx(scores, abs=0.01)
        for hit in found:
            assert hit.difficulty <= filters.hardest


async def test_an_index_of_vectors_that_gives_up_early_hides_nothing(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.postgres_filling, "_MANY", 1)
    hurried = (
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),"
        " set_config('hnsw.ef_search', '1', true), set_config('hnsw.iterative_scan', 'off', true)"
    )
    monkeypatch.setattr(storage.postgres_index, "_SEARCHING", text(hurried))
    await fill(shelves)
    easy, other = Filters(hardest=1.0), await beside(shelves)
    await other.refresh()
    made = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_library_search_near'"
    assert await rows(shelves, made) == [1]
    async with shelves.engine.connect() as connection:
        await connection.execute(text(hurried))
        near = "SELECT count(*) FROM (SELECT 1 FROM library_search ORDER BY direction <=>"
        origin = " (SELECT direction FROM library_search LIMIT 1) LIMIT 20) AS found"
        assert (await connection.execute(text(near + origin))).scalar_one() < 20
    wanted = await shelves.library.search("wombats", reach=Everything(), filters=easy)
    found = await other.search("wombats", reach=Everything(), filters=easy)
    assert len(wanted) == 10
    assert [hit.digest_id for hit in found] == [hit.digest_id for hit in wanted]


async def test_a_library_that_was_searched_in_memory_is_taken_over(shelves: Shelves) -> None:
    await fill(shelves, 3)
    other = await beside(shelves)
    assert (await other.search("caches", reach=Everything()))[0].title == "About caches 2"


async def test_two_processes_that_fill_it_at_once_fill_it_once(shelves: Shelves) -> None:
    await fill(shelves)
    first, second = await beside(shelves), await beside(shelves)
    await asyncio.gather(first.refresh(), second.refresh())
    assert await rows(shelves, "SELECT count(*) FROM library_search") == [41]
    assert await rows(shelves, "SELECT documents FROM library_totals") == [41]


async def test_dying_while_it_is_filled_leaves_the_rest_to_do(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(shelves, 5)
    found = await open_postgres_index(shelves.engine, HashingEncoder(), IN_POSTGRESQL)
    searched, batches = storage.postgres_filling._searched, 0

    def dying(*arguments: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise KeyError("the end of the process")
        return searched(*arguments)

    two_a_time = storage.postgres_filling._MISSING.limit(2)
    monkeypatch.setattr(storage.postgres_filling, "_MISSING", two_a_time)
    with monkeypatch.context() as patched:
        patched.setattr(storage.postgres_filling, "_searched", dying)
        with pytest.raises(KeyError):
            await found.refresh()
    assert await rows(shelves, "SELECT count(*) FROM library_search") == [2]
    await found.refresh()
    assert await rows(shelves, "SELECT count(*) FROM library_search") == [6]


async def test_a_row_that_is_being_erased_is_neither_waited_for_nor_forgotten(
    shelves: Shelves,
) -> None:
    record = await shelves.shelve("Connection pools", "Pools keep connections open.")
    await shelves.shelve("Queues", "Queues keep messages.")
    found = await beside(shelves)
    async with shelves.engine.connect() as connection:
        gone = text("DELETE FROM library WHERE digest_id = :id")
        await connection.execute(gone, {"id": record.id})
        hits = await asyncio.wait_for(found.search("queues", reach=Everything()), 20)
        assert [hit.title for hit in hits] == ["Queues"]
        await connection.rollback()
    assert len(await found.search("queues", reach=Everything())) == 2


async def test_words_of_what_was_erased_are_not_kept(shelves: Shelves) -> None:
    await shelves.share(await shelves.shelve("Connection pools", "Pools keep connections open."))
    found = await beside(shelves)
    assert len(await found.search("pools", reach=MINE)) == 1
    async with shelves.engine.begin() as connection:
        await connection.execute(text("DELETE FROM library"))
    assert await rows(shelves, "SELECT count(*) FROM library_search") == [0]
    await (await beside(shelves)).refresh()
    assert await rows(shelves, "SELECT count(*) FROM library_words") == [0]


# --- where it cannot be had


async def test_sqlite_cannot_have_it(sqlite_database: URL) -> None:
    async with open_database(sqlite_database) as engine:
        with pytest.raises(SettingsError, match="not PostgreSQL"):
            await library_over(engine, HashingEncoder(), IN_POSTGRESQL)


async def test_a_server_without_the_extension_says_so(
    postgres_database: URL, postgres_server: PostgresServer
) -> None:
    offered = "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
    if postgres_server.execute(offered):
        pytest.skip("this server has pgvector")
    async with open_database(postgres_database) as engine:
        with pytest.raises(SettingsError, match="no pgvector"):
            await library_over(engine, HashingEncoder(), IN_POSTGRESQL)


async def test_who_may_not_create_the_extension_is_told_whom_to_ask(
    vector_server: PostgresServer,
) -> None:
    vector_server.execute("CREATE ROLE humble LOGIN")
    url = vector_server.create_database()
    name = url.rpartition("/")[2]
    try:
        vector_server.execute(f'ALTER DATABASE "{name}" OWNER TO humble')
        async with open_database(database_url(url.replace("postgres@", "humble@"), None)) as engine:  # type: ignore[arg-type]
            with pytest.raises(SettingsError, match="administrator for CREATE EXTENSION vector"):
                await library_over(engine, HashingEncoder(), IN_POSTGRESQL)
            vector_server.execute("CREATE EXTENSION vector", name)
            await library_over(engine, HashingEncoder(), IN_POSTGRESQL)
    finally:
        vector_server.drop_database(url)
        vector_server.execute("DROP ROLE humble")


async def test_another_encoder_does_not_take_it_away_unless_it_is_rebuilt(shelves: Shelves) -> None:
    await shelves.shelve("Connection pools", "Pools keep connections open.")
    await (await beside(shelves)).refresh()
    with pytest.raises(SettingsError, match="numbers a vector"):
        await library_over(shelves.engine, Narrow(), IN_POSTGRESQL)
    assert await rows(shelves, "SELECT count(*) FROM library_search") == [1]
    other = await library_over(shelves.engine, Narrow(), IN_POSTGRESQL, anew=True)
    assert [hit.title for hit in await other.search("pools", reach=Everything())]
    # What other tests of this database expect.
    await library_over(shelves.engine, HashingEncoder(), IN_POSTGRESQL, anew=True)
