"""/digest subscribe and /digest feeds on Discord, judged by a strict server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from support.builders import a_record
from support.discord_bot import Bot, a_bot, place_of
from support.discord_components import walk
from support.discord_entities import Channel, Message, User
from support.discord_interactions import Interaction
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server
from support.subscribed import DAY, FEED, SITE, SubscribedWorld

from bot.chats import GivenUp, Listed, Morning, NothingNew, Ready, Shown
from bot.discord.escaping import width
from bot.discord.feeds import overview, zones_like
from bot.discord.mornings import texts
from core.article import Language
from core.places import SharedLink


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        server.limits.enabled = False
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G").text_channel("articles")


@pytest.fixture
def admin(server: DiscordServer, channel: Channel) -> User:
    user = server.user("Mina", locale="ko")
    assert channel.guild is not None
    channel.guild.grant(user, "manage_guild")
    return user


@pytest.fixture
def world() -> SubscribedWorld:
    return SubscribedWorld()


@pytest.fixture
async def bot(
    server: DiscordServer, channel: Channel, world: SubscribedWorld
) -> AsyncIterator[Bot]:
    async with a_bot(server) as bot:
        bot.commands.subscribing = world.subscribing
        await server.until(lambda: server.commands.syncs)
        yield bot


async def answered(server: DiscordServer, asked: Interaction) -> Message:
    (message,) = await server.until(lambda: asked.messages)
    assert message.only_for is asked.user
    return message


async def subscribe(server: DiscordServer, user: User, channel: Channel, **options: Any) -> str:
    asked = await server.slash(user, channel, "digest", "subscribe", options)
    return visible_text(await answered(server, asked))


async def test_the_command_subscribes_with_what_is_given_and_korean_defaults(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, world: SubscribedWorld
) -> None:
    said = await subscribe(
        server,
        admin,
        channel,
        feeds=SITE,
        difficulty="2-3.5",
        at="오전 7시 30분",
        days="평일",
        size=3,
        include="쿠버네티스",
        nothing=True,
    )
    assert "구독했습니다" in said
    [kept] = await world.subscriptions.all()
    assert (kept.low, kept.high, kept.size, kept.include) == (2.0, 3.5, 3, ("쿠버네티스",))
    assert (kept.at.hour, kept.at.minute, kept.days) == (7, 30, frozenset(range(5)))
    assert (kept.timezone, kept.ui, kept.say_nothing_new) == ("Asia/Seoul", "ko", True)
    assert kept.place == place_of(channel)


async def test_mistakes_are_told_and_nothing_is_kept(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, world: SubscribedWorld
) -> None:
    said = await subscribe(server, admin, channel, feeds=FEED, at="25:00", timezone="Mars/Olympus")
    assert "시각" in said
    assert "시간대" in said
    assert "찾지 못했습니다" in await subscribe(server, admin, channel, feeds="nothing.example")
    assert "하나 이상" in await subscribe(server, admin, channel)
    assert await world.subscriptions.all() == []


async def test_one_is_changed_by_its_number_and_the_rest_stays(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, world: SubscribedWorld
) -> None:
    mine = await world.subscribed(place_of(channel), include="go", timezone="Europe/London")
    await subscribe(server, admin, channel, change=1, size=9)
    changed = await world.subscriptions.get(mine)
    assert changed is not None
    assert (changed.size, changed.include, changed.timezone) == (9, ("go",), "Europe/London")
    assert "그런 구독이 없습니다" in await subscribe(server, admin, channel, change=2, size=9)


async def test_who_may_not_manage_the_server_is_refused(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, world: SubscribedWorld
) -> None:
    guest = server.user("Joon")
    assert "Only who may" in await subscribe(server, guest, channel, feeds=FEED)
    await world.subscribed(place_of(channel))
    asked = await server.slash(guest, channel, "digest", "feeds")
    shown = await answered(server, asked)
    pressed = await server.press(shown, "Remove", guest)
    await server.until(lambda: pressed.answer)
    await server.until(lambda: "Only who may" in visible_text(shown))
    assert len(await world.subscriptions.all()) == 1


async def test_the_list_pauses_resumes_and_removes_in_place(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, world: SubscribedWorld
) -> None:
    mine = await world.subscribed(place_of(channel))
    await world.a_morning(mine, bot.memory.digests)
    asked = await server.slash(admin, channel, "digest", "feeds")
    shown = await answered(server, asked)
    assert "최근 1편" in visible_text(shown)
    await server.press(shown, "잠시 멈춤", admin)
    await server.until(lambda: "다시 시작" in str(list(walk(shown.components))))
    assert world.subscriptions.kept[mine].paused
    await server.press(shown, "다시 시작", admin)
    await server.until(lambda: not world.subscriptions.kept[mine].paused)
    await server.until(lambda: "잠시 멈춤" in str(list(walk(shown.components))))
    await server.press(shown, "삭제", admin)
    await server.until(lambda: "구독이 없습니다" in visible_text(shown))
    assert await world.subscriptions.all() == []


async def test_time_zones_are_offered_while_somebody_types(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot
) -> None:
    asked = await server.autocomplete(admin, channel, "digest", "subscribe", "timezone", "seo")
    choices = await server.until(lambda: asked.choices or [])
    assert "Asia/Seoul" in [one["value"] for one in choices]
    assert zones_like("lord how")[:1] == ["Australia/Lord_Howe"]
    assert len(zones_like("")) == 25
    assert zones_like("no such zone") == []


# --- the daily message


def a_listed(**changes: object) -> Listed:
    values = {
        "title": "Connection pools, measured",
        "link": "https://blog.example.com/pools",
        "source": "Pools & Queues",
        "score": 2.5,
        "label": "elementary",
        "sentence": "A pool keeps connections open.",
        "minutes": 6,
    }
    return Listed(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("ui", ["ko", "en"])
@pytest.mark.parametrize("count", [1, 5, 15])
def test_a_list_fits_however_long_its_articles_are(ui: Language, count: int) -> None:
    long = a_listed(
        title="긴 제목 *_` " * 200,
        link="https://blog.example.com/" + "a" * 480,
        source="블로그 " * 99,
        sentence="긴 문장입니다. " * 300,
    )
    shown = texts(Morning("s" * 16, DAY, (long,) * count), ui)
    assert sum(map(width, shown)) <= 4000
    short = texts(Morning("s" * 16, DAY, (a_listed(),) * count), ui)
    assert all("(https://blog.example.com/pools)" in one for one in short[1:-1])


@pytest.mark.parametrize(
    "shown",
    [
        Morning("a1b2c3d4a1b2c3d4", DAY, (a_listed(title="@everyone **x**", sentence="<@1> _y_"),)),
        NothingNew("a1b2c3d4a1b2c3d4", DAY),
        GivenUp("a1b2c3d4a1b2c3d4", "@everyone Blog", "https://x.example/", "not_found"),
    ],
)
async def test_everything_unprompted_is_posted_into_the_channel_and_found_again(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot, shown: Shown
) -> None:
    chat, key, place = bot.surface.chat, "ab" * 16, place_of(channel)
    shared = SharedLink("", place, chat.unprompted(datetime.now(UTC), key), str(admin.id), ui="ko")
    assert await chat.find(shared, key) is None
    name = await chat.post(shared, shown, key=key)
    assert await chat.find(shared, key) == name
    await chat.edit(shared, name, shown, key=key)
    [posted] = [one for one in server.by_bot(channel) if one.only_for is None]
    assert posted.reference is None
    pressed = await server.press(posted, "구독 관리", admin)
    assert "구독이 없습니다" in visible_text(await answered(server, pressed))


async def test_the_digests_of_a_morning_share_a_thread_named_by_the_day(
    server: DiscordServer, channel: Channel, admin: User, bot: Bot
) -> None:
    chat, place = bot.surface.chat, place_of(channel)
    at = datetime.now(UTC)
    shared = SharedLink("", place, chat.unprompted(at, "k"), str(admin.id), ui="ko")
    name = await chat.post(shared, Morning("s1", DAY, (a_listed(),)), key="ab" * 16)
    where, message = chat.beneath(place, name)
    for number in range(2):
        one = SharedLink(
            f"https://blog.example.com/{number}",
            where,
            message,
            str(admin.id),
            ui="ko",
            nonce="daily:2026-11-26",
        )
        await chat.post(one, Ready(a_record()), key=f"{number}" * 32)
    thread = server.world.channels[int(message)]
    assert "11월 26일" in thread.name
    assert len(server.by_bot(thread)) == 2


def test_an_empty_list_says_how_to_begin() -> None:
    [container] = overview([], "en").children
    assert "digest subscribe" in str(container.to_component_dict())
