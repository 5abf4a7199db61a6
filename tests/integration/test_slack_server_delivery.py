"""The test's Slack brings events to a real slack-bolt, by sockets and by signed HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.slack_listening import Bot, connected, listening_bot, over_http
from support.slack_server import SlackServer, slack_server


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        server.pacing = None
        server.deliveries.ack_within = 1.0
        server.deliveries.retry_after = (0.0, 0.05, 0.1)
        yield server


@pytest.fixture
def bot(slack: SlackServer) -> Bot:
    return listening_bot(slack)


# --- events


async def test_a_link_with_a_mention_comes_three_times(slack: SlackServer, bot: Bot) -> None:
    channel = slack.channel("C1")
    async with connected(bot):
        text = f"<@{slack.team.bot_user}> <https://a.example/b?x=1&amp;y=2>"
        ts = await slack.say(channel, user="U1", text=text, preview=True)
        await slack.until(lambda: len(bot.events) == 3)
    told = dict(zip(bot.kinds(), bot.events, strict=True))
    assert set(told) == {"message", "app_mention", "message_changed"}
    assert (told["message"]["ts"], told["message"]["text"]) == (ts, text)
    assert told["app_mention"]["ts"] == ts
    assert "edited" not in told["message_changed"]["message"]
    assert told["message_changed"]["message"]["attachments"]
    assert len({body["event_id"] for body in bot.bodies}) == 3
    assert all(ack.seconds < 3.0 for ack in slack.acks)


async def test_edits_and_deletions_are_told(slack: SlackServer, bot: Bot) -> None:
    channel = slack.channel("C1")
    async with connected(bot):
        ts = await slack.say(channel, user="U1", text="a")
        await slack.edit(channel, ts, "b")
        await slack.delete(channel, ts)
        await slack.until(lambda: len(bot.events) == 3)
    told = dict(zip(bot.kinds(), bot.events, strict=True))
    changed, deleted = told["message_changed"], told["message_deleted"]
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("b", "a")
    assert changed["message"]["edited"]["user"] == "U1"
    assert deleted["deleted_ts"] == ts


async def test_the_bot_hears_itself_and_only_where_it_is(slack: SlackServer, bot: Bot) -> None:
    slack.channel("C1")
    away = slack.channel("CAWAY", bot=False)
    async with connected(bot):
        await slack.say(away, user="U1", text="unheard")
        slack.team.scopes.discard("reactions:read")
        sent = await bot.app.client.chat_postMessage(channel="C1", text="a")
        await slack.react(slack.channel("C1"), str(sent["ts"]), user="U1")
        await slack.member_joined(away)
        await slack.settled()
    assert bot.kinds() == ["member_joined_channel"]  # Bolt itself drops the bot's own posts
    assert slack.events[0]["event"]["bot_id"] == slack.team.bot_id
    assert [payload["event"]["type"] for payload in slack.events] == [
        "message",
        "member_joined_channel",
    ]


async def test_an_event_that_nobody_acknowledges_comes_again(slack: SlackServer, bot: Bot) -> None:
    slack.deliveries.ack_within = 0.05
    async with connected(bot):
        slack.emit(slack.team, {"type": "channel_rename", "channel": {"id": "C1"}})
        await slack.settled()
    assert [each.number for each in slack.attempts] == [0, 1, 2, 3]
    assert [each.reason for each in slack.attempts] == ["", "timeout", "timeout", "timeout"]
    assert len({each.event_id for each in slack.attempts}) == 1
    assert not slack.acks


async def test_the_same_event_comes_twice_on_two_sockets(slack: SlackServer, bot: Bot) -> None:
    channel = slack.channel("C1")
    async with connected(bot, sockets=2):
        slack.events_twice = True
        await slack.say(channel, user="U1", text="a")
        await slack.until(lambda: len(slack.acks) == 2)
        assert len({ack.via for ack in slack.acks}) == 2
        event_id = slack.events[0]["event_id"]
        await slack.on_every_socket(event_id)
        await slack.repeat(event_id, after=0.05)
        await slack.until(lambda: len(bot.bodies) == 5)
    assert {body["event_id"] for body in bot.bodies} == {event_id}


# --- sockets


async def test_a_ticket_is_good_once_and_for_a_while(slack: SlackServer, bot: Bot) -> None:
    async def status(url: str) -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(url) as wire:
                    assert (await wire.receive_json())["type"] == "hello"
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

    async def ticket() -> str:
        opened = await bot.app.client.apps_connections_open(app_token=slack.app_token)
        return str(opened["url"])

    first = await ticket()
    assert [await status(first), await status(first)] == [101, 404]
    unused = await ticket()
    slack.sockets.expire_tickets()
    assert await status(unused) == 401
    assert slack.sockets.refused == 2


async def test_a_refreshed_socket_is_replaced_and_loses_nothing(
    slack: SlackServer, bot: Bot
) -> None:
    channel = slack.channel("C1")
    async with connected(bot):
        await slack.sockets.disconnect("refresh_requested", close_after=0.05)
        await slack.until(lambda: slack.sockets.opened == 2 and len(slack.sockets.open) == 1)
        await slack.say(channel, user="U1", text="a")
        await slack.until(lambda: bot.events)
    assert [ack.via for ack in slack.acks] == ["socket-2"]


async def test_a_reset_is_noticed_at_the_next_ping(slack: SlackServer, bot: Bot) -> None:
    channel = slack.channel("C1")
    async with connected(bot):
        slack.sockets.reset()
        await slack.until(lambda: slack.sockets.opened == 2)
        await slack.say(channel, user="U1", text="a")
        await slack.until(lambda: bot.events)


async def test_a_silent_peer_is_given_up(slack: SlackServer, bot: Bot) -> None:
    async with connected(bot) as handler:
        await slack.until(lambda: handler.client.last_ping_pong_time)
        slack.sockets.fall_silent()
        await slack.until(lambda: slack.sockets.opened == 2)


async def test_a_spent_ticket_keeps_the_client_deaf(slack: SlackServer, bot: Bot) -> None:
    async with connected(bot) as handler:
        slack.sockets.refusing = 503
        slack.sockets.reset()
        await slack.until(lambda: slack.sockets.refused >= 2)
        slack.sockets.refusing = None
        before = len(slack.calls("apps.connections.open"))
        tries = slack.sockets.refused
        await slack.until(lambda: slack.sockets.refused >= tries + 2)
        assert len(slack.calls("apps.connections.open")) == before
        handler.client.wss_uri = None  # the cure: a new ticket
        await slack.until(lambda: slack.sockets.open)


# --- HTTP


async def test_signed_events_and_commands_come_by_http(slack: SlackServer, bot: Bot) -> None:
    @bot.app.command("/digest")
    async def on_command(ack: Any) -> None:
        await ack("yes")

    channel = slack.channel("C1")
    async with over_http(bot) as url:
        road = slack.use_http(url)
        status, text = await road.verify("a-challenge")
        assert (status, "a-challenge" in text) == (200, True)
        await slack.say(channel, user="U1", text="a")
        asked = await slack.command("/digest", user="U1", channel=channel)
        await slack.until(lambda: bot.events)
        await slack.settled()
    assert [each.text for each in asked.messages] == ["yes"]
    assert [ack.status for ack in slack.acks] == [200, 200]


@pytest.mark.parametrize(
    "broken",
    [{"signature": "v0=00"}, {"timestamp": str(int(time.time()) - 600)}, {"signature": ""}],
    ids=["wrong", "old", "none"],
)
async def test_a_broken_signature_reaches_nobody(
    slack: SlackServer, bot: Bot, broken: dict[str, str]
) -> None:
    async with over_http(bot) as url:
        event = {"type": "message", "channel": "C1", "user": "U1", "text": "a", "ts": "1.0"}
        attempt = await slack.post_event(url, event, **broken)
    assert attempt.status == 401
    assert not attempt.acked
    assert not bot.events


async def test_http_is_tried_again_with_the_number_and_the_reason(slack: SlackServer) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        number = request.headers.get("X-Slack-Retry-Num")
        seen.append((number, request.headers.get("X-Slack-Retry-Reason")))
        if number is None:
            await asyncio.sleep(0.2)  # too late
        return web.Response(status=500 if number == "1" else 200)

    slack.deliveries.ack_within = 0.1
    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await slack.say(slack.channel("C1"), user="U1", text="a")
    await slack.settled()
    await runner.cleanup()
    assert seen == [(None, None), ("1", "http_timeout"), ("2", "http_error")]
    assert [each.acked for each in slack.attempts] == [False, False, True]
