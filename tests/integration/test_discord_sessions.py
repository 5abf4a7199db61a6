"""Sessions with Discord's gateway: lost, resumed, begun anew, refused; and nothing missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.builders import a_shared_link
from support.discord_bot import LINK, Bot, Memory, a_bot, place_of
from support.discord_entities import Channel, User
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server

from bot.discord.marks import Diary
from core.errors import ChatUnavailable, SettingsError, StorageUnavailable
from core.places import Delivery, SharedLink
from core.settings import LimitSettings


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        server.limits.enabled = False
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G").text_channel("articles")


@pytest.fixture
def mina(server: DiscordServer) -> User:
    return server.user("Mina")


def numbers(bot: Bot) -> list[str]:
    return [one.canonical.removeprefix(f"{LINK}/") for one in bot.queue.accepted]


@pytest.mark.parametrize("way", ["reconnect", "reset", "4000", "invalid but resumable"])
async def test_a_session_that_is_resumed_loses_and_doubles_nothing(
    server: DiscordServer, channel: Channel, mina: User, way: str
) -> None:
    async with a_bot(server) as bot:
        await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
        if way == "reconnect":
            server.gateway.ask_to_reconnect()
        elif way == "reset":
            server.gateway.reset()
        elif way == "4000":
            await server.gateway.close(4000)
        else:
            server.gateway.invalidate(resumable=True)
        await server.say(channel, mina, f"{LINK}/2")
        await server.until(lambda: server.gateway.resumes, timeout=10)
        await server.say(channel, mina, f"{LINK}/3")
        await bot.until_answered(3)
        assert numbers(bot) == ["1", "2", "3"]


async def test_a_gateway_that_falls_silent_is_left_for_a_new_connection(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    server.gateway.heartbeat_interval = 0.1
    async with a_bot(server, heartbeat_timeout=0.5) as bot:
        server.gateway.acks = False
        await server.until(lambda: server.gateway.resumes, timeout=10)
        server.gateway.acks = True
        await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
        assert numbers(bot) == ["1"]


async def test_what_came_between_two_sessions_is_read_in_the_channels_history(
    server: DiscordServer, channel: Channel, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pitfall 10: after an invalid session nothing of the time before the next is replayed."""
    quickly(monkeypatch)
    async with a_bot(server) as bot:
        await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
        server.gateway.invalidate()
        await server.say(channel, mina, f"{LINK}/2")
        await server.until(lambda: len(server.gateway.identifies) == 2, timeout=10)
        await server.say(channel, mina, f"{LINK}/3")
        await bot.until_answered(3)
        assert sorted(numbers(bot)) == ["1", "2", "3"]


async def test_what_came_while_the_process_was_away_is_read_at_its_next_start(
    server: DiscordServer, channel: Channel, mina: User, tmp_path: Path
) -> None:
    assert channel.guild is not None
    other = channel.guild.text_channel("other")
    async with a_bot(server, folder=tmp_path):
        pass  # it was there, and nothing happened
    await server.say(channel, mina, f"{LINK}/1")
    await server.say(other, mina, f"{LINK}/2")
    await server.say(other, mina, f"{server.bot.mention} are you there?")
    async with a_bot(server, folder=tmp_path) as bot:
        await bot.until_answered(2)
        assert sorted(numbers(bot)) == ["1", "2"]
    assert not server.by_bot(other)  # nobody is waiting for small talk any more


async def test_what_was_heard_before_is_read_again_and_changes_nothing(
    server: DiscordServer, channel: Channel, mina: User, tmp_path: Path
) -> None:
    memory = Memory()
    async with a_bot(server, memory, folder=tmp_path) as bot:
        shared = await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
    await server.say(channel, mina, f"{LINK}/2")
    async with a_bot(server, memory, folder=tmp_path) as bot:
        await bot.until_answered(2)
        assert numbers(bot) == ["2"]
    assert len(server.by_bot(server.world.channels[shared.id])) == 1


