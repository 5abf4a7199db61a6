"""Commands, menus and buttons, through real discord.py: answered in time, to whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support import discord_limits as routes
from support.builders import a_digest, a_record
from support.discord_bot import LINK, Bot, Memory, a_bot, place_of
from support.discord_components import walk
from support.discord_entities import Channel, Message, User
from support.discord_interactions import Interaction
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server

from core.digest import TechnicalTerm
from core.places import ChannelProfile
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
def joon(server: DiscordServer) -> User:
    return server.user("Joon")


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncIterator[Bot]:
    async with a_bot(server) as bot:
        await server.until(lambda: server.commands.syncs)
        yield bot


async def answered(server: DiscordServer, asked: Interaction) -> Message:
    """What only this person sees."""
    (message,) = await server.until(lambda: asked.messages)
    assert message.only_for is asked.user
    return message


async def text_of(server: DiscordServer, asked: Interaction) -> str:
    return visible_text(await answered(server, asked))


def public(server: DiscordServer, channel: Channel) -> list[Message]:
    return [message for message in server.by_bot(channel) if message.only_for is None]


# --- commands


async def test_a_link_given_to_the_command_is_answered_in_the_channel(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    asked = await server.slash(mina, channel, "digest", "link", {"link": f" {LINK} "})
    assert "곧 이 채널에" in await text_of(server, asked)
    await bot.until_answered(1)
    (answer,) = server.by_bot(channel)[-1:]
    assert "2.8 / 5 · 중급" in visible_text(answer)
    assert answer.reference is None


async def test_what_is_no_link_is_answered_with_a_sentence(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    asked = await server.slash(joon, channel, "digest", "link", {"link": "ftp://x"})
    assert "begins with http" in await text_of(server, asked)
    assert not bot.queue.accepted


async def test_the_menu_of_a_message_digests_its_link_in_mode_ask(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    await bot.set_profile(channel, mode="ask")
    shared = await server.say(channel, mina, f"{LINK} and more")
    plain = await server.say(channel, mina, "no link here")
    asked = await server.context_menu(joon, shared, "Digest this")
    assert "on its way" in await text_of(server, asked)
    await bot.until_answered(1)
    (answer,) = server.by_bot(server.world.channels[shared.id])
    assert bot.queue.accepted[0].shared.by == str(joon.id)
    asked = await server.context_menu(joon, plain, "Digest this")
    assert "no link" in await text_of(server, asked)
    asked = await server.context_menu(joon, shared, "Digest this")
    assert f"/{answer.channel.id}/{answer.id}" in await text_of(server, asked)
    await bot.set_profile(channel, mode="off")
    asked = await server.context_menu(joon, shared, "Digest this")
    assert "switched off" in await text_of(server, asked)


async def test_a_missing_permission_is_told_to_who_asks(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    channel.deny(server.bot, "send_messages")
    asked = await server.slash(mina, channel, "digest", "link", {"link": LINK})
    assert "메시지 보내기" in await text_of(server, asked)
    assert not bot.queue.accepted


async def test_one_who_asks_too_much_is_told_so_in_private(
    server: DiscordServer, channel: Channel, joon: User
) -> None:
    async with a_bot(server, limits=LimitSettings(user_per_hour=1)) as bot:
        await server.until(lambda: server.commands.syncs)
        await server.slash(joon, channel, "digest", "link", {"link": LINK})
        await bot.until_answered(1)
        asked = await server.slash(joon, channel, "digest", "link", {"link": OTHER})
        assert "more links than I digest" in await text_of(server, asked)


async def test_help_is_given_in_the_persons_language(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    korean = await server.slash(mina, channel, "digest", "help")
    english = await server.slash(joon, channel, "digest", "help")
    assert "요약과 난이도" in await text_of(server, korean)
    assert "difficulty" in await text_of(server, english)
    await bot.set_profile(channel, ui="ko")
    channels_own = await server.slash(joon, channel, "digest", "help")
    assert "요약과 난이도" in await text_of(server, channels_own)


async def test_commands_have_korean_names(server: DiscordServer, bot: Bot) -> None:
    commands = server.commands.by_scope[None].values()
    assert {one["name"]: one["name_localizations"]["ko"] for one in commands} == {
        "ask": "질문",
        "digest": "요약",
        "explain": "설명",
        "Digest this": "요약하기",
    }


# --- settings


async def test_settings_are_shown_and_changed_by_who_manages_the_server(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    assert channel.guild is not None
    channel.guild.grant(joon, "manage_guild")
    asked = await server.slash(joon, channel, "digest", "settings")
    panel = await answered(server, asked)
    assert "What to do with links" in visible_text(panel)
    for select, value in (("set_mode", "ask"), ("set_language", "en"), ("set_ui", "ko")):
        await server.choose(panel, f"sdd:{select}:::", value, joon)
        await server.until(lambda value=value: chosen(panel, value))  # type: ignore[misc]
    profile = await bot.memory.profiles.get(place_of(channel))
    assert profile == ChannelProfile(mode="ask", language="en", ui="ko")
    assert "이 채널의 설정" in visible_text(panel)
    assert bot.memory.profiles.by[place_of(channel)] == str(joon.id)


async def test_others_are_told_who_may_change_settings(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    assert channel.guild is not None
    asked = await server.slash(joon, channel, "digest", "settings")
    assert "Manage Server" in await text_of(server, asked)
    channel.guild.grant(mina, "manage_guild")
    panel = await answered(server, await server.slash(mina, channel, "digest", "settings"))
    channel.deny(mina, "manage_guild")  # taken away while the panel is open
    pressed = await server.choose(panel, "sdd:set_mode:::", "off", mina)
    await server.until(lambda: pressed.follow_ups)
    assert "서버 관리하기" in pressed.follow_ups[0].content
    assert (await bot.memory.profiles.get(place_of(channel))).mode == "auto"


async def test_direct_messages_have_no_settings(
    server: DiscordServer, joon: User, bot: Bot
) -> None:
    asked = await server.slash(joon, server.world.direct(joon), "digest", "settings")
    assert "only in the channels of a server" in await text_of(server, asked)


def chosen(panel: Message, value: str) -> bool:
    return any(
        option["value"] == value and option.get("default")
        for _, component in walk(panel.components)
        for option in component.get("options", [])
    )


# --- buttons


async def test_terms_are_shown_to_who_asks_page_by_page(
    server: DiscordServer, channel: Channel, mina: User
) -> None:
    terms = tuple(
        TechnicalTerm(term=f"term {number}", explanation=f"meaning {number} " + "long " * 120)
        for number in range(12)
    )
    record = a_record(digest=a_digest(technical_terms=terms))
    async with a_bot(server, record=record) as bot:
        digest = await bot.digest_in(channel, mina)
        asked = await server.press(digest, "Terms 12", mina)
        page = await answered(server, asked)
        seen = visible_text(page)
        assert "1 / 3쪽" in seen
        for number in (2, 3):
            forward = buttons(page)[-1]
            await server.press(page, forward, mina)
            await server.until(lambda number=number: f"{number} / 3쪽" in visible_text(page))  # type: ignore[misc]
            seen += visible_text(page)
        assert all(f"meaning {number} " in seen for number in range(12))
        await server.press(page, buttons(page)[0], mina)
        await server.until(lambda: "2 / 3쪽" in visible_text(page))


def buttons(message: Message) -> list[str]:
    return [one["custom_id"] for _, one in walk(message.components) if one["type"] == 2]


async def test_details_hold_what_the_message_had_no_room_for(
    server: DiscordServer, channel: Channel, joon: User
) -> None:
    record = a_record(digest=a_digest(summary="word " * 400 + "END"))
    async with a_bot(server, record=record) as bot:
        digest = await bot.digest_in(channel, joon)
        assert "word…" in visible_text(digest)
        assert "END" not in visible_text(digest)
        asked = await server.press(digest, "Details", joon)
        assert "END" in await text_of(server, asked)


async def test_an_interaction_is_answered_in_time_while_the_model_is_busy(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    bot.digester.going.clear()
    questions = await server.press(digest, "Questions", joon)
    term = await server.press(digest, "Terms 1", joon)
    assert "connection pool" in await text_of(server, term)
    assert questions.answered_after is not None
    assert questions.answered_after < 1
    assert not questions.messages
    bot.digester.going.set()
    text = await text_of(server, questions)
    assert all(f"Question {number}?" in text for number in range(1, 6))
    again = await server.press(digest, "Questions", joon)
    await answered(server, again)
    assert bot.digester.asked == 1


async def test_verdicts_are_kept_for_each_person(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    good = next(one for one in buttons(digest) if ":good:" in one)
    for person, button in ((mina, "Too hard"), (joon, "Too easy"), (joon, good)):
        await answered(server, await server.press(digest, button, person))
    workspace = place_of(channel).workspace
    found = {(by, verdict) for (_, by, _), verdict in bot.memory.digests.verdicts.items()}
    assert found == {
        (f"discord:{workspace}:{mina.id}", "too_hard"),
        (f"discord:{workspace}:{joon.id}", "too_easy"),
        (f"discord:{workspace}:{joon.id}", "good"),
    }


async def test_again_and_the_other_language_are_further_answers(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    for button in ("Again", "In Korean"):
        asked = await server.press(digest, button, joon)
        assert "on its way" in await text_of(server, asked)
    await bot.until_answered(3)
    again, korean = (one.shared for one in bot.queue.accepted[1:])
    assert again.again
    assert korean.language == "ko"
    assert len(public(server, digest.channel)) == 3


async def test_impatient_fingers_get_one_digest(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    for _ in range(3):
        asked = await server.press(digest, "Again", joon)
        assert "on its way" in await text_of(server, asked)
    await bot.until_answered(2)
    assert len(bot.queue.accepted) == 2


async def test_an_answer_that_is_gone_is_made_again_for_who_asks(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    shared = await server.say(channel, joon, LINK)
    await bot.until_answered(1)
    (answer,) = server.by_bot(server.world.channels[shared.id])
    await server.press(answer, "Hide", joon)
    await server.until(lambda: answer.deleted)
    asked = await server.context_menu(joon, shared, "Digest this")
    assert "on its way" in await text_of(server, asked)
    await bot.until_answered(2)
    assert len(public(server, server.world.channels[shared.id])) == 1


async def test_a_replayed_press_does_nothing_twice(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    for button in ("Again", "Terms 1"):
        asked = await server.press(digest, button, joon)
        await answered(server, asked)
        before = len(server.calls(routes.CALLBACK))
        payload = server.interactions._payload(asked)
        server.world.emit("INTERACTION_CREATE", payload, digest.channel)
        await server.until(lambda before=before: len(server.calls(routes.CALLBACK)) > before)  # type: ignore[misc]
    await answered(server, await server.press(digest, "Details", joon))
    await bot.until_idle()
    assert len(bot.queue.accepted) == 2
    assert len(public(server, digest.channel)) == 2


async def test_only_who_shared_a_link_or_manages_messages_can_hide_the_answer(
    server: DiscordServer, channel: Channel, mina: User, joon: User, bot: Bot
) -> None:
    assert channel.guild is not None
    digest = await bot.digest_in(channel, mina)
    asked = await server.press(digest, "Hide", joon)
    assert "Manage Messages" in await text_of(server, asked)
    assert not digest.deleted
    await server.press(digest, "Hide", mina)
    await server.until(lambda: digest.deleted)
    channel.guild.grant(joon, "manage_messages")
    digest = await bot.digest_in(channel, mina, OTHER)
    await server.press(digest, "Hide", joon)
    await server.until(lambda: digest.deleted)


async def test_buttons_work_after_a_restart(
    server: DiscordServer, channel: Channel, joon: User
) -> None:
    memory = Memory()
    async with a_bot(server, memory) as bot:
        digest = await bot.digest_in(channel, joon)
        page = await answered(server, await server.press(digest, "Terms 1", joon))
    async with a_bot(server, memory) as bot:
        asked = await server.press(digest, "Terms 1", joon)
        assert visible_text(page) == await text_of(server, asked)
        asked = await server.press(digest, "Again", joon)
        assert "on its way" in await text_of(server, asked)
        await bot.until_answered(2)


async def test_a_button_of_a_digest_that_is_gone_says_so(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    bot.memory.digests.records.clear()
    bot.memory.deliveries.kept.clear()
    for button in ("Terms 1", "Questions", "Details", "Too easy", "Again", "Hide"):
        asked = await server.press(digest, button, joon)
        assert "not kept any more" in await text_of(server, asked)


# --- tokens that ran out


async def test_an_answer_that_comes_after_a_quarter_of_an_hour_goes_to_the_channel(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    bot.digester.going.clear()
    asked = await server.press(digest, "Questions", joon)
    await server.until(lambda: asked.answered_after)
    server.interactions.token_lasts = 0
    bot.digester.going.set()
    await server.until(lambda: len(public(server, digest.channel)) == 2)
    assert "Question 1?" in visible_text(public(server, digest.channel)[-1])


async def test_an_interaction_that_discord_has_given_up_on_is_answered_in_the_channel(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    digest = await bot.digest_in(channel, joon)
    server.interactions.first_answer_within = 0  # 10062
    await server.press(digest, "Terms 1", joon)
    await server.until(lambda: len(public(server, digest.channel)) == 2)
    assert "connection pool" in visible_text(public(server, digest.channel)[-1])


async def test_a_503_on_the_first_answer_is_repeated_in_time(
    server: DiscordServer, channel: Channel, joon: User, bot: Bot
) -> None:
    """Pitfall 12: discord.py repeats it after a second, within Discord's three."""
    digest = await bot.digest_in(channel, joon)
    server.fail_next(routes.CALLBACK, with_=503)
    asked = await server.press(digest, "Terms 1", joon)
    assert "connection pool" in await text_of(server, asked)
    assert asked.answered_after is not None
    assert asked.answered_after < 3


@pytest.mark.parametrize("trouble", [503, "reset", "lost_answer"])
async def test_an_answer_whose_edit_fails_is_repeated(
    server: DiscordServer,
    channel: Channel,
    joon: User,
    bot: Bot,
    monkeypatch: pytest.MonkeyPatch,
    trouble: routes.Trouble,
) -> None:
    monkeypatch.setattr("bot.discord.answering._ATTEMPTS", (0.01, 0.01))
    digest = await bot.digest_in(channel, joon)
    server.fail_next(routes.EDIT_ANSWER, with_=trouble)
    asked = await server.press(digest, "Terms 1", joon)
    assert "connection pool" in await text_of(server, asked)
    assert len(public(server, digest.channel)) == 1
