"""A morning on real databases: chosen from what was digested ahead, said once, whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import CONTENT
from support.chats import FakeChat, Lost, Message
from support.fake_subscriptions import PLACE, a_subscription
from support.fakes import FakeEncoder, FakeEngine, FakeWeb

from bot.chats import GivenUp, Morning, NothingNew, Ready
from bot.daily import Daily
from bot.durable import mornings as morning_work
from bot.durable.store import WorkflowStore
from bot.durable.workflows import Workflows
from bot.making import Maker
from bot.schedule import Schedule
from core import retrying
from core.announcements import morning_id
from core.article import Page
from core.digesting import Digester
from core.errors import ChatRefused, ChatUnavailable, NotFound
from core.feed import Announced, Source, Subscription
from core.places import HERE
from core.settings import DigestSettings, GenerationSettings, QueueSettings, WebSettings
from core.web.extract import Extractor
from core.web.pages import KeptPages
from storage.announcements import SqlAnnouncements
from storage.articles import SqlArticles
from storage.database import open_database, workflow_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.feeds import SqlFeeds
from storage.subscriptions import SqlSubscriptions

pytestmark = pytest.mark.slow

_PATIENCE = 180.0  # seconds, for busy machines
FEED = "https://feeds.example/a.xml"
NOW = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # half past eight in Seoul, on the 26th
TODAY = date(2026, 11, 26)


class Site(FakeWeb):
    """Every address has an article of its own, but those under /missing."""

    async def fetch(self, url: str) -> Page:
        self.asked.append(url)
        if "/missing" in url:
            raise NotFound(url, "404")
        body = f"# About {url}\n\n{CONTENT}\n\nThis was number {url[-6:]} of a series."
        return Page(url, body.encode(), "text/markdown", "utf-8")


class World:
    """Everything that outlives a process; `process` is one of those that share it."""

    def __init__(self, database: AsyncEngine, store: WorkflowStore, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.now = NOW
        self.site, self.chat = Site(), FakeChat()
        self.deliveries = SqlDeliveries(database)
        self.subscriptions = SqlSubscriptions(database, lambda: self.now)
        self.announcements = SqlAnnouncements(database, lambda: self.now)
        self.feeds = SqlFeeds(database, lambda: self.now)
        self.digests, self.articles = SqlDigests(database), SqlArticles(database)
        self.digester = Digester(
            FakeEngine(), FakeEncoder(), DigestSettings(), GenerationSettings()
        )
        self.chats: dict[str, Any] = {"slack": self.chat}
        self.starts = 0

    def daily(self, me: str = "here") -> Daily:
        return Daily(
            self.subscriptions,
            self.announcements,
            self.feeds,
            self.deliveries,
            self.digests,
            self.articles,
            self.digester,
            self.chats,
            me=me,
            now=lambda: self.now,
        )

    @asynccontextmanager
    async def process(self) -> AsyncIterator[tuple[Workflows, Schedule]]:
        self.starts += 1
        me = f"process-{self.starts}"
        maker = Maker(
            KeptPages(self.folder / "pages", self.site),
            Extractor(WebSettings()),
            self.digester,
            self.articles,
            self.digests,
            reuse=timedelta(hours=1),
        )
        daily = self.daily(me)
        workflows = Workflows(
            self.deliveries,
            maker,
            self.chats,
            QueueSettings.model_validate({"polling": 0.05, "grace": 0.2}),
            store=self.store,
            executor=me,
            daily=daily,
        )
        schedule = Schedule(
            self.subscriptions,
            self.announcements,
            self.feeds,
            daily,
            workflows,
            now=lambda: self.now,
        )
        async with workflows.open():
            yield workflows, schedule

    async def a_feed(self, *links: str, url: str = FEED) -> Source:
        """One that was just asked and announced these."""
        source = await self.feeds.add(url, title="A blog")
        await self.announce(source, *links)
        return source

    async def announce(self, source: Source, *links: str) -> None:
        await self.feeds.due(self.now + timedelta(days=9), 99, by="poller", lease=9)
        asked = replace(
            source,
            polled_at=self.now,
            worked_at=self.now,
            next_at=self.now + timedelta(hours=1),
        )
        items = [Announced("", link, f"About {link}") for link in links]
        await self.feeds.polled(asked, items, by="poller")

    async def subscribe(self, source: Source, **changes: Any) -> Subscription:
        made = a_subscription(sources=(source.id,), at=time(8), **changes)
        await self.subscriptions.put(made)
        return made

    def lists(self) -> list[Message]:
        return [one for one in self.chat.messages.values() if isinstance(one.stands, Morning)]

    async def until_kept(self, subscription: Subscription, day: date = TODAY) -> None:
        wanted = morning_id(subscription.id, day)
        async with asyncio.timeout(_PATIENCE):
            while await self.announcements.get(wanted) is None:
                await asyncio.sleep(0.02)

    async def until_digests(self, count: int) -> None:
        await self.chat.until(lambda: len(self.chat.answers(Ready)) >= count, _PATIENCE)


@pytest.fixture
async def world(with_workflows: URL, tmp_path: Path) -> AsyncIterator[World]:
    async with _world(with_workflows, tmp_path) as made:
        yield made


@asynccontextmanager
async def _world(url: URL, folder: Path) -> AsyncIterator[World]:
    async with open_database(url) as database:
        yield World(database, WorkflowStore(await workflow_database(url)), folder)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(morning_work, "_LOOK_SECONDS", 0.05)
    quick = replace(retrying.CHAT, first=0.02, longest=0.05)
    monkeypatch.setattr(retrying, "CHAT", quick)


async def test_a_morning_lists_what_was_digested_ahead_and_has_the_digests_in_its_thread(
    world: World,
) -> None:
    source = await world.a_feed("https://a.example/1", "https://a.example/2")
    await world.subscribe(source, by="U7", ui="ko")
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_digests(2)
    [told] = world.lists()
    shown = told.stands
    assert isinstance(shown, Morning)
    assert shown.day == TODAY
    assert {one.link for one in shown.listed} == {"https://a.example/1", "https://a.example/2"}
    assert all(one.source == "A blog" and one.minutes and one.sentence for one in shown.listed)
    assert told.shared.message.startswith("asked:")
    assert told.shared.place == PLACE
    [name] = [name for name, one in world.chat.messages.items() if one is told]
    for digest in world.chat.answers(Ready):
        assert digest.shared.place.thread == name
        assert (digest.shared.by, digest.shared.ui) == ("U7", "ko")
        assert digest.said == [digest.stands], "it is shown at once, without a placeholder"
    assert sorted(world.site.asked) == ["https://a.example/1", "https://a.example/2"]


async def test_it_is_posted_once_however_often_it_is_looked_for(world: World) -> None:
    source = await world.a_feed("https://a.example/1")
    subscription = await world.subscribe(source)
    for _ in range(2):  # and after a restart
        async with world.process() as (_, schedule):
            for _ in range(3):
                await schedule.look()
            await world.until_digests(1)
            await world.until_kept(subscription)
            await schedule.look()
    assert len(world.chat.messages) == 2
    kept = await world.announcements.latest()
    assert kept == {subscription.id: TODAY}


async def test_what_was_posted_is_not_posted_again_the_next_morning(world: World) -> None:
    source = await world.a_feed("https://a.example/1")
    subscription = await world.subscribe(source)
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_digests(1)
        world.now += timedelta(days=1)
        await world.announce(source, "https://a.example/1", "https://a.example/2")
        await schedule.look()
        await world.until_digests(2)
    first, second = (one.stands for one in world.lists())
    assert isinstance(first, Morning)
    assert isinstance(second, Morning)
    assert [one.link for one in second.listed] == ["https://a.example/2"]
    assert second.day == first.day + timedelta(days=1)
    assert len(await world.announcements.mornings(subscription.id, 9)) == 2


@pytest.mark.parametrize("say_so", [False, True])
async def test_a_morning_without_anything_new_is_quiet_or_one_line(
    world: World, say_so: bool
) -> None:
    source = await world.a_feed()
    subscription = await world.subscribe(source, say_nothing_new=say_so)
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_kept(subscription)
        if say_so:
            await world.chat.until(lambda: bool(world.chat.messages), _PATIENCE)
        await schedule.look()
    said = [one.stands for one in world.chat.messages.values()]
    assert said == ([NothingNew(subscription.id, TODAY)] if say_so else [])


async def test_an_article_that_cannot_be_read_is_left_out(world: World) -> None:
    source = await world.a_feed("https://a.example/missing", "https://a.example/2")
    await world.subscribe(source)
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_digests(1)
    [shown] = [one.stands for one in world.lists()]
    assert isinstance(shown, Morning)
    assert [one.link for one in shown.listed] == ["https://a.example/2"]


async def test_a_message_whose_answer_was_lost_is_not_posted_a_second_time(world: World) -> None:
    source = await world.a_feed("https://a.example/1")
    await world.subscribe(source)
    world.chat.faults.append(Lost(ChatUnavailable("slack", "reset")))
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_digests(1)
    assert len(world.lists()) == 1
    assert world.chat.looked


async def test_killed_between_the_post_and_its_record_it_posts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first process dies right behind the sending; another one adopts its work."""
    source = await world.a_feed("https://a.example/1")
    await world.subscribe(source)
    sent = asyncio.Event()

    async def dies(announcement_id: str, reply: str) -> None:
        sent.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(world.announcements, "replied", dies)
        async with world.process() as (_, schedule):
            await schedule.look()
            await asyncio.wait_for(sent.wait(), _PATIENCE)
    assert len(world.lists()) == 1
    world.now += timedelta(minutes=1)
    async with world.process() as (work, _):
        await work.adopt(["process-1"])
        await world.until_digests(1)
    assert len(world.lists()) == 1
    assert len(world.chat.messages) == 2