async def test_without_a_diary_the_last_answer_says_since_when_to_read(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    memory = Memory()
    async with a_bot(server, memory) as bot:
        await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
    await server.say(channel, mina, f"{LINK}/2")
    async with a_bot(server, memory) as bot:
        await bot.until_answered(2)
        assert numbers(bot) == ["2"]


async def test_a_bot_that_is_new_in_a_guild_leaves_its_history_alone(
    server: DiscordServer, channel: Channel, mina: User, tmp_path: Path
) -> None:
    await server.say(channel, mina, f"{LINK}/old")
    async with a_bot(server, folder=tmp_path) as bot:
        await server.say(channel, mina, f"{LINK}/new")
        await bot.until_answered(1)
        assert numbers(bot) == ["new"]
    assert not server.calls("GET /channels/{channel}/messages")


async def test_the_database_may_be_away_when_a_message_comes(
    server: DiscordServer, channel: Channel, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_bot(server) as bot:
        accept, failures = bot.memory.deliveries.accept, [1]

        async def failing(shared: SharedLink) -> tuple[Delivery, bool]:
            if failures.pop() if failures else 0:
                raise StorageUnavailable("database", "away")
            return await accept(shared)

        monkeypatch.setattr(bot.memory.deliveries, "accept", failing)
        await server.say(channel, mina, LINK)
        await bot.until_answered(1)
        assert not failures


async def test_a_wrong_token_ends_the_start_with_what_to_do(server: DiscordServer) -> None:
    bot = Bot(server, Memory(), token="wrong")
    with pytest.raises(SettingsError, match="SMARTDEVDIGEST_DISCORD__TOKEN"):
        await bot.surface.start()
    await bot.surface.close()


async def test_no_token_ends_the_start_with_where_to_get_one(server: DiscordServer) -> None:
    bot = Bot(server, Memory(), token=None)
    with pytest.raises(SettingsError, match="developer portal"):
        await bot.surface.start()


async def test_a_missing_intent_ends_the_start_with_the_setting_to_change(
    server: DiscordServer,
) -> None:
    server.without_message_content()
    bot = Bot(server, Memory())
    with pytest.raises(SettingsError, match=r"discord\.message_content"):
        await bot.surface.start()
    await bot.surface.close()
    # Of a thousand a day none is spent: whoever starts us again and again would lose the token.
    assert server.gateway.identifies_left == 1000


@pytest.mark.parametrize(("code", "named"), [(4004, "TOKEN"), (4014, "message_content")])
async def test_a_refusal_later_ends_the_surface(
    server: DiscordServer,
    channel: Channel,
    code: int,
    named: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_bot(server) as bot:
        ended = asyncio.create_task(bot.surface.ended())
        await server.gateway.close(code)
        with pytest.raises(SettingsError, match=named):
            async with asyncio.timeout(5):
                await ended
        assert named in bot.surface.ended_by
        [told] = [one for one in caplog.messages if "left alone until the next start" in one]
        assert bot.surface.ended_by in told
        with pytest.raises(ChatUnavailable):  # what is to be said waits for the next start
            await bot.surface.chat.find(a_shared_link(place=place_of(channel), message="1"), "key")


async def test_a_discord_that_is_away_is_waited_for(
    server: DiscordServer, channel: Channel, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    server.fail_next("GET /users/@me", with_=503)
    server.fail_next("GET /gateway/bot", with_=503)
    async with a_bot(server) as bot:
        await server.say(channel, mina, LINK)
        await bot.until_answered(1)


@pytest.mark.parametrize("route", ["GET /users/@me", "GET /gateway/bot"])
async def test_a_start_that_is_given_up_leaves_nothing_open(
    server: DiscordServer, route: str
) -> None:
    bot = Bot(server, Memory())
    server.fail_next(route, with_=503)
    starting = asyncio.create_task(bot.surface.start())
    await server.until(lambda: server.calls(route))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await bot.surface.close()


async def test_an_event_that_discord_py_cannot_read_does_not_make_the_bot_deaf(
    server: DiscordServer, channel: Channel, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    async with a_bot(server) as bot:
        await server.say(channel, mina, f"{LINK}/1")
        await bot.until_answered(1)
        assert channel.guild is not None
        broken = {"id": "1", "guild_id": str(channel.guild.id), "parent_id": str(channel.id)}
        server.world.emit("THREAD_CREATE", broken, channel)
        await server.until(lambda: len(server.gateway.identifies) == 2)
        await server.say(channel, mina, f"{LINK}/2")
        await bot.until_answered(2)


async def test_commands_are_synced_once_and_again_when_they_change(
    server: DiscordServer, channel: Channel, tmp_path: Path
) -> None:
    for _ in range(2):
        async with a_bot(server, folder=tmp_path):
            await server.until(lambda: "commands" in Diary(tmp_path).read())
    assert server.commands.syncs == 1
    Diary(tmp_path).write(commands="of an older version")
    async with a_bot(server, folder=tmp_path):
        await server.until(lambda: server.commands.syncs == 2)


async def test_a_large_bot_has_several_shards(
    server: DiscordServer, mina: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    server.places.shards = 2
    channels = [server.guild(f"G{number}").text_channel("articles") for number in range(6)]
    async with a_bot(server) as bot:
        assert sorted(identify["shard"] for identify in server.gateway.identifies) == [
            [0, 2],
            [1, 2],
        ]
        for number, channel in enumerate(channels):
            await server.say(channel, mina, f"{LINK}/{number}")
        await bot.until_answered(6)


async def test_a_server_that_throws_the_bot_out_ends_its_deliveries_and_no_others(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    other = server.guild("Another").text_channel("articles")
    async with a_bot(server) as bot:
        bot.queue.going.clear()
        shared = await server.say(channel, mina, f"{LINK}/1")
        await server.until(lambda: shared.id in server.world.channels)
        await server.until(lambda: server.by_bot(server.world.channels[shared.id]))
        assert channel.guild is not None
        server.kick_bot(channel.guild)
        await server.say(other, mina, f"{LINK}/2")
        bot.queue.going.set()
        await bot.until_answered(1)
        await bot.until_idle()
        assert len(bot.queue.errors) == 1
        assert len([call for call in server.calls() if (call.status or 0) >= 400]) <= 2


async def test_stopping_takes_nothing_in_and_finishes_what_is_being_sent(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    async with a_bot(server) as bot:
        shared = await server.say(channel, mina, f"{LINK}/1")
        await server.until(lambda: shared.id in server.world.channels)
        await bot.surface.close()
        await server.say(channel, mina, f"{LINK}/2")
        assert numbers(bot) == ["1"]
        assert len(server.by_bot(server.world.channels[shared.id])) == 1


@pytest.mark.slow
async def test_a_storm_of_links_is_answered_once_each_though_the_gateway_is_killed_in_it(
    server: DiscordServer, mina: User
) -> None:
    guild = server.guild("G")
    channels = [guild.text_channel(f"channel-{number}") for number in range(20)]
    limits = LimitSettings(user_per_hour=1000)
    async with a_bot(server, limits=limits, requests_per_second=1000) as bot:
        for number in range(500):
            await server.say(channels[number % 20], mina, f"{LINK}/{number}")
            if number == 200:
                server.gateway.reset()
            if number % 10 == 0:
                await asyncio.sleep(0)
        await bot.until_answered(500, seconds=60)
        await bot.until_idle()
    ours = [
        message for channel in server.world.channels.values() for message in server.by_bot(channel)
    ]
    assert len(ours) == 500
    assert all("2.8 / 5" in visible_text(message) for message in ours)
    assert sorted(numbers(bot), key=int) == [str(number) for number in range(500)]
    assert len(server.gateway.resumes) == 1


def test_a_diary_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "discord.json").write_text("{", encoding="utf-8")
    assert Diary(tmp_path).alive_at() is None
    Diary(tmp_path).write(commands="x")
    assert Diary(tmp_path).read() == {"commands": "x"}


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits 5 s after an invalid session, we 1 s after a surprise."""
    slept = asyncio.sleep

    async def shorter(seconds: float, result: object = None) -> object:
        return await slept(min(seconds, 0.02), result)

    monkeypatch.setattr("discord.gateway.asyncio.sleep", shorter)
