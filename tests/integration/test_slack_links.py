"""Links in Slack: one answer each, in its thread, whatever Slack does meanwhile."""

from __future__ import annotations

import pytest
from support.slack_block_rules import visible_text
from support.slack_bot import a_bot, digests_in, quiet
from support.slack_faults import Delayed
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel, Message

from bot.chats import Trouble
from core.errors import FetchTimedOut, LoginWall
from core.places import ChannelProfile, Place, SharedLink
from core.settings import LimitSettings

LINK, OTHER = "https://a.example/post", "https://b.example/post"
ME = "<@U0BOTT1>"


async def digest_of(slack: SlackServer, channel: Channel, ts: str) -> Message:
    [answer] = await slack.until(lambda: digests_in(slack, channel, ts))
    return answer


async def test_a_link_is_answered_in_its_thread_and_the_placeholder_becomes_the_digest() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        bot.work.hold.clear()
        ts = await slack.say(channel, user="U1", text=f"read <{LINK}>")
        [answer] = await slack.until(lambda: slack.answers(channel, ts))
        assert "Reading the article" in answer.text
        bot.work.hold.set()
        await slack.until(lambda: digests_in(slack, channel, ts))
        assert slack.answers(channel, ts) == [answer]
        assert answer.unfurl_links is False
        assert answer.unfurl_media is False
        assert answer.text.startswith("Connection pools, measured")


async def test_an_answer_stays_in_the_thread_of_its_message() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1")
        first = await slack.say(channel, user="U1", text="a thread begins")
        await slack.say(channel, user="U1", text=f"<{LINK}>", thread_ts=first)
        await slack.until(lambda: digests_in(slack, channel, first))


async def test_several_links_of_a_message_share_its_thread() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}> and <{OTHER}|that one>")
        await slack.until(lambda: len(digests_in(slack, channel, ts)) == 2)


async def test_a_link_is_unescaped_once_and_its_label_left_out() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        text = "<https://a.example/p?a=1&amp;b=2&amp;amp;c|https://elsewhere.example/>"
        ts = await slack.say(channel, user="U1", text=text)
        await digest_of(slack, channel, ts)
        assert bot.accepted == ["https://a.example/p?a=1&b=2&amp;c"]


async def test_slacks_own_preview_changes_nothing() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>", preview=True)
        await digest_of(slack, channel, ts)
        await quiet(slack, bot)
        assert len(slack.answers(channel, ts)) == 1


async def test_an_event_twice_and_once_more_later_is_answered_once() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        slack.events_twice = True
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await digest_of(slack, channel, ts)
        for event in [*slack.events]:
            await slack.repeat(event["event_id"], times=2)
        await quiet(slack, bot)
        assert len(slack.answers(channel, ts)) == 1
        assert len(bot.work.queued) == 1
        assert all(attempt.acked for attempt in slack.attempts)


async def test_bots_and_our_own_messages_are_no_affair_of_ours() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await slack.say(channel, user="U9", text=f"<{LINK}>", bot_id="B9")
        await bot.chat.post(
            SharedLink(OTHER, Place("slack", "T1", "C1"), "asked:1.0:x", "U1"),
            Trouble(LoginWall(OTHER)),
            key="k" * 32,
        )
        await quiet(slack, bot)
        assert bot.accepted == []


async def test_nothing_is_heard_where_the_bot_was_not_invited() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        await slack.say(slack.channel("C1", bot=False), user="U1", text=f"<{LINK}>")
        await quiet(slack, bot)
        assert bot.accepted == []


async def test_a_link_in_a_direct_message_is_answered() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("D1", kind="im")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await digest_of(slack, channel, ts)


async def test_trouble_is_told_in_one_sentence_and_can_be_tried_again() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        bot.work.failing[LINK] = FetchTimedOut(LINK)
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        [answer] = await slack.until(
            lambda: [one for one in slack.answers(channel, ts) if "in time" in one.text]
        )
        bot.work.failing.clear()
        pressed = await slack.press(answer, "sdd:again", user="U1")
        assert pressed.acked
        await slack.until(lambda: digests_in(slack, channel, ts))


# --- edits and deletions