async def test_two_processes_that_do_the_same_morning_at_once_post_one_message(
    world: World,
) -> None:
    """Whatever let both of them begin: what was kept first stands, and one of them speaks."""
    source = await world.a_feed("https://a.example/1", "https://a.example/2")
    subscription = await world.subscribe(source)
    async with world.process() as (work, _):
        for entry in await world.feeds.waiting(9):
            await work.begin_entry(entry, "auto")
        async with asyncio.timeout(_PATIENCE):
            while await world.feeds.waiting(9):
                await asyncio.sleep(0.02)
    both = [world.daily("one"), world.daily("other")]
    made = await asyncio.gather(
        *(daily.choose(subscription.id, TODAY.isoformat()) for daily in both)
    )
    assert made[0] == made[1]
    assert made[0] is not None
    name = made[0]["id"]
    said = await asyncio.gather(*(daily.say(name) for daily in both), return_exceptions=True)
    assert any(one is None for one in said)
    assert all(one is None or isinstance(one, ChatUnavailable) for one in said)
    world.now += timedelta(minutes=1)
    for daily in both:
        await daily.say(name)
    assert len(world.lists()) == 1
    shared = [await daily.accept(name, 0) for daily in both]
    assert shared[0] == shared[1]


async def test_a_channel_that_threw_us_out_costs_the_morning_and_nothing_else(
    world: World,
) -> None:
    source = await world.a_feed("https://a.example/1")
    subscription = await world.subscribe(source)
    world.chat.faults.append(ChatRefused("C1", "not_in_channel"))
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_kept(subscription)
        await schedule.look()
    assert world.chat.messages == {}


