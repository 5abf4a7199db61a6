"""Answers on their way: said once, whatever breaks; found again; taken away; refused with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from discord.ui import TextDisplay
from support import discord_limits as routes
from support.builders import a_record
from support.discord_bot import LINK, Bot, a_bot
from support.discord_entities import COMPONENTS_V2, Channel, Message, User
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server
from support.discord_world import Refused

from bot.chats import Chat, Ready, Trouble, Waiting
from bot.discord import render
from bot.discord.naming import asked_by
from core.errors import ChatRefused, ChatUnavailable, MessageGone, NotFound
from core.places import Place, SharedLink

EDIT = routes.PATCH_MESSAGE
READY = Ready(a_record())


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        server.limits.enabled = False
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G").text_channel("articles")


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncIterator[Bot]:
    async with a_bot(server) as bot:
        yield bot


@pytest.fixture
def chat(bot: Bot) -> Chat:
    return bot.surface.chat


@pytest.fixture
def mina(server: DiscordServer) -> User:
    return server.user("Mina")


@pytest.fixture
async def shared(server: DiscordServer, bot: Bot, channel: Channel, mina: User) -> SharedLink:
    """A link that nobody answers but the test."""
    await bot.set_profile(channel, mode="off")
    message = await server.say(channel, mina, LINK)
    assert channel.guild is not None
    place = Place("discord", str(channel.guild.id), str(channel.id))
    return SharedLink(LINK, place, str(message.id), str(mina.id))


def thread_of(server: DiscordServer, shared: SharedLink) -> Channel:
    return server.world.channels[int(shared.message)]


def answers(server: DiscordServer, shared: SharedLink) -> list[Message]:
    return server.by_bot(thread_of(server, shared))


async def test_a_placeholder_becomes_a_digest_in_place(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    reply = await chat.post(shared, Waiting(), key=shared.key)
    await chat.edit(shared, reply, READY, key=shared.key)
    await chat.edit(shared, reply, Trouble(NotFound("x")), key=shared.key)
    (answer,) = answers(server, shared)
    assert reply == f"{answer.channel.id}:{answer.id}"
    assert "no page at this address" in visible_text(answer)
    assert answer.flags & COMPONENTS_V2


@pytest.mark.parametrize("trouble", [503, "reset"])
async def test_what_discord_py_does_not_repeat_is_unavailable_and_may_be_repeated(
    server: DiscordServer, chat: Chat, shared: SharedLink, trouble: routes.Trouble
) -> None:
    server.fail_next(routes.POST_MESSAGE, with_=trouble)
    with pytest.raises(ChatUnavailable):
        await chat.post(shared, Waiting(), key=shared.key)
    reply = await chat.post(shared, Waiting(), key=shared.key)
    server.fail_next(EDIT, with_=trouble)
    with pytest.raises(ChatUnavailable):
        await chat.edit(shared, reply, READY, key=shared.key)
    await chat.edit(shared, reply, READY, key=shared.key)
    assert len(answers(server, shared)) == 1


async def test_what_is_to_be_said_waits_for_a_new_token(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    token, server.rest.token = server.rest.token, "a newer one"
    with pytest.raises(ChatUnavailable):
        await chat.post(shared, Waiting(), key=shared.key)
    # ten thousand refusals in ten minutes, and Discord bars the address
    assert [call.status for call in server.calls(routes.START_THREAD)] == [401]
    server.rest.token = token
    await chat.post(shared, Waiting(), key=shared.key)


@pytest.mark.parametrize("trouble", ["lost_answer", "reset_after_write"])
async def test_a_repeat_after_a_lost_answer_is_harmless(
    server: DiscordServer, chat: Chat, shared: SharedLink, trouble: routes.Trouble
) -> None:
    server.fail_next(routes.POST_MESSAGE, with_=trouble)
    with pytest.raises(ChatUnavailable):
        await chat.post(shared, Waiting(), key=shared.key)
    reply = await chat.post(shared, Waiting(), key=shared.key)
    (answer,) = answers(server, shared)
    assert reply.endswith(f":{answer.id}")
    assert answer.nonce == shared.key[:25]


@pytest.mark.parametrize("shown", [Waiting(), READY, Trouble(NotFound("x"))])
async def test_a_lost_message_is_found_by_its_key_after_the_nonce_is_forgotten(
    server: DiscordServer, chat: Chat, shared: SharedLink, shown: Ready
) -> None:
    assert await chat.find(shared, shared.key) is None
    reply = await chat.post(shared, shown, key=shared.key)
    server.messages_api.forget_nonces()
    assert await chat.find(shared, shared.key) == reply
    assert await chat.find(shared, "0" * 32) is None


async def test_a_reply_in_place_and_an_answer_to_a_command_are_found_as_well(
    server: DiscordServer, chat: Chat, shared: SharedLink, channel: Channel
) -> None:
    channel.deny(server.bot, "create_public_threads")
    reply = await chat.post(shared, Waiting(), key=shared.key)
    assert reply.startswith(f"{channel.id}:")
    assert await chat.find(shared, shared.key) == reply
    asked = SharedLink(LINK, shared.place, asked_by(int(shared.message)), shared.by)
    assert await chat.find(asked, asked.key) is None
    reply = await chat.post(asked, Waiting(), key=asked.key)
    assert await chat.find(asked, asked.key) == reply


async def test_a_lost_answer_to_opening_the_thread_finds_the_thread(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    server.fail_next(routes.START_THREAD, with_="lost_answer")
    with pytest.raises(ChatUnavailable):
        await chat.post(shared, Waiting(), key=shared.key)
    await chat.post(shared, Waiting(), key=shared.key)
    assert len(answers(server, shared)) == 1


async def test_a_removed_answer_is_gone_and_removing_it_again_is_fine(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    reply = await chat.post(shared, READY, key=shared.key)
    await chat.remove(shared, reply)
    await chat.remove(shared, reply)
    assert not answers(server, shared)
    with pytest.raises(MessageGone):
        await chat.edit(shared, reply, READY, key=shared.key)


async def test_a_deleted_channel_is_gone(
    server: DiscordServer, chat: Chat, shared: SharedLink, channel: Channel
) -> None:
    reply = await chat.post(shared, Waiting(), key=shared.key)
    server.delete_channel(channel)
    with pytest.raises(MessageGone):
        await chat.edit(shared, reply, READY, key=shared.key)
    with pytest.raises(MessageGone):
        await chat.post(shared, Waiting(), key=shared.key)
    await chat.remove(shared, reply)


async def test_an_archived_thread_takes_an_answer(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    await chat.post(shared, Waiting(), key=shared.key)
    thread_of(server, shared).archived = True
    await chat.post(shared, Waiting(), key="f" * 32)
    assert len(answers(server, shared)) == 2


async def test_a_thread_that_was_archived_meanwhile_is_opened_for_the_edit(
    server: DiscordServer,
    chat: Chat,
    shared: SharedLink,
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def frozen(where: Channel, _form: object) -> None:
        if where.archived:
            raise Refused(400, 50083, "Thread is archived")

    monkeypatch.setattr(server.messages_api, "_may_embed", frozen)
    channel.allow(server.bot, "manage_threads")
    reply = await chat.post(shared, Waiting(), key=shared.key)
    thread_of(server, shared).archived = True
    await chat.edit(shared, reply, READY, key=shared.key)
    (answer,) = answers(server, shared)
    assert "2.8 / 5" in visible_text(answer)
    assert not thread_of(server, shared).archived


async def test_a_locked_thread_is_refused_without_asking_discord(
    server: DiscordServer, chat: Chat, shared: SharedLink, bot: Bot
) -> None:
    await chat.post(shared, Waiting(), key=shared.key)
    thread = thread_of(server, shared)
    thread.locked = thread.archived = True
    server.world.emit("THREAD_UPDATE", thread.payload(), thread)
    client = bot.surface._client
    assert client is not None
    await server.until(lambda: getattr(client.get_channel(thread.id), "locked", True))
    with pytest.raises(ChatRefused):
        await chat.post(shared, Waiting(), key="f" * 32)
    assert all(call.status == 200 for call in server.calls(routes.POST_MESSAGE))


async def test_a_refusal_of_discords_own_is_not_repeated(
    server: DiscordServer, chat: Chat, shared: SharedLink
) -> None:
    reply = await chat.post(shared, Waiting(), key=shared.key)
    thread_of(server, shared).locked = True  # nobody told the gateway
    with pytest.raises(ChatRefused):
        await chat.post(shared, Waiting(), key="f" * 32)
    await chat.edit(shared, reply, READY, key=shared.key)


async def test_where_a_layout_is_refused_an_embed_stands_in(
    server: DiscordServer,
    chat: Chat,
    shared: SharedLink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refused(*_: object) -> render.Layout:
        view = render.Layout(timeout=None)
        return view.add_item(TextDisplay("x" * 4001))

    monkeypatch.setattr(render, "layout", refused)
    reply = await chat.post(shared, Waiting(), key=shared.key)
    assert await chat.find(shared, shared.key) == reply
    await chat.edit(shared, reply, READY, key=shared.key)
    (answer,) = answers(server, shared)
    assert not answer.flags & COMPONENTS_V2
    assert "2.8 / 5 · intermediate" in visible_text(answer)
    assert "an embed" in caplog.text


async def test_a_burst_in_one_channel_is_paced_and_loses_nothing(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    """Pitfall 13: replies in one channel, in Discord's own buckets made ten times as quick."""
    server.limits.enabled = True
    server.limits.messages(5, 0.5)
    channel.deny(server.bot, "create_public_threads")
    async with a_bot(server) as bot:
        for number in range(12):
            await server.say(channel, mina, f"{LINK}/{number}")
        await bot.until_answered(12)
    texts = [visible_text(message) for message in server.by_bot(channel)]
    assert len(texts) == 12
    assert all("2.8 / 5" in text for text in texts)
    refused = [call for call in server.calls() if call.status == 429]
    assert len(refused) <= 2


async def test_a_chat_that_is_not_connected_is_unavailable(
    server: DiscordServer, channel: Channel, shared: SharedLink, bot: Bot
) -> None:
    reply = await bot.surface.chat.post(shared, Waiting(), key=shared.key)
    await bot.surface.close()
    with pytest.raises(ChatUnavailable):
        await bot.surface.chat.edit(shared, reply, READY, key=shared.key)