async def test_a_link_that_is_edited_in_is_answered_and_one_edited_out_is_taken_back() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await digest_of(slack, channel, ts)
        await slack.edit(channel, ts, f"no, this one: <{OTHER}>")
        await slack.until(
            lambda: [OTHER in str(one.blocks) for one in digests_in(slack, channel, ts)] == [True]
        )


async def test_answers_go_when_their_message_is_deleted() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await digest_of(slack, channel, ts)
        await quiet(slack, bot)
        await slack.delete(channel, ts)
        await slack.until(lambda: not slack.answers(channel, ts))


async def test_a_message_deleted_while_it_is_read_is_not_answered() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        bot.work.hold.clear()
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: slack.answers(channel, ts))
        await slack.delete(channel, ts)
        await slack.until(lambda: not slack.answers(channel, ts))
        bot.work.hold.set()
        await quiet(slack, bot)
        assert slack.answers(channel, ts) == []


async def test_an_old_change_that_comes_again_does_not_undo_a_newer_one() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text="nothing yet")
        await slack.edit(channel, ts, f"<{LINK}>")
        await slack.edit(channel, ts, f"<{OTHER}>")
        await slack.until(lambda: len(digests_in(slack, channel, ts)) == 1)
        first = next(e for e in slack.events if e["event"].get("subtype") == "message_changed")
        payload = {**first, "event_id": "Ev-another-number"}
        slack.start(payload)
        await quiet(slack, bot)
        [answer] = digests_in(slack, channel, ts)
        assert OTHER in str(answer.blocks)


async def test_a_change_that_slack_repeats_is_taken_as_the_message_stands_now() -> None:
    async with slack_server() as slack:
        slack.deliveries.retry_after = ()
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text="nothing yet")
        await slack.edit(channel, ts, f"<{LINK}> <{OTHER}>")
        late = slack.events[-1]
        await slack.edit(channel, ts, f"<{LINK}>")
        await slack.settled()
        async with a_bot(slack) as bot:  # it heard nothing of all that
            attempt = slack.deliveries.attempt("events_api", late, 1, "timeout")
            await slack.sockets.send_on(slack.sockets.open[0], attempt, 3.0)
            await quiet(slack, bot)
            assert attempt.acked
            assert bot.accepted == [LINK]


async def test_a_message_that_slack_repeats_after_it_was_deleted_is_not_answered() -> None:
    async with slack_server() as slack:
        slack.deliveries.retry_after = ()
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        late = slack.events[-1]
        await slack.delete(channel, ts)
        await slack.settled()
        async with a_bot(slack) as bot:
            attempt = slack.deliveries.attempt("events_api", late, 2, "timeout")
            await slack.sockets.send_on(slack.sockets.open[0], attempt, 3.0)
            await quiet(slack, bot)
            assert attempt.acked
            assert bot.accepted == []


async def test_after_downtime_the_repeated_event_is_the_only_one_and_counts() -> None:
    async with slack_server() as slack:
        slack.deliveries.retry_after = ()
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        late = slack.events[-1]
        await slack.settled()
        async with a_bot(slack):
            attempt = slack.deliveries.attempt("events_api", late, 3, "timeout")
            await slack.sockets.send_on(slack.sockets.open[0], attempt, 3.0)
            await digest_of(slack, channel, ts)


# --- modes


async def test_in_mode_ask_links_wait_for_a_looking_glass() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "ask")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await quiet(slack, bot)
        assert bot.accepted == []
        await slack.react(channel, ts, "thumbsup", user="U2")
        await quiet(slack, bot)
        assert bot.accepted == []
        await slack.react(channel, ts, "mag_right", user="U2")
        await digest_of(slack, channel, ts)
        [delivery] = bot.deliveries.kept.values()
        assert delivery.shared.by == "U2"


async def test_a_looking_glass_works_within_a_thread() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "ask")
        first = await slack.say(channel, user="U1", text="a thread")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>", thread_ts=first)
        await slack.react(channel, ts, user="U2")
        await slack.until(lambda: digests_in(slack, channel, first))


async def test_a_mention_asks_for_the_links_of_its_own_message_only() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "ask")
        await slack.say(channel, user="U1", text=f"<{LINK}>")
        ts = await slack.say(channel, user="U1", text=f"{ME} <{OTHER}>")
        await digest_of(slack, channel, ts)
        await quiet(slack, bot)
        assert bot.accepted == [OTHER]


