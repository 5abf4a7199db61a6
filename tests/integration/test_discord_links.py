"""Links shared on Discord, through real discord.py: which are heard, and where the answer goes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.discord_bot import LINK, Bot, Memory, a_bot, place_of
from support.discord_entities import PERMISSIONS, SUPPRESS_EMBEDS, VOICE, Channel, User
from support.discord_people import links_in, pings, visible_text
from support.discord_server import DiscordServer, discord_server

from bot.discord.places import INVITED_WITH
from core.settings import LimitSettings

OTHER = "https://blog.example.com/other"


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
    return server.user("Mina", locale="ko")


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncIterator[Bot]:
    async with a_bot(server) as bot:
        yield bot


async def test_a_link_is_answered_in_a_thread_by_a_placeholder_that_becomes_the_digest(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.queue.going.clear()
    shared = await server.say(channel, mina, f"look {LINK}")
    thread = await server.until(lambda: server.world.channels.get(shared.id))
    assert thread is not None
    (placeholder,) = await server.until(lambda: server.by_bot(thread))
    assert "Reading the article" in visible_text(placeholder)
    bot.queue.going.set()
    await bot.until_answered(1)
    (answer,) = server.by_bot(thread)
    assert "2.8 / 5 · intermediate" in visible_text(answer)
    assert links_in(answer) == [LINK]
    assert not pings(answer)
    assert answer.flags & SUPPRESS_EMBEDS
    assert not server.by_bot(channel)


async def test_a_thread_is_named_once_after_its_first_article(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.queue.going.clear()
    shared = await server.say(channel, mina, f"{LINK} and {OTHER}")
    thread = await server.until(lambda: server.world.channels.get(shared.id))
    assert thread is not None
    assert thread.name == "Digest · blog.example.com"
    await server.until(lambda: len(server.by_bot(thread)) == 2)
    bot.queue.going.set()
    await bot.until_answered(2)
    await server.until(lambda: thread.name == "Digest · Connection pools, measured")
    await bot.until_idle()
    renamed = server.calls("PATCH /channels/{channel}")
    assert [call.status for call in renamed] == [200]


async def test_a_thread_that_somebody_renamed_keeps_that_name(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.queue.going.clear()
    shared = await server.say(channel, mina, LINK)
    thread = await server.until(lambda: server.world.channels.get(shared.id))
    assert thread is not None
    await server.until(lambda: server.by_bot(thread))
    thread.name = "pools"
    server.world.emit("THREAD_UPDATE", thread.payload(), thread)
    bot.queue.going.set()
    await bot.until_answered(1)
    await server.say(channel, mina, OTHER)  # whatever was begun is through when this is
    await bot.until_answered(2)
    assert thread.name == "pools"


async def test_a_rename_that_is_refused_costs_no_answer(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.queue.going.clear()
    server.fail_next("PATCH /channels/{channel}", with_=403)
    shared = await server.say(channel, mina, LINK)
    await server.until(lambda: shared.id in server.world.channels)
    thread = server.world.channels[shared.id]
    await server.until(lambda: server.by_bot(thread))
    bot.queue.going.set()
    await bot.until_answered(1)
    await server.until(lambda: server.calls("PATCH /channels/{channel}"))
    assert thread.name == "Digest · blog.example.com"
    assert not bot.queue.errors


async def test_a_message_told_again_changes_nothing(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    shared = await server.say(channel, mina, LINK)
    await bot.until_answered(1)
    for _ in range(3):
        server.messages_api.tell("MESSAGE_CREATE", shared)
    await server.say(channel, mina, OTHER)
    await bot.until_answered(2)
    assert [one.canonical for one in bot.queue.accepted] == [LINK, OTHER]


async def test_two_links_of_one_message_share_its_thread(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    shared = await server.say(channel, mina, f"{LINK} and {OTHER}")
    await bot.until_answered(2)
    thread = server.world.channels[shared.id]
    assert len(server.by_bot(thread)) == 2
    assert len(server.calls("POST /channels/{channel}/messages/{message}/threads")) == 1


async def test_a_preview_is_no_edit_and_an_edit_is_respected(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    shared = await server.say(channel, mina, LINK)
    await bot.until_answered(1)
    server.preview(shared, LINK)
    await server.edit(shared, f"I meant {OTHER}")
    await bot.until_answered(1)
    await server.until(lambda: bot.queue.withdrawn == [LINK])
    await bot.until_idle()
    thread = server.world.channels[shared.id]
    (left,) = server.by_bot(thread)
    assert bot.memory.deliveries.kept[bot.queue.accepted[1].id].reply == f"{thread.id}:{left.id}"


async def test_a_deleted_message_takes_its_answer_with_it(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    shared = await server.say(channel, mina, LINK)
    await bot.until_answered(1)
    thread = server.world.channels[shared.id]
    await server.delete(shared)
    await server.until(lambda: not server.by_bot(thread))
    assert bot.queue.withdrawn == [LINK]


async def test_messages_cleared_away_together_take_their_answers_with_them(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    shared = [await server.say(channel, mina, link) for link in (LINK, OTHER)]
    await bot.until_answered(2)
    threads = [server.world.channels[message.id] for message in shared]
    await server.delete_many(shared)
    await server.until(lambda: not any(server.by_bot(thread) for thread in threads))
    assert bot.queue.withdrawn == [LINK, OTHER]


async def test_messages_of_bots_and_of_webhooks_are_left_alone(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    await server.say(channel, server.world.user("news-bot", bot=True), OTHER)
    hook = await server.say(channel, server.user("hook"), "one moment")
    hook.webhook = True
    hook.form = {"content": OTHER}
    server.messages_api.tell("MESSAGE_CREATE", hook)
    await server.say(channel, mina, LINK)
    await bot.until_answered(1)
    assert [one.canonical for one in bot.queue.accepted] == [LINK]


async def test_in_mode_ask_only_what_is_asked_for_is_digested(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    await bot.set_profile(channel, mode="ask")
    quiet = await server.say(channel, mina, LINK)
    await server.say(channel, mina, f"{server.bot.mention} {OTHER}")
    await bot.until_answered(1)
    assert [one.canonical for one in bot.queue.accepted] == [OTHER]
    await server.say(channel, mina, f"{server.bot.mention} please", reply_to=quiet)
    await server.react(quiet, mina, "🔍")
    await bot.until_answered(3)
    assert [one.canonical for one in bot.queue.accepted[1:]] == [LINK, LINK]
    assert {one.shared.message for one in bot.queue.accepted[1:]} >= {str(quiet.id)}


async def test_in_mode_off_nothing_is_digested(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    await bot.set_profile(channel, mode="off")
    await server.react(await server.say(channel, mina, LINK), mina, "🔍")
    await server.say(channel, mina, f"{server.bot.mention} {LINK}")
    elsewhere = channel.guild.text_channel("elsewhere")  # type: ignore[union-attr]
    await server.say(elsewhere, mina, OTHER)
    await bot.until_answered(1)
    assert [one.canonical for one in bot.queue.accepted] == [OTHER]


async def test_a_link_in_a_thread_is_answered_there_and_counts_for_its_channel(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    start = await server.say(channel, mina, "a talk")
    thread = server.world.start_thread(channel, start.id, "talk", mina)
    shared = await server.say(thread, mina, LINK)
    await bot.until_answered(1)
    (answer,) = server.by_bot(thread)
    assert answer.reference is not None
    assert answer.reference["message_id"] == str(shared.id)
    assert not pings(answer)
    place = bot.queue.accepted[0].shared.place
    assert (place.channel, place.thread) == (str(channel.id), str(thread.id))


async def test_where_threads_are_impossible_the_answer_is_a_reply(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    assert channel.guild is not None
    voice = channel.guild.channel("voice", VOICE)
    channel.deny(server.bot, "create_public_threads")
    direct = server.world.direct(mina)
    for where in (voice, channel, direct):
        shared = await server.say(where, mina, LINK)
        await bot.until_idle()
        await server.until(lambda where=where: server.by_bot(where))  # type: ignore[misc]
        (answer,) = server.by_bot(where)
        assert answer.reference is not None
        assert answer.reference["message_id"] == str(shared.id)
        assert not pings(answer)
    await bot.until_answered(3)
    assert bot.queue.accepted[-1].shared.place.workspace == "@me"


async def test_the_permissions_that_an_invitation_asks_for_are_enough(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    assert channel.guild is not None
    channel.guild.revoke(*PERMISSIONS)
    channel.guild.grant(server.bot, *(one for one in PERMISSIONS if getattr(INVITED_WITH, one)))
    channel.guild.grant(mina, "view_channel", "send_messages")
    async with a_bot(server) as bot:
        shared = await server.say(channel, mina, f"{LINK} and {OTHER}")
        await bot.until_answered(2)
        thread = server.world.channels[shared.id]
        await server.until(lambda: thread.name == "Digest · Connection pools, measured")
        await server.delete(shared)
        await server.until(lambda: not server.by_bot(thread))
        await bot.until_idle()
    assert not [call for call in server.calls() if (call.status or 0) >= 400]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("send_messages_in_threads", ""),
        ("send_messages", "메시지 보내기"),
        ("embed_links", "링크 첨부"),
        ("read_message_history", "메시지 기록 보기"),
    ],
)
async def test_a_missing_permission_is_named_in_private_and_once(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot, name: str, called: str
) -> None:
    await bot.set_profile(channel, ui="ko")
    channel.deny(server.bot, name, "create_public_threads")
    await server.say(channel, mina, LINK)
    await server.say(channel, mina, OTHER)
    await server.until(lambda: len(bot.queue.accepted) == 2)
    await bot.until_idle()
    if not called:  # a reply needs no threads
        await bot.until_answered(2)
        return
    (told,) = server.by_bot(server.world.direct(mina))
    assert called in told.content
    assert "#articles" in told.content
    assert [error.code for error in bot.queue.errors] == ["chat_refused"] * 2
    assert not [call for call in server.calls() if call.status == 403]


async def test_too_many_links_are_mentioned_once(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    async with a_bot(server, limits=LimitSettings(user_per_hour=1)) as bot:
        for number in range(3):
            await server.say(channel, mina, f"{LINK}/{number}")
        await bot.until_answered(1)
        (told,) = await server.until(lambda: server.by_bot(channel))
        assert "more links than I digest" in told.content
        await server.say(channel, mina, f"{LINK}/again")
        await server.say(channel, server.user("Joon"), f"{LINK}/other-person")
        await bot.until_answered(2)
        assert len(server.by_bot(channel)) == 1


async def test_a_channel_deleted_in_the_middle_ends_its_delivery_and_nothing_else(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    assert channel.guild is not None
    other = channel.guild.text_channel("other")
    bot.queue.going.clear()
    shared = await server.say(channel, mina, LINK)
    await server.until(lambda: shared.id in server.world.channels)
    await server.until(lambda: server.by_bot(server.world.channels[shared.id]))
    server.delete_channel(channel)
    await server.say(other, mina, OTHER)
    bot.queue.going.set()
    await bot.until_answered(1)
    await bot.until_idle()
    assert [error.code for error in bot.queue.errors] == ["message_gone"]


async def test_a_message_that_is_gone_before_its_answer_is_not_answered(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    channel.deny(server.bot, "create_public_threads")
    shared = await server.say(channel, mina, "soon")
    channel.messages.pop(shared.id)
    shared.form = {"content": LINK}
    server.messages_api.tell("MESSAGE_CREATE", shared)
    await server.until(lambda: bot.queue.errors)
    assert bot.queue.errors[0].code == "message_gone"


async def test_the_guilds_language_is_that_of_its_messages(
    server: DiscordServer, mina: User
) -> None:
    korean = server.guild("한국", locale="ko").text_channel("글")
    english = server.guild("G").text_channel("articles")
    async with a_bot(server) as bot:
        await server.say(korean, mina, LINK)
        await server.say(english, mina, LINK)
        await server.say(english, mina, f"이 글 좋아요 한번 읽어 보세요 {OTHER}")
        await bot.until_answered(3)
        spoken = {
            (one.shared.place.workspace, one.canonical): one.shared.ui for one in bot.queue.accepted
        }
    assert korean.guild is not None
    assert english.guild is not None
    assert spoken == {
        (str(korean.guild.id), LINK): "ko",
        (str(english.guild.id), LINK): "en",
        (str(english.guild.id), OTHER): "ko",
    }


async def test_without_the_intent_mentions_work_and_reactions_say_what_to_do(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    server.without_message_content()
    async with a_bot(server, message_content=False) as bot:
        unread = await server.say(channel, mina, LINK)
        shared = await server.say(channel, mina, f"{server.bot.mention} {OTHER}")
        await bot.until_answered(1)
        assert [one.canonical for one in bot.queue.accepted] == [OTHER]
        await server.react(unread, mina, "🔍")
        (told,) = await server.until(lambda: server.by_bot(channel))
        assert "Digest this" in told.content
        await server.edit(unread, "something else")  # comes empty: it says nothing
        await server.edit(shared, f"{server.bot.mention} nothing any more")
        await server.until(lambda: bot.queue.withdrawn == [OTHER])


async def test_an_edit_that_cannot_be_read_takes_nothing_back(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    server.without_message_content()
    async with a_bot(server, message_content=False) as bot:
        await server.until(lambda: server.commands.syncs)
        shared = await server.say(channel, mina, LINK)
        await server.context_menu(mina, shared, "Digest this")
        await bot.until_answered(1)
        server.preview(shared, LINK)
        await server.edit(shared, f"{LINK} indeed")
        await server.say(channel, mina, f"{server.bot.mention} {OTHER}")
        await bot.until_answered(2)
        assert not bot.queue.withdrawn


async def test_a_mention_without_words_is_answered_with_help(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    await server.say(channel, mina, f"{server.bot.mention}")
    (told,) = await server.until(lambda: server.by_bot(channel))
    assert "/digest link" in told.content


async def test_guilds_are_kept_with_their_names_and_their_choice(
    server: DiscordServer, channel: Channel
) -> None:
    memory = Memory()
    async with a_bot(server, memory):
        await server.until(lambda: memory.workspaces.kept)
    assert memory.workspaces.kept["discord", place_of(channel).workspace].name == "G"
