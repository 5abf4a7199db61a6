"""Our own Discord's gateway, against discord.py's clients: what arrives, what is lost, what closes."""

from __future__ import annotations

import importlib.util
import json
import zlib
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from support.discord_clients import QUICK, connected, logged_in, reading_client
from support.discord_entities import Channel, User
from support.discord_server import DiscordServer, discord_server


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G").text_channel("articles")


@pytest.fixture
def mina(server: DiscordServer) -> User:
    return server.user("Mina", locale="ko")


class Listening:
    """A client and the words it heard, in order."""

    def __init__(self, client: discord.Client | None = None) -> None:
        self.client = client or reading_client()
        self.heard: list[str] = []
        self.resumed = 0
        self.client.event(self.on_message)
        self.client.event(self.on_resumed)

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message.content)

    async def on_resumed(self) -> None:
        self.resumed += 1


async def test_a_guild_and_its_channel_are_known_and_a_message_with_its_preview_arrives(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    updates: list[discord.RawMessageUpdateEvent] = []
    listening = Listening()

    @listening.client.event
    async def on_raw_message_edit(update: discord.RawMessageUpdateEvent) -> None:
        updates.append(update)

    async with connected(server, listening.client) as client:
        seen = client.get_channel(channel.id)
        assert isinstance(seen, discord.TextChannel)
        assert (seen.name, seen.guild.name) == ("articles", "G")
        assert seen.permissions_for(seen.guild.me).embed_links
        await server.say(channel, mina, "look https://example.org/a")
        await server.until(lambda: updates)
    assert listening.heard == ["look https://example.org/a"]
    assert updates[0].data["embeds"][0]["url"] == "https://example.org/a"
    assert updates[0].data["edited_timestamp"] is None


async def test_edits_deletions_and_reactions_arrive(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    seen: list[str] = []
    client = reading_client()

    @client.event
    async def on_raw_message_edit(update: discord.RawMessageUpdateEvent) -> None:
        seen.append(update.message.content)

    @client.event
    async def on_raw_message_delete(gone: discord.RawMessageDeleteEvent) -> None:
        seen.append(f"gone {gone.message_id}")

    @client.event
    async def on_raw_reaction_add(reaction: discord.RawReactionActionEvent) -> None:
        seen.append(str(reaction.emoji))

    async with connected(server, client):
        message = await server.say(channel, mina, "first")
        await server.edit(message, "second")
        await server.react(message, mina, "🔍")
        await server.delete(message)
        await server.until(lambda: len(seen) == 3)
    assert seen == ["second", "🔍", f"gone {message.id}"]


async def test_a_wrong_token_ends_the_client(server: DiscordServer) -> None:
    async with logged_in(server) as client:
        client.http.token = "another"  # noqa: S105
        with pytest.raises(discord.ConnectionClosed) as closed:
            await client.connect()
    assert closed.value.code == 4004


async def test_a_wrong_token_is_refused_over_rest(server: DiscordServer) -> None:
    server.token = "another than the server was started with"  # noqa: S105
    with pytest.raises(discord.LoginFailure):
        async with logged_in(server):
            pass


async def test_after_a_thousand_identifies_the_token_is_no_longer_good(
    server: DiscordServer,
) -> None:
    server.gateway.identifies_left = 0
    async with logged_in(server) as client:
        with pytest.raises(discord.ConnectionClosed) as closed:
            await client.connect()
    assert closed.value.code == 4004


async def test_an_intent_that_is_not_granted_closes_with_4014(server: DiscordServer) -> None:
    server.without_message_content()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with connected(server):
            pass
    assert server.gateway.closed_with == [4014]


async def test_without_message_content_only_mentions_and_direct_messages_can_be_read(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    server.without_message_content()
    listening = Listening(discord.Client(intents=discord.Intents.default(), **QUICK))
    async with connected(server, listening.client) as client:
        await server.say(channel, mina, "https://example.org/a")
        await server.say(channel, mina, f"{server.bot.mention} hello")
        await server.say(server.world.direct(mina), mina, "between us")
        await server.until(lambda: len(listening.heard) == 3)
        seen = client.get_channel(channel.id)
        assert isinstance(seen, discord.TextChannel)
        assert [m.content async for m in seen.history(oldest_first=True)][:1] == [""]
    assert listening.heard == ["", f"{server.bot.mention} hello", "between us"]


async def test_a_guilds_messages_need_their_intent(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    intents = discord.Intents(guilds=True, dm_messages=True)
    listening = Listening(discord.Client(intents=intents, **QUICK))
    async with connected(server, listening.client):
        await server.say(channel, mina, "unheard")
        await server.say(server.world.direct(mina), mina, "heard")
        await server.until(lambda: listening.heard)
    assert listening.heard == ["heard"]


@pytest.mark.parametrize("how", ["reconnect", "reset", "4000", "invalid but resumable"])
async def test_a_resume_loses_nothing_and_repeats_nothing(
    server: DiscordServer, channel: Channel, mina: User, how: str
) -> None:
    listening = Listening()
    async with connected(server, listening.client):
        await server.say(channel, mina, "before")
        await server.until(lambda: listening.heard)
        if how == "reconnect":
            server.gateway.ask_to_reconnect()
        elif how == "reset":
            server.gateway.reset()
        elif how == "4000":
            await server.gateway.close(4000)
        else:
            server.gateway.invalidate(resumable=True)
        await server.until(lambda: not server.gateway.connections)
        await server.say(channel, mina, "meanwhile")
        await server.until(lambda: listening.resumed, timeout=15)
        await server.say(channel, mina, "after")
        await server.until(lambda: len(listening.heard) == 3)
    assert listening.heard == ["before", "meanwhile", "after"]
    assert len(server.gateway.identifies) == 1


async def test_after_an_invalid_session_a_new_one_begins_and_the_time_between_is_lost(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    listening = Listening()
    async with connected(server, listening.client):
        server.gateway.invalidate()
        await server.say(channel, mina, "lost")
        await server.until(lambda: len(server.gateway.identifies) == 2, timeout=15)
        await server.say(channel, mina, "found")
        await server.until(lambda: listening.heard)
    assert listening.heard == ["found"]


async def test_a_server_that_stops_acking_is_left_and_resumed(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    server.gateway.heartbeat_interval = 0.1
    listening = Listening(reading_client(heartbeat_timeout=0.5))
    async with connected(server, listening.client):
        server.gateway.acks = False
        await server.until(lambda: server.gateway.resumes, timeout=10)
        server.gateway.acks = True
        await server.say(channel, mina, "still here")
        await server.until(lambda: listening.heard)


class Impatient(discord.AutoShardedClient):
    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Discord wants 5 s between two shards; ours does not mind."""


async def test_shards_hear_only_of_their_own_guilds(server: DiscordServer, mina: User) -> None:
    channels = [server.guild(f"G{number}").text_channel("c") for number in range(6)]
    server.places.shards = 2
    intents = discord.Intents.default()
    intents.message_content = True
    listening = Listening(Impatient(intents=intents, **QUICK))
    async with connected(server, listening.client) as client:
        for channel in channels:
            await server.say(channel, mina, channel.name + str(channel.id))
        await server.until(lambda: len(listening.heard) == 6)
        assert len(client.guilds) == 6
    assert [one["shard"] for one in server.gateway.identifies] == [[0, 2], [1, 2]]
    assert len(server.calls("GET /gateway/bot")) == 1


async def test_the_bot_hears_that_it_was_kicked_and_that_a_channel_is_gone(
    server: DiscordServer, channel: Channel
) -> None:
    assert channel.guild is not None
    async with connected(server) as client:
        server.delete_channel(channel)
        await server.until(lambda: client.get_channel(channel.id) is None)
        server.kick_bot(channel.guild)
        await server.until(lambda: not client.guilds)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["no json"], 4002),
        ([json.dumps({"op": 8, "d": {}})], 4003),
        ([json.dumps({"op": 1, "d": None, "more": "x" * 4096})], 4002),
        ([json.dumps({"op": 1, "d": None})] * 121, 4008),
        ([json.dumps({"op": 2, "d": {"token": "wrong"}})], 4004),
    ],
    ids=["no JSON", "not identified", "4097 bytes", "121 in a minute", "wrong token"],
)
async def test_a_client_that_breaks_the_protocol_is_closed(
    server: DiscordServer, frames: list[str], code: int
) -> None:
    url = server.gateway_url + "?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as websocket:
        for frame in frames:
            await websocket.send_str(frame)
        async for _ in websocket:
            pass
        assert websocket.close_code == code


async def test_zlib_is_one_stream_over_all_frames(server: DiscordServer) -> None:
    url = server.gateway_url + "?v=10&encoding=json&compress=zlib-stream"
    inflate = zlib.decompressobj()
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as websocket:
        hello = json.loads(inflate.decompress(await websocket.receive_bytes()))
        await websocket.send_json({"op": 1, "d": None})
        packed = await websocket.receive_bytes()
        assert packed.endswith(b"\x00\x00\xff\xff")
        assert json.loads(inflate.decompress(packed))["op"] == 11
    assert hello == {"op": 10, "d": {"heartbeat_interval": 41250}}


@pytest.mark.skipif(importlib.util.find_spec("zstandard") is None, reason="zstandard is missing")
async def test_zstd_is_spoken_to_a_client_that_has_it(server: DiscordServer) -> None:
    zstandard = importlib.import_module("zstandard")
    url = server.gateway_url + "?v=10&encoding=json&compress=zstd-stream"
    inflate = zstandard.ZstdDecompressor().decompressobj()
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as websocket:
        assert json.loads(inflate.decompress(await websocket.receive_bytes()))["op"] == 10


async def test_what_the_server_cannot_do_fails_the_test() -> None:
    async def ask_for_a_preview() -> None:
        async with discord_server() as server, logged_in(server) as client:
            with pytest.raises(discord.NotFound):
                await client.fetch_guild_preview(1)

    with pytest.raises(ExceptionGroup, match="did not know what to do"):
        await ask_for_a_preview()


async def test_discord_py_talks_to_discord_again_afterwards(server: DiscordServer) -> None:
    base = discord.http.Route.BASE
    async with logged_in(server):
        assert server.api_url == discord.http.Route.BASE
    assert discord.http.Route.BASE == base == "https://discord.com/api/v10"