async def test_a_mention_in_mode_auto_is_still_one_answer() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"{ME} <{LINK}>")
        await digest_of(slack, channel, ts)
        await quiet(slack, bot)
        assert len(slack.answers(channel, ts)) == 1


async def test_in_mode_off_nothing_is_digested_and_who_asks_is_told_why() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        await bot.set_mode(channel, "off")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.say(channel, user="U1", text=f"{ME} <{LINK}>")
        [note] = await slack.until(lambda: slack.ephemeral(channel, "U1"))
        assert "switched off" in note.text
        channel.members.add("U2")
        await slack.react(channel, ts, user="U2")
        await slack.until(lambda: slack.ephemeral(channel, "U2"))
        assert bot.accepted == []


# --- help and languages


@pytest.mark.parametrize("text", [ME, f"{ME} help", f"{ME} 도움말"])
async def test_a_mention_without_a_link_gets_help(text: str) -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1")
        await slack.say(channel, user="U1", text=text)
        [note] = await slack.until(lambda: slack.ephemeral(channel, "U1"))
        assert note.text.startswith("Share a link")


async def test_the_bot_says_once_what_it_does_when_it_is_invited() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1", bot=False)
        await slack.member_joined(channel)
        [note] = await slack.until(lambda: slack.ephemeral(channel, "U1"))
        assert "/digest settings" in note.text


async def test_words_are_in_the_persons_language_unless_the_channel_has_one() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        slack.user("U1", locale="ko-KR")
        channel, english = slack.channel("C1"), slack.channel("C2")
        await bot.profiles.put(Place("slack", "T1", "C2"), ChannelProfile(ui="en"), by="test")
        korean = await digest_of(
            slack, channel, await slack.say(channel, user="U1", text=f"<{LINK}>")
        )
        assert "먼저 알아야 할 것" in visible_text(korean.blocks)
        other = await digest_of(
            slack, english, await slack.say(english, user="U1", text=f"<{LINK}>")
        )
        assert "Good to know first" in visible_text(other.blocks)


async def test_a_person_slack_does_not_tell_about_is_answered_in_the_language_of_the_message() -> (
    None
):
    async with slack_server() as slack, a_bot(slack):
        slack.fail_next("users.info", with_=Delayed(2.0))
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"좋은 글입니다 <{LINK}>")
        answer = await digest_of(slack, channel, ts)
        assert "먼저 알아야 할 것" in visible_text(answer.blocks)


async def test_a_stranger_is_answered_in_the_language_that_most_speak_there() -> None:
    async with slack_server() as slack, a_bot(slack):
        channel = slack.channel("C1")
        for number in range(2):
            slack.user(f"U{number}", locale="ko-KR")
            await digest_of(
                slack, channel, await slack.say(channel, user=f"U{number}", text=f"<{LINK}>")
            )
        slack.user("U9", locale="en-US")
        slack.fail_next("users.info", with_=Delayed(2.0))
        ts = await slack.say(channel, user="U9", text=f"<{LINK}>")
        answer = await digest_of(slack, channel, ts)
        assert "먼저 알아야 할 것" in visible_text(answer.blocks)


# --- limits


async def test_too_many_links_get_one_polite_sentence_once() -> None:
    limits = LimitSettings(user_per_hour=2)
    async with slack_server() as slack, a_bot(slack, limits=limits) as bot:
        channel = slack.channel("C1")
        for number in range(5):
            await slack.say(channel, user="U1", text=f"<{LINK}/{number}>")
        [note] = await slack.until(lambda: slack.ephemeral(channel, "U1"))
        await quiet(slack, bot)
        assert "one person" in note.text
        assert len(slack.ephemeral(channel, "U1")) == 1
        assert len(bot.accepted) == 2


async def test_a_message_with_many_links_says_how_many_are_digested() -> None:
    limits = LimitSettings(links_per_message=2)
    async with slack_server() as slack, a_bot(slack, limits=limits) as bot:
        channel = slack.channel("C1")
        ts = await slack.say(
            channel, user="U1", text=" ".join(f"<{LINK}/{number}>" for number in range(4))
        )
        [note] = await slack.until(lambda: slack.ephemeral(channel, "U1"))
        assert "at most 2 links" in note.text
        await slack.until(lambda: len(digests_in(slack, channel, ts)) == 2)
        assert len(bot.accepted) == 2
