"""Real discord.py clients for the tests' Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
from discord.http import Route
from support.discord_entities import Channel, Json
from support.discord_server import DiscordServer, discord_server, pointed_at

# discord.py waits 2 s for further guilds before it is ready.
QUICK: dict[str, Any] = {"guild_ready_timeout": 0.05}


def reading_client(**settings: Any) -> discord.Client:
    """A client that wants to read messages; `settings` are discord.Client's own."""
    intents = discord.Intents.default()
    intents.message_content = True
    return discord.Client(intents=intents, **QUICK, **settings)


@asynccontextmanager
async def logged_in(server: DiscordServer) -> AsyncIterator[discord.Client]:
    """REST only: no gateway."""
    client = reading_client()
    with pointed_at(server):
        async with client:
            await client.login(server.token)
            yield client


@asynccontextmanager
async def connected(
    server: DiscordServer, client: discord.Client | None = None
) -> AsyncIterator[discord.Client]:
    """Ready, and closed at the end. What `Client.start` raises is raised here."""
    client = client or reading_client()
    with pointed_at(server):
        running = asyncio.create_task(client.start(server.token))
        try:
            await server.until(lambda: client.is_ready() or running.done())
            if running.done():
                await running
            yield client
        finally:
            await client.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def request(client: discord.Client, method: str, path: str, form: Any = None) -> Any:
    """discord.py's own way to REST with a form that discord.py itself would not build."""
    return await client.http.request(Route(method, path), json=form or {})


@dataclass
class Desk:
    """A client that is logged in, and a channel to post to."""

    server: DiscordServer
    client: discord.Client
    channel: Channel

    async def post(self, form: Json) -> Json:
        path = f"/channels/{self.channel.id}/messages"
        answer: Json = await request(self.client, "POST", path, form)
        return answer

    async def sync(self, commands: list[Json]) -> Any:
        path = f"/applications/{self.server.bot.id}/commands"
        return await request(self.client, "PUT", path, commands)


@asynccontextmanager
async def a_desk() -> AsyncIterator[Desk]:
    """Without rate limits and without a gateway."""
    async with discord_server() as server, logged_in(server) as client:
        server.limits.enabled = False
        yield Desk(server, client, server.guild("G").text_channel("articles"))


def errors_at(refused: discord.HTTPException, server: DiscordServer, path: str) -> list[str]:
    """The codes under `path` (`embeds.0.title`) in the answer as it was sent."""
    assert (refused.status, refused.code) == (400, 50035)
    node = server.calls()[-1].answer["errors"]
    for step in path.split(".") if path else []:
        node = node[step]
    return [mistake["code"] for mistake in node["_errors"]]
