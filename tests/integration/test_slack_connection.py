"""Tokens, the socket and acknowledgements: nothing is promised that is not kept."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from support.slack_bot import a_bot, build_bot, digests_in, quiet
from support.slack_faults import HttpError, Refused
from support.slack_server import SlackServer, slack_server
from support.slack_world import Channel

from bot.chats import Waiting
from bot.slack import listener, socket, surface
from bot.slack.desk import Asked
from core.errors import ChatUnavailable, SettingsError
from core.places import Delivery, Place, SharedLink

LINK = "https://a.example/post"


async def works(slack: SlackServer, channel: Channel, number: int | str) -> None:
    ts = await slack.say(channel, user="U1", text=f"<{LINK}/{number}>")
    await slack.until(lambda: digests_in(slack, channel, ts))


# --- tokens


async def refusal(slack: SlackServer, **changes: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        async with a_bot(slack, **changes):
            pass
    return str(refused.value)


async def test_a_wrong_bot_token_is_named_at_the_start() -> None:
    async with slack_server() as slack:
        said = await refusal(slack, bot_token=SecretStr("xoxb-wrong"))
        assert "SMARTDEVDIGEST_SLACK__BOT_TOKEN" in said
        assert "invalid_auth" in said
        assert slack.sockets.opened == 0


async def test_a_wrong_app_token_is_named_at_the_start() -> None:
    async with slack_server() as slack:
        said = await refusal(slack, app_token=SecretStr("xapp-wrong"))
        assert "SMARTDEVDIGEST_SLACK__APP_TOKEN" in said


async def test_both_wrong_tokens_are_named_together() -> None:
    async with slack_server() as slack:
        swapped = {
            "bot_token": SecretStr(slack.app_token),
            "app_token": SecretStr(slack.bot_token),
        }
        said = await refusal(slack, **swapped)
        assert "BOT_TOKEN" in said
        assert "APP_TOKEN" in said


async def test_socket_mode_that_is_switched_off_is_said_so() -> None:
    async with slack_server() as slack:
        slack.sockets.disabled = True
        assert "Socket Mode must be on" in await refusal(slack)


async def test_scopes_that_an_older_installation_lacks_are_named_at_the_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server() as slack:
        slack.team.scopes -= {"reactions:read"}
        async with a_bot(slack):
            await works(slack, slack.channel("C1"), 1)
        [told] = [one for one in caplog.messages if "lacks these scopes" in one]
        assert "reactions:read;" in told


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"bot_token": None}, "BOT_TOKEN"),
        ({"app_token": None}, "APP_TOKEN"),
        ({"mode": "http", "signing_secret": None}, "SIGNING_SECRET"),
    ],
)
async def test_a_token_that_is_not_set_is_named(changes: dict[str, Any], name: str) -> None:
    async with slack_server() as slack:
        assert f"SMARTDEVDIGEST_SLACK__{name} is not set" in await refusal(slack, **changes)
        assert slack.calls_made == []


async def test_a_slack_that_is_away_is_named_by_its_address_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(surface, "_FIRST_PAUSE", 0.05)
    async with slack_server() as slack:
        slack.fail_next("auth.test", 3, with_=Refused("internal_error"))
        slack.fail_next("apps.connections.open", with_=HttpError(502))
        async with a_bot(slack):
            assert f"slack.api_url: {slack.api_url} does not answer" in caplog.text
            await works(slack, slack.channel("C1"), 1)


async def test_before_it_is_connected_an_answer_is_put_off_and_not_given_up() -> None:
    async with slack_server() as slack:
        bot = build_bot(slack)
        shared = SharedLink(LINK, Place("slack", "T1", "C1"), "asked:1.0:x", "U1")
        with pytest.raises(ChatUnavailable):
            await bot.chat.post(shared, Waiting(), key="k" * 32)
        with pytest.raises(ChatUnavailable):
            await bot.chat.find(shared, "k" * 32)


async def test_after_it_is_closed_what_was_begun_is_still_said() -> None:
    async with slack_server() as slack:
        channel = slack.channel("C1")
        async with a_bot(slack) as bot:
            pass
        shared = SharedLink(LINK, Place("slack", "T1", "C1"), "asked:1.0:x", "U1")
        name = await bot.chat.post(shared, Waiting(), key="k" * 32)
        assert name.split(":")[1] in channel.messages


async def test_the_workspace_is_remembered_at_the_start() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        [workspace] = await bot.workspaces.all("slack")
        assert (workspace.id, workspace.name) == ("T1", "t1")
        assert bot.surface.connected
        assert list(bot.surface.routes) == []


# --- the socket


async def test_a_spent_address_is_given_up_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "STUCK", 0.3)
    async with slack_server() as slack, a_bot(slack, ping_interval=0.2):
        asked = len(slack.calls("apps.connections.open"))
        slack.sockets.refusing = 404
        slack.sockets.reset()
        await slack.until(lambda: slack.sockets.refused >= 3)
        slack.sockets.refusing = None
        await slack.connected()
        assert len(slack.calls("apps.connections.open")) > asked + 1
        await works(slack, slack.channel("C1"), 1)


async def test_a_first_handshake_that_is_refused_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "STUCK", 0.3)
    async with slack_server() as slack:
        slack.sockets.refusing = 401
        bot = build_bot(slack, ping_interval=0.2)
        starting = asyncio.create_task(bot.surface.start())
        await slack.until(lambda: slack.sockets.refused)
        slack.sockets.refusing = None
        await asyncio.wait_for(starting, 5)
        await bot.surface.close()


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_a_disconnect_is_followed_by_a_new_connection(reason: str) -> None:
    async with slack_server() as slack, a_bot(slack):
        first = slack.sockets.opened
        await slack.sockets.disconnect(reason, close_after=0.05)
        await slack.until(lambda: slack.sockets.opened > first)
        await slack.connected()
        await works(slack, slack.channel("C1"), 1)


async def test_a_reset_is_healed_long_before_the_next_ping() -> None:
    async with slack_server() as slack, a_bot(slack, ping_interval=30.0):
        first = slack.sockets.opened
        slack.sockets.reset()
        began = time.monotonic()
        await slack.until(lambda: slack.sockets.opened > first)
        assert time.monotonic() - began < 15.0
        await works(slack, slack.channel("C1"), 1)


async def test_a_peer_that_falls_silent_is_left() -> None:
    async with slack_server() as slack, a_bot(slack, ping_interval=0.3):
        first = slack.sockets.opened
        slack.sockets.fall_silent()
        await slack.until(lambda: slack.sockets.opened > first)
        await slack.until(lambda: any(one.usable for one in slack.sockets.open))
        await works(slack, slack.channel("C1"), 1)


async def test_a_link_that_is_disabled_is_said_and_taken_up_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        await slack.sockets.disconnect("link_disabled", close_after=0.0)
        await slack.until(lambda: "gives no address" in caplog.text)
        assert not bot.surface.connected
        slack.sockets.disabled = False
        await slack.until(lambda: bot.surface.connected)
        await works(slack, slack.channel("C1"), 1)


async def test_a_reset_in_the_middle_of_a_digest_loses_and_doubles_nothing() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channel = slack.channel("C1")
        bot.work.hold.clear()
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: slack.answers(channel, ts))
        slack.sockets.reset()
        bot.work.hold.set()
        await slack.until(lambda: digests_in(slack, channel, ts))
        assert len(slack.answers(channel, ts)) == 1
        await slack.until(lambda: bot.surface.connected)


# --- acknowledgements


async def test_an_event_nobody_listens_to_is_acknowledged() -> None:
    async with slack_server() as slack, a_bot(slack):
        slack.emit(slack.team, {"type": "pin_added", "user": "U1", "event_ts": "1.0"})
        await slack.settled()
        [attempt] = slack.attempts
        assert attempt.acked


async def test_a_link_that_cannot_be_kept_is_not_acknowledged_and_comes_again() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        slack.deliveries.retry_after = (0.3,)
        bot.deliveries.away = True
        channel = slack.channel("C1")
        slack.deliveries.ack_within = 0.2
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: len(slack.attempts) == 1 and slack.attempts[0].sent_at)
        await asyncio.sleep(0.05)
        assert not slack.attempts[0].acked
        bot.deliveries.away = False
        await slack.until(lambda: digests_in(slack, channel, ts))
        await quiet(slack, bot)
        assert [one.acked for one in slack.attempts[:2]] == [False, True]


async def test_a_database_that_hangs_is_not_waited_for_longer_than_slack_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "_BEFORE_ACK", 0.1)
    async with slack_server() as slack, a_bot(slack) as bot:

        async def never(shared: SharedLink) -> tuple[Delivery, bool]:
            await asyncio.Event().wait()
            raise AssertionError(shared)

        accept = bot.deliveries.accept
        bot.deliveries.accept = never  # type: ignore[method-assign]
        slack.deliveries.ack_within = 0.3
        slack.deliveries.retry_after = (0.2,)
        channel = slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: "took too long" in caplog.text)
        bot.deliveries.accept = accept  # type: ignore[method-assign]
        await slack.until(lambda: digests_in(slack, channel, ts))
        assert [attempt.acked for attempt in slack.attempts[:2]] == [False, True]


async def test_a_surprise_in_a_listener_is_logged_and_the_bot_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with slack_server() as slack, a_bot(slack) as bot:

        async def broken(*_: object) -> None:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(bot.surface.listener._consultations, "explain", broken)
        channel = slack.channel("C1")
        done = await slack.command("/explain", "x", user="U1", channel=channel)
        assert done.acked
        await quiet(slack, bot)
        assert "a mistake of ours" in caplog.text
        await works(slack, channel, 1)


async def test_commands_are_acknowledged_at_once_however_long_their_work_takes() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        gate = asyncio.Event()
        consultations = bot.surface.listener._consultations
        explain = consultations.explain

        async def slow(asked: Asked, words: str) -> None:
            await gate.wait()
            await explain(asked, words)

        consultations.explain = slow  # type: ignore[method-assign, assignment]
        done = await slack.command("/explain", "x", user="U1", channel=slack.channel("C1"))
        assert done.attempt.acked
        assert not done.messages
        gate.set()
        await slack.until(lambda: done.messages)


@contextmanager
def busy() -> Iterator[None]:
    """A model at work: a thread that calculates, partly without and partly with the GIL."""
    over = threading.Event()

    def calculate() -> None:
        block = b"x" * 200_000
        while not over.is_set():
            hashlib.sha256(block).digest()
            sum(range(2_000))

    thread = threading.Thread(target=calculate)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
async def test_acknowledgements_are_in_time_while_a_model_is_at_work() -> None:
    async with slack_server() as slack, a_bot(slack) as bot:
        channels = [slack.channel(f"C{number}") for number in range(10)]
        with busy():
            for number in range(100):
                user, channel = f"U{number % 7}", channels[number % 10]
                await slack.say(channel, user=user, text=f"<{LINK}/{number}>")
                await asyncio.sleep(0.02)
            await slack.settled(60)
        await slack.until(lambda: len(bot.work.queued) == 100)
        # How quick they are is measured in tests/benchmarks/bench_chats.py, where Slack, the bot
        # and whoever measures do not share a loop. Here: none is late, so nothing is said again.
        assert len(slack.attempts) >= 100
        assert all(attempt.number == 0 and attempt.acked for attempt in slack.attempts)


async def test_closing_finishes_what_was_begun_and_takes_nothing_more() -> None:
    async with slack_server() as slack:
        channel = slack.channel("C1")
        async with a_bot(slack) as bot:
            done = await slack.command("/digest", "help", user="U1", channel=channel)
        assert done.messages
        assert slack.sockets.open == []
        assert not bot.surface.connected
        await bot.surface.close()  # once more does no harm
