"""Our own Discord over REST, against discord.py: messages, threads, permissions, limits, troubles."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from support import discord_limits as routes
from support.discord_clients import connected, reading_client
from support.discord_entities import VOICE, Channel, Json, User
from support.discord_people import links_in, pings, visible_text
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


@pytest.fixture
async def client(server: DiscordServer, channel: Channel) -> AsyncIterator[discord.Client]:
    async with connected(server) as client:
        yield client


def seen(client: discord.Client, channel: Channel) -> discord.TextChannel:
    found = client.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_message_is_sent_edited_read_and_deleted(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    sent = await seen(client, channel).send("first", file=discord.File(io.BytesIO(b"x"), "x.txt"))
    await sent.edit(content="second", suppress=True)
    [kept] = server.messages(channel)
    assert (kept.content, kept.flags, kept.form["attachments"][0]["filename"]) == (
        "second",
        4,
        "x.txt",
    )
    assert (await seen(client, channel).fetch_message(sent.id)).content == "second"
    await sent.delete()
    assert server.messages(channel) == []
    with pytest.raises(discord.NotFound) as gone:
        await sent.edit(content="third")
    assert gone.value.code == 10008


async def test_history_is_read_from_either_end(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = [await server.say(channel, mina, str(number)) for number in range(5)]
    place = seen(client, channel)
    after = discord.Object(said[1].id)
    assert [m.content async for m in place.history(limit=2)] == ["4", "3"]
    assert [m.content async for m in place.history(after=after, limit=2)] == ["2", "3"]
    assert [m.content async for m in place.history(before=after)] == ["0"]


async def test_a_message_gets_one_thread(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = await server.say(channel, mina, "https://example.org/a")
    partial = seen(client, channel).get_partial_message(said.id)
    thread = await partial.create_thread(name="digest")
    await thread.send("hello")
    assert said.thread is not None
    assert [message.content for message in server.messages(said.thread)] == ["hello"]
    with pytest.raises(discord.HTTPException) as second:
        await partial.create_thread(name="digest")
    assert second.value.code == 160004


async def test_a_person_starts_a_thread_and_the_bot_writes_there_only_once_permitted(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = await server.say(channel, mina, "hello")
    thread = await server.start_thread(said, mina)
    await server.until(lambda: client.get_channel(thread.id))
    place = client.get_channel(thread.id)
    assert isinstance(place, discord.Thread)
    assert (place.owner_id, place.me) == (mina.id, None)
    channel.deny(server.bot, "send_messages_in_threads")
    with pytest.raises(discord.Forbidden) as refused:
        await place.send("hello")
    assert refused.value.code == 50013
    channel.allow(server.bot, "send_messages_in_threads")
    await place.send("hello")
    assert [message.content for message in server.messages(thread)] == ["hello"]


async def test_the_words_of_others_cannot_be_changed_or_taken_away(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = await server.say(channel, mina, "hello")
    partial = seen(client, channel).get_partial_message(said.id)
    with pytest.raises(discord.Forbidden) as edit:
        await partial.edit(content="bye")
    with pytest.raises(discord.Forbidden) as deletion:
        await partial.delete()
    assert (edit.value.code, deletion.value.code) == (50005, 50013)
    assert said.content == "hello"


async def test_a_picture_stays_when_its_message_is_edited(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    sent = await seen(client, channel).send("c", file=discord.File(io.BytesIO(b"x"), "x.txt"))
    await sent.edit(content="d", attachments=sent.attachments)
    [message] = server.messages(channel)
    assert [one["filename"] for one in message.form["attachments"]] == ["x.txt"]


async def test_some_channels_have_no_threads(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    assert channel.guild is not None
    voice = channel.guild.channel("voice", VOICE)
    said = await server.say(voice, mina, "https://example.org/a")
    await server.until(lambda: client.get_channel(voice.id))
    with pytest.raises(discord.HTTPException) as refused:
        await client.http.start_thread_with_message(
            voice.id, said.id, name="digest", auto_archive_duration=60
        )
    assert refused.value.code == 50024


async def test_a_post_in_a_forum_is_a_thread(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    assert channel.guild is not None
    forum = channel.guild.forum("reading")
    await server.until(lambda: client.get_channel(forum.id))
    place = client.get_channel(forum.id)
    assert isinstance(place, discord.ForumChannel)
    made = await place.create_thread(name="post", content="first")
    assert [m.content for m in server.messages(server.world.channels[made.thread.id])] == ["first"]
    with pytest.raises(discord.HTTPException) as refused:
        await client.http.request(
            discord.http.Route("POST", f"/channels/{forum.id}/messages"), json={"content": "c"}
        )
    assert refused.value.code == 50008


@pytest.mark.parametrize(
    ("denied", "form", "code"),
    [
        ("send_messages", {"content": "c"}, 50013),
        ("embed_links", {"embeds": [{"title": "t"}]}, 50013),
        ("view_channel", {"content": "c"}, 50001),
    ],
)
async def test_what_is_not_permitted_is_refused(
    server: DiscordServer,
    client: discord.Client,
    channel: Channel,
    denied: str,
    form: Json,
    code: int,
) -> None:
    channel.deny(server.bot, denied)
    place = seen(client, channel)
    await server.until(lambda: not getattr(place.permissions_for(place.guild.me), denied))
    route = discord.http.Route("POST", f"/channels/{channel.id}/messages")
    with pytest.raises(discord.Forbidden) as refused:
        await client.http.request(route, json=form)
    assert refused.value.code == code
    assert server.messages(channel) == []


async def test_reactions_and_threads_need_permission_too(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = await server.say(channel, mina, "hello")
    partial = seen(client, channel).get_partial_message(said.id)
    await partial.add_reaction("🔍")
    assert said.reactions == {"🔍": [server.bot.id]}
    channel.deny(server.bot, "add_reactions", "create_public_threads")
    with pytest.raises(discord.Forbidden):
        await partial.add_reaction("👍")
    with pytest.raises(discord.Forbidden):
        await partial.create_thread(name="t")


async def test_what_is_gone_is_unknown(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    place = seen(client, channel)
    server.delete_channel(channel)
    with pytest.raises(discord.NotFound) as gone:
        await place.send("hello")
    assert gone.value.code == 10003
    assert channel.guild is not None
    other = channel.guild.text_channel("other")
    server.kick_bot(channel.guild)
    with pytest.raises(discord.NotFound) as unknown:
        await client.fetch_channel(other.id)
    assert unknown.value.code == 10003
    with pytest.raises(discord.NotFound) as no_guild:
        await client.fetch_guild(channel.guild.id)
    assert no_guild.value.code == 10004


async def test_direct_messages_reach_who_takes_them(
    server: DiscordServer, client: discord.Client, mina: User
) -> None:
    user = await client.fetch_user(mina.id)
    await user.send("hello")
    assert [m.content for m in server.messages(server.world.direct(mina))] == ["hello"]
    shy = server.user("Shy")
    shy.refuses_direct = True
    with pytest.raises(discord.Forbidden) as refused:
        await (await client.fetch_user(shy.id)).send("hello")
    assert refused.value.code == 50007


async def test_the_same_nonce_is_the_same_message(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    place = seen(client, channel)
    first = await place.send("once", nonce="delivery-1")
    again = await place.send("once", nonce="delivery-1")
    other = await place.send("other", nonce="delivery-2")
    assert first.id == again.id != other.id
    assert [message.content for message in server.messages(channel)] == ["once", "other"]


@pytest.mark.parametrize(
    ("allowed", "heard"),
    [
        (discord.AllowedMentions.none(), set()),
        (discord.AllowedMentions(users=True, everyone=False, roles=False), {"user"}),
        (None, {"user", "&1"}),
    ],
)
async def test_pings_are_only_those_that_are_allowed(
    server: DiscordServer,
    client: discord.Client,
    channel: Channel,
    mina: User,
    allowed: discord.AllowedMentions | None,
    heard: set[str],
) -> None:
    words = f"{mina.mention} <@&1> @everyone"
    await seen(client, channel).send(words, allowed_mentions=allowed or discord.utils.MISSING)
    [message] = server.messages(channel)
    assert pings(message) == {str(mina.id) if one == "user" else one for one in heard}


async def test_a_reply_pings_unless_told_not_to(
    server: DiscordServer, client: discord.Client, channel: Channel, mina: User
) -> None:
    said = await server.say(channel, mina, "hello")
    partial = seen(client, channel).get_partial_message(said.id)
    await partial.reply("loud")
    await partial.reply("quiet", mention_author=False)
    assert [pings(message) for message in server.messages(channel)[1:]] == [{str(mina.id)}, set()]
    await server.delete(said)
    with pytest.raises(discord.HTTPException) as refused:
        await partial.reply("to nobody")
    assert refused.value.code == 50035


async def test_visible_text_and_links_are_what_people_see(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    view = discord.ui.LayoutView()
    button = discord.ui.Button[discord.ui.LayoutView](label="Open", url="https://example.org/b")
    text = discord.ui.TextDisplay[discord.ui.LayoutView]("Read https://example.org/a")
    view.add_item(discord.ui.Container(text, discord.ui.ActionRow(button)))
    await seen(client, channel).send(view=view)
    [message] = server.messages(channel)
    assert visible_text(message) == "Read https://example.org/a\nOpen"
    assert links_in(message) == ["https://example.org/a", "https://example.org/b"]


async def test_discord_py_learns_the_bucket_and_nothing_is_lost(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    server.limits.messages(2, 0.3)
    began = time.monotonic()
    for number in range(5):
        await seen(client, channel).send(str(number))
    assert time.monotonic() - began > 0.5
    assert [message.content for message in server.messages(channel)] == list("01234")


async def test_more_than_the_limit_is_429_with_all_that_belongs_to_it(
    server: DiscordServer, channel: Channel
) -> None:
    server.limits.messages(1, 5)
    url = f"{server.api_url}/channels/{channel.id}/messages"
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(url, json={"content": "1"}) as taken:
            assert taken.status == 200
            assert taken.headers["Content-Type"] == "application/json"
            assert taken.headers["X-RateLimit-Remaining"] == "0"
        async with session.post(url, json={"content": "2"}) as refused:
            body = await refused.json()
            assert refused.status == 429
            assert refused.headers["Via"]
            assert refused.headers["Retry-After"] == "5"
            assert refused.headers["X-RateLimit-Scope"] == "user"
    assert 4 < body["retry_after"] <= 5
    assert body["global"] is False


async def test_fifty_requests_a_second_are_the_most(server: DiscordServer) -> None:
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        last: tuple[int, str | None] = (0, None)
        for _ in range(60):
            async with session.get(server.api_url + "/users/@me") as answer:
                last = (answer.status, answer.headers.get("X-RateLimit-Global"))
            if last[0] == 429:
                break
    assert last == (429, "true")


@pytest.mark.parametrize(
    ("trouble", "written"),
    [(503, 0), ("reset", 0), ("reset_after_write", 1), ("lost_answer", 1)],
)
async def test_a_trouble_that_discord_py_does_not_repeat_can_be_repeated_with_the_nonce(
    server: DiscordServer,
    client: discord.Client,
    channel: Channel,
    trouble: routes.Trouble,
    written: int,
) -> None:
    server.fail_next(routes.POST_MESSAGE, with_=trouble)
    with pytest.raises((discord.DiscordServerError, aiohttp.ClientError, OSError)):
        await seen(client, channel).send("once", nonce="n")
    assert len(server.messages(channel)) == written
    await seen(client, channel).send("once", nonce="n")
    assert len(server.messages(channel)) == 1


async def test_a_429_on_order_is_waited_for(
    server: DiscordServer, client: discord.Client, channel: Channel
) -> None:
    server.fail_next(routes.POST_MESSAGE, times=2, with_=429)
    await seen(client, channel).send("at last")
    assert [call.status for call in server.calls(routes.POST_MESSAGE)] == [429, 429, 200]


def test_troubles_on_a_route_that_does_not_exist_are_a_mistake_of_the_test() -> None:
    with pytest.raises(LookupError, match="is none of"):
        DiscordServer().fail_next("POST /chanels/{channel}/messages")


async def test_what_is_never_true_fails_with_what_happened_last(server: DiscordServer) -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.05 s; last calls: \[\]"):
        await server.until(lambda: False, timeout=0.05)


async def test_the_server_says_who_the_bot_is(server: DiscordServer) -> None:
    async with connected(server, reading_client()) as client:
        assert client.user is not None
        assert client.user.id == server.bot.id
        assert (await client.application_info()).flags.gateway_message_content_limited
