"""What every keeper of articles, profiles, workspaces and signs of life does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import PLACE, URL, a_page, a_record, an_article
from support.fakes import FakeArticles, FakeProcesses, FakeProfiles, FakeWorkspaces

from core.article import Article
from core.places import ChannelProfile, Process, Workspace
from core.ports import Articles, Processes, Profiles, Workspaces
from storage.articles import SqlArticles
from storage.digests import SqlDigests
from storage.processes import SqlProcesses
from storage.profiles import SqlProfiles
from storage.workspaces import SqlWorkspaces

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture
def articles(keeper: AsyncEngine | None) -> Articles:
    return FakeArticles(lambda: NOW) if keeper is None else SqlArticles(keeper, lambda: NOW)


@pytest.fixture
def profiles(keeper: AsyncEngine | None) -> Profiles:
    return FakeProfiles() if keeper is None else SqlProfiles(keeper)


@pytest.fixture
def workspaces(keeper: AsyncEngine | None) -> Workspaces:
    return FakeWorkspaces() if keeper is None else SqlWorkspaces(keeper)


@pytest.fixture
def processes(keeper: AsyncEngine | None) -> Processes:
    return FakeProcesses() if keeper is None else SqlProcesses(keeper)


# --- articles


@pytest.mark.parametrize(
    "article",
    [
        an_article(),
        an_article(title=None, url=None, author=None, language=None, tags=(), publish_date=None),
        an_article(content="글 \0 \U0001f680", title="제목 \0", views=7, tags=("가", "b")),
        an_article(url="row 7", source_type="paper", content="word " * 50_000),
    ],
    ids=["usual", "bare", "odd", "long"],
)
async def test_an_article_comes_back_equal(articles: Articles, article: Article) -> None:
    content_hash = await articles.put(article, link=URL, page=a_page("x", etag='"v7"'))
    assert content_hash == article.content_hash
    assert await articles.get(content_hash) == article


async def test_an_article_nobody_read_is_none(articles: Articles) -> None:
    assert await articles.get("f" * 64) is None
    assert await articles.read_at(URL, LONG_AGO) is None


async def test_what_stood_at_an_address_is_known_for_a_while(articles: Articles) -> None:
    await articles.put(an_article(), link=URL)
    assert await articles.read_at(URL, NOW - timedelta(minutes=1)) == an_article()
    assert await articles.read_at(URL, NOW + timedelta(minutes=1)) is None
    assert await articles.read_at(URL + "/other", LONG_AGO) is None


async def test_an_address_has_what_was_read_there_last(articles: Articles) -> None:
    await articles.put(an_article(), link=URL)
    await articles.put(an_article(content="Rewritten."), link=URL)
    assert await articles.read_at(URL, LONG_AGO) == an_article(content="Rewritten.")
    assert await articles.get(an_article().content_hash) == an_article()


async def test_one_text_at_two_addresses_is_known_at_both(articles: Articles) -> None:
    long = "https://b.example/" + "x" * 4000
    await articles.put(an_article(), link=URL)
    await articles.put(an_article(), link=long)
    assert await articles.read_at(URL, LONG_AGO) == an_article()
    assert await articles.read_at(long, LONG_AGO) == an_article()


async def test_a_digest_kept_later_leaves_the_text_alone(
    articles: Articles, keeper: AsyncEngine | None
) -> None:
    content_hash = await articles.put(an_article(), link=URL)
    if keeper is not None:  # in a fake they know nothing of each other
        await SqlDigests(keeper).add(a_record(), content_hash=content_hash)
    assert await articles.get(content_hash) == an_article()
    await articles.put(an_article(), link=URL)
    assert await articles.get(content_hash) == an_article()


# --- profiles


async def test_a_channel_without_a_profile_has_the_default(profiles: Profiles) -> None:
    assert await profiles.get(PLACE) == ChannelProfile()


async def test_a_profile_is_the_channel_s_in_every_thread(profiles: Profiles) -> None:
    wanted = ChannelProfile(mode="ask", language="ko", ui="ko")
    await profiles.put(replace(PLACE, thread="1.0"), wanted, by="U1")
    assert await profiles.get(PLACE) == wanted
    assert await profiles.get(replace(PLACE, thread="2.0")) == wanted
    for other in ({"channel": "C2"}, {"workspace": "T2"}, {"platform": "discord"}):
        assert await profiles.get(replace(PLACE, **other)) == ChannelProfile()  # type: ignore[arg-type]


async def test_a_new_profile_replaces_the_old(profiles: Profiles) -> None:
    await profiles.put(PLACE, ChannelProfile(mode="off", ui="ko"), by="U1")
    await profiles.put(PLACE, ChannelProfile(), by="U2")
    assert await profiles.get(PLACE) == ChannelProfile()


# --- workspaces


async def test_workspaces_come_back_by_platform(workspaces: Workspaces) -> None:
    one, two = Workspace("slack", "T1", "한 팀", training=True), Workspace("slack", "T2")
    guild = Workspace("discord", "T1", "guild")
    for workspace in (two, guild, one):
        await workspaces.put(workspace)
    assert await workspaces.get("slack", "T1") == one
    assert await workspaces.get("slack", "T9") is None
    assert await workspaces.all("slack") == [one, two]
    assert await workspaces.all("discord") == [guild]


async def test_a_workspace_that_installs_again_is_one(workspaces: Workspaces) -> None:
    await workspaces.put(Workspace("slack", "T1", "old"))
    await workspaces.put(Workspace("slack", "T1", "new", training=True))
    assert await workspaces.all("slack") == [Workspace("slack", "T1", "new", training=True)]


# --- processes

BOT = Process("a-1-x", "a", 1, 1764061234.25, "bot")
WORKER = Process("b-2-y", "b", 2, 1764061235.75, "worker")


async def test_who_gives_signs_of_life_is_known_and_alive(processes: Processes) -> None:
    await processes.beat(WORKER)
    await processes.beat(BOT)
    await processes.beat(BOT)
    assert await processes.all() == [BOT, WORKER]
    assert await processes.dead(60.0) == []


async def test_who_is_silent_for_the_lease_is_dead(processes: Processes) -> None:
    await processes.beat(WORKER)
    await processes.beat(BOT)
    assert await processes.dead(0.0) == [BOT.id, WORKER.id]


async def test_who_retired_is_dead_at_once_until_it_speaks_again(processes: Processes) -> None:
    await processes.beat(BOT)
    await processes.beat(WORKER)
    await processes.retire(BOT.id)
    await processes.retire("nobody")
    assert await processes.dead(60.0) == [BOT.id]
    await processes.beat(BOT)
    assert await processes.dead(60.0) == []


async def test_the_forgotten_are_not_dead_but_gone(processes: Processes) -> None:
    await processes.beat(BOT)
    await processes.retire(BOT.id)
    await processes.forget(BOT.id)
    await processes.forget("nobody")
    assert await processes.all() == []
    assert await processes.dead(0.0) == []
