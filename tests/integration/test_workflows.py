"""Durable work on real databases: once, whatever is lost, and together with others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import CONTENT
from support.chats import FakeChat, Lost, Message
from support.fakes import FakeEncoder, FakeEngine, FakeWeb

from bot.chats import Ready, Trouble, Waiting
from bot.durable.store import WorkflowStore, erase_remembered
from bot.durable.workflows import Workflows
from bot.making import Maker
from core import retrying
from core.article import Page
from core.digesting import Digester
from core.errors import (
    ChatRefused,
    ChatUnavailable,
    DigestError,
    NotFound,
    SiteUnavailable,
    StorageUnavailable,
)
from core.places import Delivery, Place, SharedLink
from core.ports import Generation, Prompt
from core.settings import DigestSettings, GenerationSettings, QueueSettings, WebSettings
from core.web.extract import Extractor
from core.web.pages import KeptPages
from storage.articles import SqlArticles
from storage.database import open_database, workflow_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests

pytestmark = pytest.mark.slow

LINK = "https://blog.example.com/pools"


class Engine(FakeEngine):
    """Writes as slowly as it is told; counts how much it wrote and how much at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.written = 0
        self.at_once = 0
        self.most_at_once = 0

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        self.written += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        return "A connection pool keeps database connections open."


class Site(FakeWeb):
    """Every address has an article of its own, but for those a test says something else of."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles: dict[str, list[DigestError]] = {}

    async def fetch(self, url: str) -> Page:
        self.asked.append(url)
        if self.troubles.get(url):
            raise self.troubles[url].pop(0)
        body = f"# About {url}\n\n{CONTENT}\n\nThis was number {url[-6:]} of a series."
        return Page(url, body.encode(), "text/markdown", "utf-8")


class World:
    """One process's worth of everything; `at_work` may be entered again, as after a restart."""

    def __init__(self, database: AsyncEngine, store: WorkflowStore, folder: Path) -> None:
        self.database = database
        self.store = store
        self.site = Site()
        self.chat = FakeChat()
        self.engine = Engine()
        self.deliveries = SqlDeliveries(database)
        digester = Digester(self.engine, FakeEncoder(), DigestSettings(), GenerationSettings())
        self.maker = Maker(
            KeptPages(folder / "pages", self.site),
            Extractor(WebSettings()),
            digester,
            SqlArticles(database),
            SqlDigests(database),
            reuse=timedelta(hours=1),
        )
        self.starts = 0

    @asynccontextmanager
    async def at_work(self, **settings: float) -> AsyncIterator[Workflows]:
        self.starts += 1
        workflows = Workflows(
            self.deliveries,
            self.maker,
            {"slack": self.chat},
            QueueSettings.model_validate({"polling": 0.05, "grace": 0.3} | settings),
            store=self.store,
            executor=f"process-{self.starts}",
        )
        async with workflows.open():
            yield workflows

    async def accept(self, link: str = LINK, *, message: str = "1.0", **more: str) -> Delivery:
        place = Place("slack", "T1", more.pop("channel", "C1"))
        shared = SharedLink(
            link, place, message, "U1", nonce=more.pop("nonce", ""), again=bool(more)
        )
        return (await self.deliveries.accept(shared))[0]

    def message_of(self, delivery: Delivery) -> Message:
        [message] = [one for one in self.chat.messages.values() if one.key == delivery.id]
        return message

    async def state_of(self, delivery: Delivery) -> str:
        found = await self.deliveries.get(delivery.id)
        assert found is not None
        return found.state

    async def until_state(self, delivery: Delivery, state: str) -> None:
        async with asyncio.timeout(30):
            while await self.state_of(delivery) != state:
                await asyncio.sleep(0.02)


@pytest.fixture
async def world(with_workflows: URL, tmp_path: Path) -> AsyncIterator[World]:
    async with _opened(with_workflows, tmp_path) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
