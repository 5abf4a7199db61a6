"""What search finds, and above all what it does not find, on SQLite and PostgreSQL, with the index
in memory and in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Executable, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.shelf import HERE, MINE, Shelves, day

from core.engine.echo import HashingEncoder
from core.explaining import Explainer, Explanation, Unknown
from core.judging import glossary
from core.library import Channels, Everything, Filters, LibraryState
from core.places import Place, Scope
from core.ports import Digests, Library, Vectors
from core.settings import RetrievalSettings
from storage import statements
from storage.database import open_database
from storage.erasing import SqlErasing
from storage.finder import Finder
from storage.library import SqlLibrary
from storage.postgres_index import open_postgres_index

POOLS = "A connection pool keeps database connections open. Opening one costs a TLS handshake."
QUEUES = "A message queue decouples producers from consumers. Consumers acknowledge each message."
KOREAN = "쿠버네티스는 컨테이너를 배포하고 관리합니다. 파드가 죽으면 컨트롤러가 다시 띄웁니다."


# The server with pgvector takes two seconds to start, besides the other one.
@pytest.fixture(params=["sqlite", "postgres", pytest.param("vector", marks=pytest.mark.slow)])
async def shelves(request: pytest.FixtureRequest) -> AsyncIterator[Shelves]:
    """In memory over either database, and in PostgreSQL itself."""
    url: URL = request.getfixturevalue(f"{request.param}_database")
    async with open_database(url) as engine:
        made = Shelves(engine, await finder(engine) if request.param == "vector" else None)
        port: Library = made.library
        assert port is made.library
        yield made


async def finder(engine: AsyncEngine, **settings: int) -> Finder:
    return await open_postgres_index(engine, HashingEncoder(), RetrievalSettings(**settings))


async def titles(shelves: Shelves, query: str, **options: object) -> list[str | None]:
    wanted = {"reach": Everything(), **options}
    return [hit.title for hit in await shelves.library.search(query, **wanted)]  # type: ignore[arg-type]


# --- what is found


async def test_the_article_that_is_asked_for_comes_first(shelves: Shelves) -> None:
    record = await shelves.shelve("Connection pools", POOLS)
    await shelves.shelve("Queues", QUEUES)
    hits = await shelves.library.search("why keep connections open?", reach=Everything())
    assert hits[0].digest_id == record.id
    assert hits[0].link == record.article.url
    assert "connections open" in hits[0].text
    assert hits[0].parts.covered > 0


@pytest.mark.parametrize(
    "query",
    [
        "쿠버네티스가 컨테이너를 어떻게 배포하나요?",
        "쿠버네티스에서의 배포",
        "파드는 누가 다시 띄우나",
    ],
)
async def test_korean_is_found_whatever_particles_stand_at_its_words(
    shelves: Shelves, query: str
) -> None:
    await shelves.shelve("쿠버네티스 입문", KOREAN)
    await shelves.shelve("메시지 대기열", "메시지 대기열은 생산자와 소비자를 나눕니다.")
    assert (await titles(shelves, query))[0] == "쿠버네티스 입문"


async def test_a_korean_question_finds_an_english_article(shelves: Shelves) -> None:
    await shelves.shelve("Load balancing in Kubernetes", "Kubernetes spreads requests over pods.")
    await shelves.shelve("Queues", QUEUES)
    await shelves.shelve("Connection pools", POOLS)
    assert (await titles(shelves, "쿠버네티스의 부하 분산"))[0] == "Load balancing in Kubernetes"


async def test_an_english_question_finds_a_korean_article(shelves: Shelves) -> None:
    await shelves.shelve("쿠버네티스 입문", KOREAN)
    await shelves.shelve("메시지 대기열", "메시지 대기열은 생산자와 소비자를 나눕니다.")
    assert (await titles(shelves, "kubernetes"))[0] == "쿠버네티스 입문"


async def test_made_up_terms_are_not_explained_though_something_is_always_nearest(
    shelves: Shelves,
) -> None:
    for title, content in (("Pools", POOLS), ("Queues", QUEUES), ("쿠버네티스 입문", KOREAN)):
        await shelves.shelve(title, content)
    digests: Digests = shelves.digests
    explainer = Explainer(shelves.library, digests, None, glossary.lookup, list)
    for made_up in (
        "snorvane",
        "poolbrixt",
        "queuebert",
        "kubernoodles",
        "쿠버누들스",
        "메시지깨비",
    ):
        assert await shelves.library.passages(made_up, reach=Everything())
        found = await explainer.explain(made_up, "en", Everything())
        assert isinstance(found, Unknown), found
    known = await explainer.explain("connection pool", "en", Everything())
    assert isinstance(known, Explanation)


async def test_passages_are_the_articles_own_words(shelves: Shelves) -> None:
    content = f"{POOLS}\n\n## Size\n\n" + "Two connections for each core are a good start. " * 12
    record = await shelves.shelve("Connection pools", content)
    await shelves.shelve("Queues", QUEUES)
    found = await shelves.library.passages("how many connections a core", reach=Everything())
    assert found[0].digest_id == record.id
    assert "Two connections for each core" in found[0].text
    assert sum(passage.digest_id == record.id for passage in found) <= 2


async def test_one_article_is_one_hit_however_many_digests_it_has(shelves: Shelves) -> None:
    await shelves.shelve("Connection pools", POOLS, digest_language="en")
    await shelves.shelve("Connection pools", POOLS, digest_language="ko")
    assert await titles(shelves, "connection pools") == ["Connection pools"]
    assert await titles(shelves, "") == ["Connection pools"]


async def test_without_a_question_the_newest_come_first(shelves: Shelves) -> None:
    old = await shelves.keep("Old", POOLS)
    new = await shelves.keep("New", QUEUES)
    await shelves.made_at(old, day(1))
    await shelves.made_at(new, day(2))
    await shelves.library.shelving.catch_up()
    assert await titles(shelves, " ") == ["New", "Old"]


async def test_filters_leave_out_what_does_not_pass(shelves: Shelves) -> None:
    easy = await shelves.keep("Pools for all", POOLS, difficulty=1.5)
    hard = await shelves.keep(
        "Pools inside", POOLS + " Yes.", difficulty=4.5, link="https://b.example.org/x"
    )
    korean = await shelves.keep(
        "연결 풀 pool", "연결 풀은 연결을 재사용합니다. pool", difficulty=2.8
    )
    for record, number in ((easy, 1), (hard, 2), (korean, 3)):
        await shelves.made_at(record, day(number))
    await shelves.library.shelving.catch_up()
    for query in ("connection pools", ""):

        async def left(query: str = query, **wanted: object) -> set[str | None]:
            return set(await titles(shelves, query, filters=Filters(**wanted)))  # type: ignore[arg-type]

        assert await left(hardest=2.8) == {"Pools for all", "연결 풀 pool"}
        assert await left(easiest=2.8) == {"Pools inside", "연결 풀 pool"}
        assert await left(language="ko") == {"연결 풀 pool"}
        assert await left(site="b.example.org") == {"Pools inside"}
        assert await left(since=day(2)) == {"Pools inside", "연결 풀 pool"}


# --- what is not


@pytest.mark.parametrize(
    "place",
    [
        Place("slack", "T2", "C1"),
        Place("discord", "T1", "C1"),
        Place("slack", "T1", "private"),
        Place("slack", "t1", "C1"),
    ],
    ids=["another workspace", "another platform", "a private channel", "another spelling"],
)
@pytest.mark.parametrize("query", ["connection pools", ""])
async def test_what_was_shared_elsewhere_is_never_found(
    shelves: Shelves, place: Place, query: str
) -> None:
    theirs = await shelves.shelve("Connection pools, theirs", POOLS)
    ours = await shelves.shelve("Connection pools, ours", POOLS + " Really.")
    await shelves.share(theirs, place)
    await shelves.share(ours)
    assert await titles(shelves, query, reach=MINE) == ["Connection pools, ours"]
    found = await shelves.library.passages("connection pools", reach=MINE)
    assert {passage.digest_id for passage in found} == {ours.id}


@pytest.mark.parametrize("listed", [1, 10_000])
async def test_within_reach_much_that_fits_better_elsewhere_hides_nothing(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    """More of others' articles than are looked up at first, where the reach cannot be listed."""
    monkeypatch.setattr("storage.memory_index._LOOKED_UP", 10)
    monkeypatch.setattr("storage.reaches._FEW", listed)
    monkeypatch.setattr("storage.postgres_index._NEAREST", 10)
    own = await finder(shelves.engine, candidates=10) if shelves.finder else None
    settings = RetrievalSettings(candidates=10)
    shelves.library = SqlLibrary(shelves.engine, HashingEncoder(), settings, own)
    for number in range(25):
        await shelves.keep(f"Connection pools {number}", f"{POOLS} {number}")
    ours = await shelves.keep("Waiting", "Requests wait while every connection is in use.")
    while await shelves.library.shelving.catch_up(30):
        pass
    await shelves.share(ours)
    assert await titles(shelves, "connection pools", reach=MINE, limit=3) == ["Waiting"]


