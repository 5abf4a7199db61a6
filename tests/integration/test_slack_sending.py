"""What is said in Slack: once, paced, found again; and every way in which it is refused."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from support.builders import a_record
from support.slack_block_rules import links_in
from support.slack_bot import a_bot, digests_in, quiet
from support.slack_faults import (
    Dropped,
    Fault,
    HttpError,
    Pacing,
    RateLimited,
    Refused,
)
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel

from bot.chats import Ready, Waiting
from core.errors import ChatFailed, ChatRefused, ChatUnavailable, MessageGone
from core.places import Place, SharedLink
from core.settings import LimitSettings

LINK = "https://a.example/post"
KEY = "k" * 32


async def a_message(slack: SlackServer, channel: Channel) -> SharedLink:
    """Somebody's message with no link in it: what is said of it is the test's affair."""
    ts = await slack.say(channel, user="U1", text="a message")
    return SharedLink(LINK, Place("slack", "T1", channel.id), ts, "U1")


def ours(slack: SlackServer, channel: Channel) -> list[str]:
    return [one.ts for one in channel.messages.values() if one.bot_id]


# --- found again


async def test_a_message_is_found_again_by_its_key() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        assert await bot.chat.find(shared, KEY) is None
        name = await bot.chat.post(shared, Waiting(), key=KEY)
        await bot.chat.post(shared, Waiting(), key="another")
        assert await bot.chat.find(shared, KEY) == name
        await bot.chat.edit(shared, name, Ready(a_record()), key=KEY)
        assert await bot.chat.find(shared, KEY) == name
        await bot.chat.remove(shared, name)
        assert await bot.chat.find(shared, KEY) is None
        await bot.chat.remove(shared, name)  # gone is fine


async def test_an_answer_to_a_command_is_found_in_the_channel() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        asked = replace(shared, message=f"asked:{time.time():.6f}:trigger")
        name = await bot.chat.post(asked, Waiting(), key=KEY)
        assert await bot.chat.find(asked, KEY) == name


async def test_a_message_is_found_in_a_thread_of_many_pages() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        for number in range(250):
            await slack.say(channel, user="U1", text=str(number), thread_ts=shared.message)
        name = await bot.chat.post(shared, Waiting(), key=KEY)
        assert await bot.chat.find(shared, KEY) == name
        assert len(slack.calls("conversations.replies")) == 2


async def test_another_apps_message_with_our_key_is_not_ours() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        ts = await slack.say(channel, user="U8", text="x", thread_ts=shared.message, bot_id="B8")
        payload = {"event_type": "smartdevdigest_delivery", "event_payload": {"key": KEY}}
        channel.messages[ts].metadata = payload
        assert await bot.chat.find(shared, KEY) is None


# --- nothing twice


@pytest.mark.parametrize(
    "fault",
    [
        Dropped(after_write=True),
        Dropped(after_write=False),
        HttpError(502, after_write=True),
        HttpError(503),
        Refused("internal_error", after_write=True),
        Refused("internal_error"),
    ],
)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_lost_answer_is_neither_a_second_message_nor_a_lost_one(
    fault: Fault, method: str
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        slack.fail_next(method, with_=fault)
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: digests_in(slack, channel, ts))
        await quiet(slack, bot)
        assert len(ours(slack, channel)) == 1


async def test_the_library_repeats_no_write_by_itself() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        slack.fail_next("chat.postMessage", with_=Dropped(after_write=True))
        with pytest.raises(ChatUnavailable):
            await bot.chat.post(shared, Waiting(), key=KEY)
        assert len(slack.calls("chat.postMessage")) == 1


# --- 429 and pacing


@pytest.mark.slow
async def test_three_429_in_a_row_lose_nothing() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        slack.fail_next("chat.postMessage", 3, with_=RateLimited(1))
        began = time.monotonic()
        await bot.chat.post(shared, Waiting(), key=KEY)
        assert time.monotonic() - began >= 3.0
        assert [call.status for call in slack.calls("chat.postMessage")] == [429] * 3 + [200]


@pytest.mark.slow
async def test_a_429_pauses_its_channel_and_no_other() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        here, there = slack.channel("C1"), slack.channel("C2")
        first, second = await a_message(slack, here), await a_message(slack, here)
        other = await a_message(slack, there)
        slack.fail_next("chat.postMessage", with_=RateLimited(1))
        waiting = [
            asyncio.create_task(bot.chat.post(shared, Waiting(), key=KEY))
            for shared in (first, second)
        ]
        await slack.until(lambda: slack.calls("chat.postMessage"))
        await bot.chat.post(other, Waiting(), key=KEY)
        assert not any(task.done() for task in waiting)
        assert len(slack.calls("chat.postMessage")) == 2  # nobody in the paused lane tried
        await asyncio.gather(*waiting)


async def test_a_long_pause_is_passed_on_and_kept() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        slack.fail_next("chat.postMessage", with_=RateLimited(60))
        with pytest.raises(ChatUnavailable) as refused:
            await bot.chat.post(shared, Waiting(), key=KEY)
        assert refused.value.retry_after == 60
        again = asyncio.create_task(bot.chat.post(shared, Waiting(), key=KEY))
        await asyncio.sleep(0.2)
        assert len(slack.calls("chat.postMessage")) == 1
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)


async def test_many_links_at_once_are_all_answered_and_slack_is_hardly_pressed() -> None:
    async with slack_server() as slack, a_bot(slack, messages_per_second=60.0) as bot:
        slack.pacing = Pacing(per_second=90.0, burst=8.0)
        channel = slack.channel("C1")
        tss = [
            await slack.say(channel, user=f"U{number}", text=f"<{LINK}/{number}>")
            for number in range(60)
        ]
        await slack.until(lambda: all(digests_in(slack, channel, ts) for ts in tss), timeout=60)
        await quiet(slack, bot)
        assert [len(slack.answers(channel, ts)) for ts in tss] == [1] * 60
        assert sum(call.status == 429 for call in slack.calls_made) <= 3


@pytest.mark.slow
async def test_a_storm_of_links_is_answered_once_each_though_the_socket_is_lost_in_it() -> None:
    limits = LimitSettings(user_per_hour=1000, channel_per_hour=1000)
    async with slack_server() as slack, a_bot(slack, limits=limits) as bot:
        slack.deliveries.retry_after = (0.5,) * 60
        channels = [slack.channel(f"C{number}") for number in range(20)]
        shared: list[tuple[Channel, str]] = []
        for number in range(500):
            channel = channels[number % 20]
            text = f"<{LINK}/{number}>"
            ts = await slack.say(channel, user=f"U{number % 50}", text=text)
            shared.append((channel, ts))
            if number == 200:
                slack.sockets.reset()
            if number % 10 == 0:
                await asyncio.sleep(0)
        await slack.until(lambda: all(digests_in(slack, *one) for one in shared), timeout=120)
        await slack.settled(60)
        await quiet(slack, bot)
        answers = [slack.answers(*one) for one in shared]
        assert [links_in(answer.blocks) for [answer] in answers] == [
            [f"{LINK}/{number}"] for number in range(500)
        ]
        assert sorted(bot.accepted) == sorted(f"{LINK}/{number}" for number in range(500))
        assert sum(len(ours(slack, channel)) for channel in channels) == 500
        assert slack.sockets.opened > 1


async def test_a_finished_digest_goes_before_placeholders() -> None:
    async with slack_server() as slack, a_bot(slack, messages_per_second=4.0) as bot:
        channel = slack.channel("C1")
        shared = [await a_message(slack, channel) for _ in range(8)]
        name = await bot.chat.post(shared[0], Waiting(), key=KEY)
        posts = [asyncio.create_task(bot.chat.post(one, Waiting(), key=KEY)) for one in shared[1:]]
        await asyncio.sleep(0)
        await bot.chat.edit(shared[0], name, Ready(a_record()), key=KEY)
        assert sum(post.done() for post in posts) <= 4
        await asyncio.gather(*posts)


# --- refused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("not_in_channel", ChatRefused),
        ("channel_not_found", ChatRefused),
        ("is_archived", ChatRefused),
        ("missing_scope", ChatRefused),
        ("restricted_action", ChatRefused),
        ("token_revoked", ChatRefused),
        ("account_inactive", ChatRefused),
        ("invalid_blocks", ChatRefused),
        ("a_word_nobody_knows", ChatRefused),
        ("thread_not_found", MessageGone),
        ("message_not_found", MessageGone),
        ("cant_update_message", MessageGone),
        ("internal_error", ChatUnavailable),
        ("service_unavailable", ChatUnavailable),
        ("fatal_error", ChatUnavailable),
    ],
)
async def test_what_slack_says_becomes_one_of_our_errors(
    error: str, kind: type[ChatFailed]
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        slack.fail_next("chat.postMessage", with_=Refused(error))
        with pytest.raises(ChatFailed) as refused:
            await bot.chat.post(shared, Waiting(), key=KEY)
        assert type(refused.value) is kind
        assert refused.value.reason == error


@pytest.mark.parametrize("trouble", ["archived", "left", "deleted"])
async def test_a_channel_that_closes_in_the_middle_ends_there(
    trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.slack")
    async with slack_server() as slack, a_bot(slack) as bot:
        channel, other = slack.channel("C1"), slack.channel("C2")
        bot.work.hold.clear()
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: slack.answers(channel, ts))
        if trouble == "archived":
            await slack.archive(channel)
        elif trouble == "left":
            await slack.member_left(channel)
        else:
            await slack.delete_channel(channel)
        bot.work.hold.set()
        if trouble != "left":  # a bot may still change what it said
            [refused] = await slack.until(lambda: bot.work.refused)
            assert isinstance(refused, ChatRefused)
        calls = len(slack.calls_made)
        ts = await slack.say(other, user="U1", text=f"<{LINK}/2>")
        await slack.until(lambda: digests_in(slack, other, ts))
        assert len(slack.calls_made) - calls <= 4  # nothing is tried over and over
        assert trouble != "archived" or "C1 is archived" in caplog.text


async def test_our_message_deleted_meanwhile_is_gone() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        name = await bot.chat.post(shared, Waiting(), key=KEY)
        await slack.delete(channel, name.split(":")[1])
        with pytest.raises(MessageGone):
            await bot.chat.edit(shared, name, Ready(a_record()), key=KEY)


async def test_a_revoked_token_is_one_line_and_nothing_more_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        slack.revoke_token()
        for _ in range(3):
            with pytest.raises(ChatRefused):
                await bot.chat.post(shared, Waiting(), key=KEY)
        assert len(slack.calls("chat.postMessage")) == 1
        assert caplog.text.count("not installed any more") == 1


async def test_an_uninstalled_workspace_is_one_line_and_nothing_more_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        await slack.uninstall()
        await quiet(slack, bot)
        with pytest.raises(ChatRefused):
            await bot.chat.post(shared, Waiting(), key=KEY)
        assert slack.calls("chat.postMessage") == []
        assert caplog.text.count("not installed any more") == 1
        assert all(attempt.acked for attempt in slack.attempts)


async def test_reading_is_tried_again() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        shared = await a_message(slack, slack.channel("C1"))
        name = await bot.chat.post(shared, Waiting(), key=KEY)
        slack.fail_next("conversations.replies", with_=Dropped(after_write=False))
        slack.fail_next("conversations.replies", with_=HttpError(502))
        assert await bot.chat.find(shared, KEY) == name


async def test_a_thread_that_is_gone_holds_no_answer() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        shared = await a_message(slack, channel)
        await slack.delete(channel, shared.message)
        assert await bot.chat.find(shared, KEY) is None
        with pytest.raises(MessageGone):
            await bot.chat.post(shared, Waiting(), key=KEY)