async def either_world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite and on PostgreSQL, for what the database has a say in."""
    name = {"sqlite": "with_workflows", "postgres": "postgres_database"}[request.param]
    async with _opened(request.getfixturevalue(name), tmp_path) as opened:
        yield opened


@asynccontextmanager
async def _opened(url: URL, folder: Path) -> AsyncIterator[World]:
    async with open_database(url) as database:
        yield World(database, WorkflowStore(await workflow_database(url)), folder)


@pytest.fixture(autouse=True)
def _quick_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same decisions in a hundredth of the time."""
    monkeypatch.setattr(
        "bot.durable.steps.delay",
        lambda *given: None if (wait := retrying.delay(*given)) is None else wait / 100,
    )


async def test_a_link_is_answered_in_place_of_its_placeholder(either_world: World) -> None:
    async with either_world.at_work() as work:
        delivery = await either_world.accept()
        await work.enqueue(delivery)
        await either_world.chat.until(lambda: bool(either_world.chat.answers(Ready)))
        await either_world.until_state(delivery, "answered")
    message = either_world.message_of(delivery)
    assert [type(said) for said in message.said] == [Waiting, Ready]
    kept = await either_world.deliveries.get(delivery.id)
    assert kept is not None
    assert isinstance(message.stands, Ready)
    assert kept.digest_id == message.stands.record.id


async def test_queued_twice_is_answered_once(world: World) -> None:
    async with world.at_work() as work:
        delivery = await world.accept()
        for _ in range(3):
            await work.enqueue(delivery)
        await world.until_state(delivery, "answered")
        await work.enqueue(delivery)
    assert len(world.chat.messages) == 1
    assert len(world.message_of(delivery).said) == 2


async def test_one_link_in_many_channels_is_read_and_digested_once(either_world: World) -> None:
    either_world.engine.seconds = 0.1
    async with either_world.at_work() as work:
        accepted = [await either_world.accept(message=f"{n}.0", channel=f"C{n}") for n in range(8)]
        for delivery in accepted:
            await work.enqueue(delivery)
        await either_world.chat.until(lambda: len(either_world.chat.answers(Ready)) == 8)
    assert either_world.site.asked == [LINK]
    alone = either_world.engine.written
    digests = {one.stands.record.id for one in either_world.chat.answers(Ready)}  # type: ignore[union-attr]
    assert len(digests) == 1
    assert alone <= 3, "one draft and its terms, not eight"


async def test_a_link_digested_before_is_answered_at_once_and_says_so(world: World) -> None:
    async with world.at_work() as work:
        await work.enqueue(await world.accept())
        await world.chat.until(lambda: len(world.chat.answers(Ready)) == 1)
        later = await world.accept(message="2.0")
        await work.enqueue(later)
        await world.until_state(later, "answered")
    [said] = world.message_of(later).said
    assert isinstance(said, Ready)
    assert said.known
    assert world.site.asked == [LINK]


async def test_again_reads_and_digests_anew(world: World) -> None:
    async with world.at_work() as work:
        await work.enqueue(await world.accept())
        await world.chat.until(lambda: len(world.chat.answers(Ready)) == 1)
        before = world.engine.written
        again = await world.accept(nonce="n1", again="yes")
        await work.enqueue(again)
        await world.until_state(again, "answered")
    assert world.site.asked == [LINK, LINK]
    assert world.engine.written > before
    assert len(world.chat.messages) == 2


async def test_a_page_that_is_not_there_is_asked_for_once_and_told(world: World) -> None:
    world.site.troubles[LINK] = [NotFound(LINK, "404")]
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "failed")
    stands = world.message_of(delivery).stands
    assert isinstance(stands, Trouble)
    assert type(stands.error) is NotFound
    assert world.site.asked == [LINK]


