"""What Discord remembers: all guilds, channels and people, and what wakes who waits for a change.

The REST side, the gateway and the people of a test change it, and `World.emit` tells the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from support.discord_entities import DM, PUBLIC_THREAD, Channel, Guild, Json, User

Emit = Callable[[str, Json, Channel | Guild | None], None]

DISCORD_EPOCH = 1_420_070_400_000


class Refused(Exception):
    """Discord says no: an HTTP status, a code of its own, and errors by path."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message} {errors or ''}")
        self.status = status
        self.body: Json = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


def unknown(what: str, code: int) -> Refused:
    return Refused(404, code, f"Unknown {what}")


MISSING_ACCESS = (403, 50001, "Missing Access")
MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")


class World:
    """All guilds, channels and people, and what wakes those who wait for a change."""

    def __init__(self) -> None:
        self._last_id = 0
        self._changed = asyncio.Event()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.on_emit: Emit = lambda name, payload, where: None
        self.bot = self.user("digest-bot", bot=True)
        self.owner = self.user("owner")
        self.application_id = self.bot.id
        self.message_content_granted = True

    def new_id(self) -> int:
        """A snowflake: later is larger."""
        moment = int(datetime.now(UTC).timestamp() * 1000) - DISCORD_EPOCH
        self._last_id = max(self._last_id + 2, moment << 22)
        return self._last_id

    def user(self, name: str, *, locale: str = "en-US", bot: bool = False) -> User:
        made = User(self.new_id(), name, locale, bot)
        self.users[made.id] = made
        return made

    def add(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel

    def emit(self, event: str, payload: Json, where: Channel | Guild | None) -> None:
        self.on_emit(event, payload, where)
        self.changed()

    def changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self, seconds: float) -> None:
        """Returns at the next change, or after `seconds`."""
        event = self._changed
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    def channel(self, channel_id: int) -> Channel:
        """Raises Refused 10003."""
        found = self.channels.get(channel_id)
        if found is None or (found.guild is not None and not found.guild.bot_is_in):
            raise unknown("Channel", 10003)
        return found

    def reachable(self, channel_id: int, *permissions: str) -> Channel:
        """The channel, if the bot may see it and do these things.

        Raises Refused 10003, 50001 (not to be seen) or 50013 (not allowed).
        """
        channel = self.channel(channel_id)
        if not channel.may(self.bot, "view_channel"):
            raise Refused(*MISSING_ACCESS)
        for name in permissions:
            if not channel.may(self.bot, name):
                raise Refused(*MISSING_PERMISSIONS)
        return channel

    def guild(self, name: str, *, locale: str = "en-US") -> Guild:
        """A guild of which the bot is a member; the gateway hears of it."""
        made = Guild(self, self.new_id(), name, locale)
        made.join(self.bot)
        made.join(self.owner)
        self.guilds[made.id] = made
        self.emit("GUILD_CREATE", made.payload(), made)
        return made

    def direct(self, user: User) -> Channel:
        """The channel in which this user and the bot talk alone."""
        for channel in self.channels.values():
            if channel.kind == DM and channel.recipient is user:
                return channel
        made = Channel(self, self.new_id(), user.name, DM, recipient=user)
        self.add(made)
        return made

    def start_thread(self, parent: Channel, thread_id: int, name: str, starter: User) -> Channel:
        thread = Channel(self, thread_id, name, PUBLIC_THREAD, guild=parent.guild, parent=parent)
        thread.owner = starter
        thread.thread_members.add(starter.id)
        self.add(thread)
        self.emit("THREAD_CREATE", {**thread.payload(), "newly_created": True}, thread)
        return thread