async def test_what_was_shared_again_and_again_hides_nothing(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is cut off is not taken for the whole reach."""
    monkeypatch.setattr("storage.reaches._FEW", 3)
    pools = await shelves.shelve("Connection pools", POOLS)
    queues = await shelves.shelve("Queues", QUEUES)
    for message in range(4):
        await shelves.share(pools, message=f"{message}.0")
    await shelves.share(queues, message="9.0")
    assert "Queues" in await titles(shelves, "message queue", reach=MINE)
    assert "Connection pools" in await titles(shelves, "connection pool", reach=MINE)


async def test_nobodys_channels_reach_nothing(shelves: Shelves) -> None:
    await shelves.share(await shelves.shelve("Connection pools", POOLS))
    nothing = Channels("slack", "T1", frozenset())
    assert await titles(shelves, "connection pools", reach=nothing) == []
    assert await titles(shelves, "", reach=nothing) == []


async def test_what_was_withdrawn_is_not_found(shelves: Shelves) -> None:
    await shelves.share(await shelves.shelve("Connection pools", POOLS))
    assert await titles(shelves, "connection pools", reach=MINE) == ["Connection pools"]
    await shelves.deliveries.withdraw(HERE, "1.0")
    assert await titles(shelves, "connection pools", reach=MINE) == []


async def test_what_was_erased_is_gone_from_the_index_too(shelves: Shelves) -> None:
    await shelves.share(await shelves.shelve("Connection pools", POOLS))
    assert await titles(shelves, "connection pools") == ["Connection pools"]
    erased = await SqlErasing(shelves.engine).erase(Scope("slack", "T1"))
    assert erased.rows["library"] == 1
    assert await titles(shelves, "connection pools") == []
    assert await shelves.library.passages("connection pools", reach=Everything()) == []
    assert await shelves.library.state() == LibraryState(0, 0, 0)


async def test_what_was_removed_is_not_found(shelves: Shelves) -> None:
    record = await shelves.shelve("Connection pools", POOLS)
    assert await titles(shelves, "connection pools") == ["Connection pools"]
    await shelves.library.remove([record.id, "never there"])
    assert await titles(shelves, "connection pools") == []


# --- how it is kept


async def test_another_process_sees_what_was_added(shelves: Shelves) -> None:
    other = Shelves(shelves.engine, await finder(shelves.engine) if shelves.finder else None)
    assert await titles(other, "connection pools") == []
    await shelves.shelve("Connection pools", POOLS)
    assert await titles(other, "connection pools") == ["Connection pools"]


async def test_what_takes_the_place_of_the_last_removed_is_found(shelves: Shelves) -> None:
    """Readers know how far they have read by a number, which must not come twice."""
    last = await shelves.shelve("Connection pools", POOLS)
    assert await titles(shelves, "connection pools") == ["Connection pools"]
    await shelves.library.remove([last.id])
    async with shelves.engine.begin() as connection:
        await connection.execute(text("DELETE FROM digests"))
    await shelves.shelve("Queues", QUEUES)
    assert await titles(shelves, "message queue") == ["Queues"]


async def test_a_digest_made_again_is_put_in_again(shelves: Shelves) -> None:
    await shelves.shelve("Connection pools", POOLS)
    record = await shelves.keep("Connection pools", POOLS, summary="Elephants never forget.")
    assert (await shelves.library.state()).indexed == 0
    assert await shelves.library.shelving.catch_up() == 1
    found = await shelves.library.search("elephants", reach=Everything())
    assert [hit.digest_id for hit in found] == [record.id]
    assert (await shelves.library.state()).indexed == 1


class Real(HashingEncoder):
    """Stands for an encoder with a model."""

    name = "real"


async def test_a_process_without_a_model_never_replaces_what_one_with_a_model_put_in(
    sqlite_database: URL,
) -> None:
    async with open_database(sqlite_database) as engine:
        bot = Shelves(engine)
        worker = SqlLibrary(engine, Real())
        await bot.shelve("Connection pools", POOLS)
        assert await worker.shelving.catch_up() == 1
        assert await bot.library.shelving.catch_up() == 0
        assert await worker.shelving.catch_up() == 0
        assert (await bot.library.state()).indexed == (await worker.state()).indexed == 1
        assert await titles(bot, "connection pools") == ["Connection pools"]


class Renewed(HashingEncoder):
    """Stands for an encoder of another revision, to whose vectors the old ones say nothing."""

    name = "hashing@2"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.ascontiguousarray((await super().embed(texts))[:, ::-1])


async def test_another_revision_of_the_encoder_makes_the_vectors_anew_while_the_old_are_found(
    shelves: Shelves,
) -> None:
    for title, content in (("Connection pools", POOLS), ("Queues", QUEUES)):
        await shelves.shelve(title, content)
    shelves.library = SqlLibrary(shelves.engine, Renewed(), finder=shelves.finder)
    assert (await shelves.library.state()).indexed == 0
    assert "Queues" in await titles(shelves, "message queue")
    assert await shelves.library.shelving.catch_up() == 2
    assert await shelves.library.shelving.catch_up() == 0
    assert (await shelves.library.state()).indexed == 2
    assert (await titles(shelves, "message queue"))[0] == "Queues"


async def test_a_digest_nobody_keeps_is_not_added(shelves: Shelves) -> None:
    record = await shelves.keep("Connection pools", POOLS)
    article = await shelves.articles.read_at(record.article.url or "", day(1))
    assert article is not None
    async with shelves.engine.begin() as connection:
        await connection.execute(text("DELETE FROM digests"))
    await shelves.library.add(record, article)
    assert await titles(shelves, "connection pools") == []


class Died(Exception):
    """Stands for the end of the process."""


async def test_dying_in_the_middle_of_an_update_leaves_the_rest_to_do(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second row of two cannot be written: neither is, both are found again as missing."""
    for title, content in (("Connection pools", POOLS), ("Queues", QUEUES)):
        await shelves.keep(title, content)
    putting, written = statements.putting, 0

    def dying(*arguments: Any, **options: Any) -> Executable:
        nonlocal written
        written += 1
        if written == 2:
            raise Died
        return putting(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(statements, "putting", dying)
        with pytest.raises(Died):
            await shelves.library.shelving.catch_up()
    assert (await shelves.library.state()).indexed == 0
    assert await shelves.library.shelving.catch_up() == 2
    assert set(await titles(shelves, "connection queue")) == {"Connection pools", "Queues"}