async def test_a_site_that_is_away_for_a_moment_is_asked_again_and_no_sooner_than_it_wants(
    world: World,
) -> None:
    world.site.troubles[LINK] = [SiteUnavailable(LINK, "503", retry_after=40.0)]
    async with world.at_work() as work:
        delivery = await world.accept()
        started = time.monotonic()
        await work.enqueue(delivery)
        await world.until_state(delivery, "answered")
        assert time.monotonic() - started >= 0.4, "a hundredth of what it asked for"
    assert world.site.asked == [LINK, LINK]


async def test_a_site_that_stays_away_is_told_after_a_few_attempts(world: World) -> None:
    world.site.troubles[LINK] = [SiteUnavailable(LINK, "503") for _ in range(9)]
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "failed")
    assert len(world.site.asked) == 4


async def test_a_database_that_is_away_for_a_moment_does_not_send_us_to_the_site_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, away = SqlArticles.put, [StorageUnavailable("database") for _ in range(3)]

    async def sometimes(*given: Any, **more: Any) -> str:
        if away:
            raise away.pop()
        return await put(*given, **more)

    monkeypatch.setattr(SqlArticles, "put", sometimes)
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "answered")
    assert away == []
    assert world.site.asked == [LINK]


async def test_a_chat_that_loses_answers_and_refuses_is_answered_once(world: World) -> None:
    lost, away = ChatUnavailable("slack", "reset"), ChatUnavailable("slack", retry_after=1.0)
    world.chat.faults.extend([away, Lost(lost), away, away, Lost(lost)])
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "answered")
    assert len(world.chat.messages) == 1
    assert isinstance(world.message_of(delivery).stands, Ready)


async def test_a_channel_that_takes_no_messages_ends_the_matter(world: World) -> None:
    world.chat.faults.append(ChatRefused("slack", "is_archived"))
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "failed")
    assert world.chat.messages == {}
    assert world.site.asked == []


async def test_a_surprise_is_told_too_and_others_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.site.troubles[LINK] = [ZeroDivisionError("nobody expected this")]  # type: ignore[list-item]
    async with world.at_work() as work:
        broken = await world.accept()
        fine = await world.accept(f"{LINK}/2", message="2.0")
        await work.enqueue(broken)
        await work.enqueue(fine)
        await world.until_state(broken, "failed")
        await world.until_state(fine, "answered")
    assert "nobody expected this" in caplog.text
    assert isinstance(world.message_of(broken).stands, Trouble)


async def test_work_that_was_begun_is_finished_behind_its_last_step_by_who_adopts_it(
    either_world: World,
) -> None:
    either_world.engine.seconds = 60.0
    async with either_world.at_work() as work:
        delivery = await either_world.accept()
        await work.enqueue(delivery)
        async with asyncio.timeout(30):
            while not either_world.engine.written:
                await asyncio.sleep(0.02)
    assert isinstance(either_world.message_of(delivery).stands, Waiting), "stopped in the middle"
    either_world.engine.seconds = 0.0
    async with either_world.at_work() as work:
        assert await work.adopt(["process-1"]) == 2, "the link's workflow and the digest's"
        assert await work.adopt(["process-1"]) == 0
        await either_world.until_state(delivery, "answered")
    assert either_world.site.asked == [LINK], "what was read is not read again"
    assert [type(said) for said in either_world.message_of(delivery).said] == [Waiting, Ready]


async def test_a_process_stops_in_time_although_it_is_busy(world: World) -> None:
    world.engine.seconds = 60.0
    async with world.at_work(grace=1.0) as work:
        for number in range(20):
            await work.enqueue(await world.accept(f"{LINK}/{number}", message=f"{number}.0"))
        await world.chat.until(lambda: len(world.chat.messages) == 20)
        began = time.monotonic()
    assert time.monotonic() - began < 20.0, "a digest takes 60"