async def test_a_feed_given_up_is_told_once_to_each_subscription(world: World) -> None:
    source = await world.a_feed()
    mine = await world.subscribe(source)
    await world.subscriptions.put(a_subscription("s2", sources=(), created_at=NOW))
    await world.feeds.due(NOW + timedelta(days=9), 9, by="poller", lease=9)
    gone = replace(source, state="gone", error="not_found", polled_at=NOW, failures=12)
    await world.feeds.polled(gone, [], by="poller")
    async with world.process() as (_, schedule):
        for _ in range(3):
            await schedule.look()
        await world.chat.until(lambda: bool(world.chat.messages), _PATIENCE)
    [told] = [one.stands for one in world.chat.messages.values()]
    assert told == GivenUp(mine.id, "A blog", FEED, "not_found")
    assert await world.feeds.given_up(9) == []


async def test_on_this_machine_a_morning_is_kept_and_nobody_is_told(world: World) -> None:
    source = await world.a_feed("https://a.example/1")
    subscription = await world.subscribe(source, place=HERE)
    async with world.process() as (_, schedule):
        await schedule.look()
        await world.until_kept(subscription)
        await asyncio.sleep(0.1)
    assert world.chat.messages == {}
    [kept] = await world.announcements.mornings(subscription.id, 9)
    assert [one.link for one in kept.posted] == ["https://a.example/1"]


async def test_a_morning_waits_for_a_feed_that_is_still_to_be_asked(world: World) -> None:
    source = await world.feeds.add(FEED, title="A blog")
    subscription = await world.subscribe(source)
    async with world.process() as (_, schedule):
        await schedule.look()
        assert not await world.daily().ready(subscription.id)
        await world.announce(source, "https://a.example/late")
        await schedule.look()
        await world.until_digests(1)
    assert len(world.lists()) == 1


async def test_the_scheduler_wakes_by_itself(world: World) -> None:
    source = await world.a_feed("https://a.example/1")
    await world.subscribe(source)
    async with world.process() as (_, schedule), schedule.open():
        await world.until_digests(1)
        assert len(world.lists()) == 1
