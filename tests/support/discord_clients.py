"""Real discord.py clients for the tests' Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord.http import Route
from support.discord_server import DiscordServer, pointed_at

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