async def test_a_channel_with_many_links_does_not_starve_another_one(either_world: World) -> None:
    # slow beside the queue's polling, or a busy machine lets many through before it is asked again
    either_world.engine.seconds = 0.06
    async with either_world.at_work(links=4, digests=1) as work:
        for number in range(40):
            delivery = await either_world.accept(
                f"{LINK}/{number}", message=f"{number}.0", channel="BUSY"
            )
            await work.enqueue(delivery)
        await either_world.chat.until(lambda: len(either_world.chat.answers(Ready)) >= 3)
        quiet = await either_world.accept(f"{LINK}/quiet", message="1.0", channel="QUIET")
        await work.enqueue(quiet)
        await either_world.until_state(quiet, "answered")
        busy = len(either_world.chat.answers(Ready)) - 1
    assert busy < 30, "it did not wait behind all 40 of them"


async def test_no_more_digests_at_once_than_the_engine_is_meant_to_make(world: World) -> None:
    world.engine.seconds = 0.05
    async with world.at_work(digests=2) as work:
        for number in range(10):
            await work.enqueue(await world.accept(f"{LINK}/{number}", message=f"{number}.0"))
        await world.chat.until(lambda: len(world.chat.answers(Ready)) == 10)
    assert world.engine.most_at_once <= 2 * 3, "a digest asks for a draft and two terms at most"


async def test_a_withdrawn_link_s_answer_is_removed(world: World) -> None:
    async with world.at_work() as work:
        delivery = await world.accept()
        await work.enqueue(delivery)
        await world.until_state(delivery, "answered")
        gone = await world.deliveries.withdraw(delivery.shared.place, delivery.shared.message)
        await work.take_back(gone)
        await world.chat.until(lambda: not world.chat.messages)
    assert len(world.chat.removed) == 1


async def test_what_workflows_remember_says_nothing_of_people_and_can_be_erased(
    either_world: World,
) -> None:
    place = Place("slack", "TEAM-XYZ", "CHANNEL-XYZ")
    shared = SharedLink(LINK, place, "MESSAGE-XYZ", "PERSON-XYZ")
    async with either_world.at_work() as work:
        delivery, _ = await either_world.deliveries.accept(shared)
        await work.enqueue(delivery)
        await either_world.until_state(delivery, "answered")
        async with asyncio.timeout(30):
            while (await work.standing([delivery]))[delivery.id] != "answered":
                await asyncio.sleep(0.02)
        kept = await asyncio.to_thread(_everything, either_world.store)
        assert delivery.id in kept
        assert "XYZ" not in kept
        await asyncio.to_thread(erase_remembered, either_world.store, [delivery.id])
        assert delivery.id not in await asyncio.to_thread(_everything, either_world.store)


async def test_finished_work_is_forgotten_in_time_and_unfinished_is_not(
    either_world: World,
) -> None:
    async with either_world.at_work() as work:
        done = await either_world.accept()
        await work.enqueue(done)
        await either_world.until_state(done, "answered")
        either_world.engine.seconds = 60.0
        going = await either_world.accept(f"{LINK}/2", message="2.0")
        await work.enqueue(going)
        await either_world.chat.until(lambda: len(either_world.chat.messages) == 2)
        assert await work.forget(datetime.now(UTC) - timedelta(days=1)) == 0
        async with asyncio.timeout(30):
            while (await work.standing([done]))[done.id] != "missing":
                await work.forget(datetime.now(UTC) + timedelta(minutes=1))
                await asyncio.sleep(0.05)
        assert (await work.standing([going]))[going.id] == "going"


def _everything(store: WorkflowStore) -> str:
    """All that the engine of the workflows has kept, as text."""
    engine = create_engine(store.url)
    schema = store.schema if engine.dialect.name == "postgresql" else None
    with engine.connect() as connection:
        names = inspect(connection).get_table_names(schema=schema)
        assert "workflow_status" in names
        where = f'"{schema}".' if schema else ""
        rows = [
            connection.execute(text(f'SELECT * FROM {where}"{name}"')).all()  # noqa: S608
            for name in names
        ]
    engine.dispose()
    return str(rows)
