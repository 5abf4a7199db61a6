"""A Discord of our own on this machine, as strict as the real one, for the real discord.py.

    async with discord_server() as discord, a_bot_of(discord):
        channel = discord.guild("G").text_channel("articles")
        await discord.say(channel, discord.user("Mina"), "https://example.org/article")
        await discord.until(lambda: discord.messages(channel)[1:])

Refusals are Discord's own (see discord_checks.py, discord_components.py, discord_commands.py).
What this server cannot do raises at the end of the `async with`, whoever asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route
from support import discord_limits as routes
from support.discord_asking import Asking
from support.discord_commands import Commands
from support.discord_entities import Channel, Guild, Message, User
from support.discord_gateway import MESSAGE_CONTENT, Gateway
from support.discord_interactions import Interactions
from support.discord_limits import Trouble
from support.discord_messages import Messages
from support.discord_people import People
from support.discord_places import Places
from support.discord_rest import PREFIX, Call, Rest
from support.discord_world import World

TOKEN = "test.token.of-nobody"  # noqa: S105 - nobody has it
Found = TypeVar("Found")


class DiscordServer(People, Asking):
    """All of Discord for one bot; `People` and `Asking` add what people do there."""

    def __init__(self, token: str = TOKEN) -> None:
        world = World()
        self.token = token
        self.world = world
        self.gateway = Gateway(world, token)
        self.rest = Rest(world, token)
        self.messages_api = Messages(world)
        self.places = Places(world, self.gateway)
        self.commands = Commands(world)
        self.interactions = Interactions(world, self.messages_api)
        self.api_url = ""

    @property
    def bot(self) -> User:
        return self.world.bot

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    @property
    def limits(self) -> routes.RateLimits:
        return self.rest.limits

    def guild(self, name: str, *, locale: str = "en-US") -> Guild:
        return self.world.guild(name, locale=locale)

    def user(self, name: str, *, locale: str = "en-US") -> User:
        return self.world.user(name, locale=locale)

    def without_message_content(self) -> None:
        """The privileged intent is not granted: contents are empty, asking for it is 4014."""
        self.gateway.granted &= ~MESSAGE_CONTENT
        self.world.message_content_granted = False

    def fail_next(
        self, route: str, *, times: int = 1, with_: Trouble = 500, retry_after: float = 0.05
    ) -> None:
        """The next `times` requests to this route run into trouble (`retry_after` in seconds)."""
        self.rest.faults.add(route, times, with_, retry_after)

    def kick_bot(self, guild: Guild) -> None:
        self.places.kick(guild)

    def delete_channel(self, channel: Channel) -> None:
        self.places.remove(channel)

    # What a test looks at.

    def messages(self, channel: Channel) -> list[Message]:
        """Oldest first, with those that only one person sees."""
        return sorted(channel.messages.values(), key=lambda message: message.id)

    def by_bot(self, channel: Channel) -> list[Message]:
        return [message for message in self.messages(channel) if message.author is self.bot]

    def calls(self, route: str = "") -> list[Call]:
        """All requests, or those to one route (`POST /channels/{channel}/messages`)."""
        return [call for call in self.rest.calls if route in {"", call.route}]

    async def until(self, holds: Callable[[], Found], timeout: float = 5) -> Found:  # noqa: ASYNC109
        """What `holds` gives as soon as it is true; asked again after every change.

        A test may wait for something in its bot, of which this server hears nothing: so it is
        asked every 20 ms too. Raises AssertionError after `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while not (found := holds()):
            if loop.time() > end:
                raise AssertionError(f"not within {timeout} s; {self._lately()}")
            await self.world.wait_for_change(0.02)
        return found

    def _lately(self) -> str:
        last = [f"{call.route} {call.status} {call.answer}" for call in self.rest.calls[-5:]]
        surprises = self.rest.surprises + self.gateway.surprises
        return f"last calls: {last}; surprises: {surprises}"

    def application(self) -> web.Application:
        app = web.Application()
        for route, handler in self._routes().items():
            self.rest.add(app, route, handler)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_route("*", PREFIX + "/{rest:.*}", self.rest.refuse_unknown)
        return app

    def _routes(self) -> dict[str, Callable[[Call], object]]:
        messages, places = self.messages_api, self.places
        message = "/channels/{channel}/messages/{message}"
        return {
            "GET /users/@me": places.me,
            "GET /users/@me/guilds": places.my_guilds,
            "POST /users/@me/channels": places.open_direct,
            "GET /users/{user}": places.user,
            "GET /applications/@me": places.application,
            "GET /oauth2/applications/@me": places.application,
            "GET /gateway": places.gateway_url,
            "GET /gateway/bot": places.gateway_bot,
            "GET /channels/{channel}": places.channel,
            "PATCH /channels/{channel}": places.edit_channel,
            "DELETE /channels/{channel}": places.delete_channel,
            "GET /guilds/{guild}": places.guild,
            "GET /guilds/{guild}/channels": places.channels,
            "GET /guilds/{guild}/roles": places.roles,
            "GET /guilds/{guild}/members/{user}": places.member,
            "GET /guilds/{guild}/threads/active": places.active_threads,
            routes.POST_MESSAGE: messages.post,
            routes.GET_MESSAGES: messages.history,
            routes.PATCH_MESSAGE: messages.patch,
            routes.DELETE_MESSAGE: messages.delete,
            f"GET {message}": messages.get,
            routes.START_THREAD: messages.start_thread,
            f"PUT {message}/reactions/{{emoji}}/{{user}}": messages.react,
            f"DELETE {message}/reactions/{{emoji}}/{{user}}": messages.take_reaction,
            "POST /channels/{channel}/typing": messages.typing,
            "POST /channels/{channel}/threads": messages.open_thread,
            "PUT /channels/{channel}/thread-members/{user}": messages.join_thread,
            "DELETE /channels/{channel}/thread-members/{user}": messages.leave_thread,
            **self.commands.routes(),
            **self.interactions.routes(),
        }


@asynccontextmanager
async def discord_server(token: str = TOKEN) -> AsyncIterator[DiscordServer]:
    """Raises ExceptionGroup at the end if something happened that this server cannot do."""
    server = DiscordServer(token)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.api_url = f"http://{host}:{port}{PREFIX}"
    server.gateway.url = f"ws://{host}:{port}/gateway/"
    try:
        yield server
    finally:
        server.gateway.reset()
        await runner.cleanup()
    surprises = server.rest.surprises + server.gateway.surprises
    if surprises:
        raise BaseExceptionGroup("the server of the test did not know what to do", surprises)


@contextmanager
def pointed_at(server: DiscordServer) -> Iterator[None]:
    """discord.py's clients talk to this server; afterwards to Discord again."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = server.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
