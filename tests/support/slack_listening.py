"""A small slack-bolt app for the tests of the test's Slack itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from support.slack_server import SlackServer
from support.slack_world import Json


@dataclass
class Bot:
    """A slack-bolt app that remembers what came."""

    slack: SlackServer
    app: AsyncApp
    events: list[Json] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)

    def kinds(self) -> list[str]:
        return [event.get("subtype") or event["type"] for event in self.events]


def listening_bot(slack: SlackServer) -> Bot:
    """Handles the usual events by remembering them; tests add commands and actions."""
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)
    bot = Bot(slack, app)

    async def heard(event: Json, body: Json) -> None:
        bot.events.append(event)
        bot.bodies.append(body)

    for kind in (
        "message app_mention reaction_added member_joined_channel channel_archive "
        "app_home_opened app_uninstalled tokens_revoked".split()
    ):
        app.event(kind)(heard)
    return bot


@asynccontextmanager
async def connected(bot: Bot, sockets: int = 1) -> AsyncIterator[AsyncSocketModeHandler]:
    handlers = [
        AsyncSocketModeHandler(bot.app, bot.slack.app_token, ping_interval=0.2)
        for _ in range(sockets)
    ]
    for handler in handlers:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    await bot.slack.connected(sockets)
    try:
        yield handlers[0]
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(bot: Bot) -> AsyncIterator[str]:
    """The app behind signed HTTP: its address."""
    runner = web.AppRunner(bot.app.server(0, "/slack/events", "127.0.0.1").web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()
