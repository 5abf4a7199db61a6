"""Commands, shortcuts, buttons, forms and the Home tab, with a person waiting for the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.builders import a_digest
from support.slack_block_rules import visible_text
from support.slack_bot import SlackBot, a_bot, digests_in, quiet
from support.slack_faults import Refused
from support.slack_interactions import Interaction
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel, Message

from core.digest import TechnicalTerm
from core.errors import EngineTimedOut, StorageUnavailable
from core.places import ChannelProfile, Place
from core.settings import LimitSettings

LINK = "https://a.example/post"
PLACE = Place("slack", "T1", "C1")


@asynccontextmanager
async def a_digest_shown(
    limits: LimitSettings | None = None,
) -> AsyncIterator[tuple[SlackServer, SlackBot, Channel, Message]]:
    """U1 shared a link, and its digest stands in the thread."""
    async with slack_server() as slack, a_bot(slack, limits=limits) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        [answer] = await slack.until(lambda: digests_in(slack, channel, ts))
        await quiet(slack, bot)
        yield slack, bot, channel, answer


async def said(slack: SlackServer, done: Interaction) -> str:
    """What the person was answered, once it is there."""
    assert done.acked
    messages = await slack.until(lambda: done.messages)
    return visible_text(messages[-1].blocks)


# --- /digest


async def test_a_link_given_to_the_command_is_digested_in_the_channel() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "ask")
        done = await slack.command("/digest", LINK, user="U1", channel=channel)
        assert "on its way" in await said(slack, done)
        [answer] = await slack.until(
            lambda: [one for one in channel.messages.values() if "Terms" in str(one.blocks)]
        )
        assert answer.thread_ts is None
        assert answer.metadata is not None


async def test_the_command_says_when_the_bot_is_not_in_the_channel() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        for channel in (
            slack.channel("C1", bot=False),
            slack.channel("C2", bot=False, kind="group"),
        ):
            done = await slack.command("/digest", LINK, user="U1", channel=channel)
            assert "/invite" in await said(slack, done)
        assert bot.accepted == []


@pytest.mark.parametrize("words", ["", "help", "what is this"])
async def test_the_command_without_a_link_helps(words: str) -> None:
    async with slack_server() as slack, a_bot(slack):
        slack.user("U1", locale="ko-KR")
        done = await slack.command("/digest", words, user="U1", channel=slack.channel("C1"))
        assert "스레드로 답합니다" in await said(slack, done)


async def test_a_link_over_the_limit_is_refused_politely() -> None:
    limits = LimitSettings(user_per_hour=1)
    async with slack_server() as slack, a_bot(slack, limits=limits):
        channel = slack.channel("C1")
        await slack.command("/digest", LINK, user="U1", channel=channel)
        done = await slack.command("/digest", LINK + "/2", user="U1", channel=channel)
        assert "one person in an hour" in await said(slack, done)


# --- settings


async def submit(slack: SlackServer, channel: Channel, user: str) -> None:
    done = await slack.command("/digest", "settings", user=user, channel=channel)
    assert done.acked
    [view] = await slack.until(slack.views)
    sent = await slack.submit(view, {"mode": "off", "language": "ko", "ui": "en"})
    assert sent.acked
    await slack.until(lambda: slack.ephemeral(channel, user))


@pytest.mark.parametrize("user", ["U1", "U2"])  # the creator; an admin
async def test_an_admin_and_who_made_the_channel_set_what_it_wants(user: str) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        slack.user("U2", is_admin=True)
        channel = slack.channel("C1")
        channel.members.add("U2")
        await submit(slack, channel, user)
        assert await bot.profiles.get(PLACE) == ChannelProfile("off", "ko", "en")
        assert bot.profiles.by[PLACE] == f"slack:T1:{user}"
        [note] = slack.ephemeral(channel, user)
        assert "saved" in note.text


async def test_others_may_not_set_what_a_channel_wants() -> None:
    async with slack_server() as slack, a_bot(slack):
        done = await slack.command("/digest", "settings", user="U3", channel=slack.channel("C1"))
        assert "Only a workspace admin" in await said(slack, done)
        assert slack.views() == []


async def test_a_form_for_a_channel_that_is_not_ones_own_saves_nothing() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel, other = slack.channel("C1"), slack.channel("C2", creator="U7")
        other.members.add("U1")
        await slack.command("/digest", "settings", user="U1", channel=channel)
        [view] = await slack.until(slack.views)
        view.content["private_metadata"] = '{"channel": "C2"}'
        await slack.submit(view, {"mode": "off"})
        [note] = await slack.until(lambda: slack.ephemeral(other, "U1"))
        assert "Only a workspace admin" in note.text
        assert bot.profiles.profiles == {}


async def test_settings_that_cannot_be_kept_are_not_said_to_be_saved() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:

        async def away(*_: object, **__: object) -> None:
            raise StorageUnavailable("database")

        bot.profiles.put = away  # type: ignore[method-assign]
        channel = slack.channel("C1")
        await submit(slack, channel, "U1")
        [note] = slack.ephemeral(channel, "U1")
        assert "database is not answering" in note.text


async def test_the_form_shows_what_is_set_and_anybody_sets_a_direct_message() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("D3", kind="im", creator="U3")
        place = Place("slack", "T1", "D3")
        await bot.profiles.put(place, ChannelProfile("ask", "en", "ko"), by="test")
        await slack.command("/digest", "settings", user="U3", channel=channel)
        [view] = await slack.until(slack.views)
        await slack.submit(view, {})
        await slack.until(lambda: slack.ephemeral(channel, "U3"))
        assert await bot.profiles.get(place) == ChannelProfile("ask", "en", "ko")


async def test_a_form_that_slack_does_not_open_any_more_is_asked_for_once_more() -> None:
    async with slack_server() as slack, a_bot(slack):
        slack.trigger_seconds = 0.0
        channel = slack.channel("C1")
        done = await slack.command("/digest", "settings", user="U1", channel=channel)
        assert "please try once more" in await said(slack, done)
        assert slack.views() == []


@pytest.mark.parametrize("failing", [[503, 429], [0]])
async def test_an_answer_to_one_person_is_tried_again(
    failing: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.desk._AGAIN", (0.01, 0.01))
    async with slack_server() as slack, a_bot(slack):
        slack.response_urls.failing = [*failing]
        done = await slack.command("/digest", "help", user="U1", channel=slack.channel("C1"))
        assert "Share a link" in await said(slack, done)
        assert len(done.messages) == 1
        assert not slack.response_urls.failing


# --- shortcuts


async def test_the_message_shortcut_digests_in_mode_ask() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "ask")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        done = await slack.shortcut("digest_this", channel.messages[ts], user="U2")
        assert "on its way" in await said(slack, done)
        await slack.until(lambda: digests_in(slack, channel, ts))
        again = await slack.shortcut("digest_this", channel.messages[ts], user="U2")
        assert "already" in await said(slack, again)


async def test_the_shortcut_brings_back_what_was_hidden() -> None:
    async with a_digest_shown() as (slack, bot, channel, answer):
        ts = str(answer.thread_ts)
        await slack.choose(answer, "sdd:more", _option(answer, "hide"), user="U1")
        await slack.until(lambda: not digests_in(slack, channel, ts))
        [delivery] = bot.deliveries.kept.values()
        await bot.deliveries.withdraw(delivery.shared.place, delivery.shared.message)
        await slack.shortcut("digest_this", channel.messages[ts], user="U1")
        await slack.until(lambda: digests_in(slack, channel, ts))


async def test_the_shortcut_says_what_is_missing() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel, closed = slack.channel("C1"), slack.channel("C2", bot=False)
        ts = await slack.say(channel, user="U1", text="no link")
        done = await slack.shortcut("digest_this", channel.messages[ts], user="U1")
        assert "no link in this message" in await said(slack, done)
        ts = await slack.say(closed, user="U1", text=f"<{LINK}>")
        done = await slack.shortcut("digest_this", closed.messages[ts], user="U1")
        assert "/invite" in await said(slack, done)
        await bot.set_mode(channel, "off")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        done = await slack.shortcut("digest_this", channel.messages[ts], user="U1")
        assert "switched off" in await said(slack, done)


async def test_the_global_shortcut_opens_help() -> None:
    async with slack_server() as slack, a_bot(slack):
        slack.user("U1", locale="ko-KR")
        done = await slack.global_shortcut("digest_help", user="U1")
        assert done.acked
        [view] = await slack.until(slack.views)
        assert "스레드로 답합니다" in visible_text(view.content["blocks"])


# --- buttons


def _option(answer: Message, verb: str) -> str:
    [menu] = [
        one
        for block in answer.blocks
        for one in block.get("elements", [])
        if one.get("action_id") == "sdd:more"
    ]
    found: str = next(
        one["value"] for one in menu["options"] if one["value"].startswith(f"{verb}:")
    )
    return found


async def test_terms_are_shown_to_who_presses_in_the_thread() -> None:
    async with a_digest_shown() as (slack, _, _, answer):
        done = await slack.press(answer, "sdd:terms", user="U2")
        assert "Open connections that are reused." in await said(slack, done)
        assert done.messages[0].ephemeral_for == "U2"
        assert done.messages[0].thread_ts == answer.thread_ts


async def test_long_terms_are_turned_page_by_page_in_place() -> None:
    async with a_digest_shown() as (slack, bot, _, answer):
        [record] = bot.digests.records.values()
        terms = tuple(
            TechnicalTerm(term=f"term {number}", explanation=f"It is {number}. " * 100)
            for number in range(12)
        )
        bot.digests.records[record.id] = record.model_copy(
            update={"digest": a_digest(technical_terms=terms)}
        )
        done = await slack.press(answer, "sdd:terms", user="U2")
        assert "page 1 of" in await said(slack, done)
        [private] = done.messages
        await slack.press(private, "sdd:terms:1", user="U2")
        await slack.until(lambda: "page 2 of" in visible_text(private.blocks))
        await slack.press(private, "sdd:terms:0", user="U2")
        await slack.until(lambda: "page 1 of" in visible_text(private.blocks))


async def test_questions_are_made_once_and_shown() -> None:
    async with a_digest_shown() as (slack, bot, _, answer):
        for user in ("U1", "U2"):
            done = await slack.press(answer, "sdd:questions", user=user)
            assert "5. What is question 5 about?" in await said(slack, done)
        assert len(bot.questioner.asked) == 1


async def test_a_model_that_does_not_answer_is_told_in_a_sentence() -> None:
    async with a_digest_shown() as (slack, bot, _, answer):
        bot.questioner.trouble = EngineTimedOut("questions")
        done = await slack.press(answer, "sdd:questions", user="U2")
        assert "did not answer in time" in await said(slack, done)


@pytest.mark.parametrize("verdict", ["too_easy", "too_hard", "good", "bad"])
async def test_a_verdict_is_kept_and_thanked_for(verdict: str) -> None:
    async with a_digest_shown() as (slack, bot, _, answer):
        done = await slack.press(answer, f"sdd:{verdict}", user="U2")
        assert "Thank you" in await said(slack, done)
        assert list(bot.digests.verdicts.values()) == [verdict]
        assert next(iter(bot.digests.verdicts))[1] == "slack:T1:U2"


async def test_buttons_of_a_forgotten_digest_say_so() -> None:
    async with a_digest_shown() as (slack, bot, _, answer):
        bot.digests.records.clear()
        for action in ("sdd:terms", "sdd:questions", "sdd:good"):
            done = await slack.press(answer, action, user="U2")
            assert "not kept any more" in await said(slack, done)


async def test_the_other_language_is_a_further_answer() -> None:
    async with a_digest_shown() as (slack, bot, channel, answer):
        done = await slack.choose(answer, "sdd:more", _option(answer, "language"), user="U2")
        assert "on its way" in await said(slack, done)
        ts = str(answer.thread_ts)
        await slack.until(lambda: len(digests_in(slack, channel, ts)) == 2)
        assert bot.work.queued[-1].shared.language == "ko"


async def test_again_digests_anew_within_the_limits() -> None:
    async with a_digest_shown(LimitSettings(user_per_hour=1)) as (slack, bot, channel, answer):
        ts, again = str(answer.thread_ts), _option(answer, "again")
        await slack.choose(answer, "sdd:more", again, user="U2")
        await slack.until(lambda: len(digests_in(slack, channel, ts)) == 2)
        assert bot.work.queued[-1].shared.again
        done = await slack.choose(answer, "sdd:more", again, user="U2")
        assert "more than I digest in an hour" in await said(slack, done)
        assert len(bot.work.queued) == 2


async def test_only_who_shared_it_or_an_admin_hides_an_answer() -> None:
    async with a_digest_shown() as (slack, _, channel, answer):
        slack.user("U2")
        done = await slack.choose(answer, "sdd:more", _option(answer, "hide"), user="U2")
        assert "Only who shared the link" in await said(slack, done)
        slack.user("U5", is_admin=True)
        done = await slack.choose(answer, "sdd:more", _option(answer, "hide"), user="U5")
        assert "hidden" in await said(slack, done)
        ts = str(answer.thread_ts)
        await slack.until(lambda: not digests_in(slack, channel, ts))


# --- the Home tab


async def test_the_home_tab_shows_what_one_shared_oneself() -> None:
    async with a_digest_shown() as (slack, _, _, _):
        await slack.open_home("U1")
        mine = await slack.until(lambda: slack.home("U1"))
        assert mine is not None
        assert "Connection pools, measured" in visible_text(mine.content["blocks"])
        slack.user("U2", locale="ko-KR")
        await slack.open_home("U2")
        other = await slack.until(lambda: slack.home("U2"))
        assert other is not None
        seen = visible_text(other.content["blocks"])
        assert "Connection pools" not in seen
        assert "아직 없습니다" in seen


async def test_a_home_tab_that_slack_does_not_take_is_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        slack.fail_next("views.publish", with_=Refused("hash_conflict"))
        await slack.open_home("U1")
        await quiet(slack, bot)
        assert "hash_conflict" in caplog.text
        assert all(attempt.acked for attempt in slack.attempts)
