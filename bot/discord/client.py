"""Our side of discord.py: which events concern whom, in lines that decide nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.budget import Budget
from bot.discord.listener import Listener
from bot.discord.pressing import Buttons
from bot.discord.slash import Korean, Slash, fill
from core.settings import DiscordSettings


def intents(settings: DiscordSettings) -> discord.Intents:
    """As few as there need to be; reading messages is a privilege that Discord grants."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        dm_reactions=True,
        message_content=settings.message_content,
    )


def grants_content(flags: discord.ApplicationFlags) -> bool:
    """Whether Discord would let us ask for that privilege; in few guilds it is "limited"."""
    return flags.gateway_message_content or flags.gateway_message_content_limited


def point_at(settings: DiscordSettings) -> None:
    """discord.py keeps both addresses in class attributes, so they are the process's. So are its
    warnings that it lacks libraries for voice, which nobody here misses."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)


class Watcher(Protocol):
    """Who cares about sessions and guilds: `DiscordSurface`."""

    def session_begins(self, shard: int) -> None: ...

    async def guilds_known(self, shard: int, guilds: list[discord.Guild]) -> None: ...

    async def guild_joined(self, guild: discord.Guild) -> None: ...


class Tree(app_commands.CommandTree["DigestClient"]):
    """Commands are taken in as long as anything is."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        return not self.client.deaf


class DigestClient(discord.AutoShardedClient):
    """One for each attempt to connect: discord.py's clients cannot be started twice."""

    def __init__(
        self,
        settings: DiscordSettings,
        listener: Listener,
        buttons: Buttons,
        slash: Slash,
        watcher: Watcher,
        *,
        guild_ready_timeout: float,
    ) -> None:
        super().__init__(
            intents=intents(settings),
            heartbeat_timeout=settings.heartbeat_timeout,
            guild_ready_timeout=guild_ready_timeout,
            # Nothing is answered from a cache of messages or members, so there is none.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=Budget(settings.requests_per_second).trace(),
        )
        self._listener = listener
        self._buttons = buttons
        self._watcher = watcher
        self.deaf = False  # we are stopping: nothing more is taken in
        self.tree = Tree(self)
        fill(self.tree, slash)

    async def setup_hook(self) -> None:
        await self.tree.set_translator(Korean())

    # --- sessions

    async def on_shard_connect(self, shard_id: int) -> None:
        self._watcher.session_begins(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        mine = [guild for guild in self.guilds if guild.shard_id == shard_id]
        await self._watcher.guilds_known(shard_id, mine)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._watcher.guild_joined(guild)

    # --- messages

    async def on_message(self, message: discord.Message) -> None:
        await self._unless_deaf(self._listener.written(self, message))

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        await self._unless_deaf(self._listener.edited(self, event))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        gone = self._listener.deleted(self, event.channel_id, event.guild_id, {event.message_id})
        await self._unless_deaf(gone)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        gone = self._listener.deleted(self, event.channel_id, event.guild_id, event.message_ids)
        await self._unless_deaf(gone)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        await self._unless_deaf(self._listener.reacted(self, event))

    # --- presses; commands find their way through the tree

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.component:
            await self._unless_deaf(self._buttons.press(interaction))

    async def _unless_deaf(self, taking: Coroutine[Any, Any, None]) -> None:
        if self.deaf:
            taking.close()
        else:
            await taking
