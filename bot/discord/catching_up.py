"""Reading what was written while we were away: after an invalid session, after a restart.

Bounded on every side: one hour, some hundred messages a channel, a few channels at a time, and
only channels in which something was written since. What was heard before changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import discord

from bot.discord import places
from bot.discord.listener import Listener
from bot.discord.marks import Marks
from bot.discord.troubles import BROKEN
from core.errors import StorageUnavailable

log = logging.getLogger(__name__)
MESSAGES = 300  # of one channel
_AT_ONCE = 4
_ATTEMPTS = (1.0, 5.0, 20.0)  # seconds between them

Readable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


async def catch_up(
    client: discord.Client,
    guild: discord.Guild,
    marks: Marks,
    listener: Listener,
    last_answer: datetime | None,
) -> int:
    """How many messages were read."""
    now = datetime.now(UTC)
    wanted: list[tuple[Readable, int]] = []
    for channel in readable(guild):
        since = marks.since(guild.shard_id, channel.id, now, last_answer)
        if since is not None and has_news(channel, since):
            wanted.append((channel, since))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(channel: Readable, since: int) -> int:
        async with gate:
            return await _read(client, channel, since, listener)

    return sum(await asyncio.gather(*(one(channel, since) for channel, since in wanted)))


def readable(guild: discord.Guild) -> Iterator[Readable]:
    found: list[Readable] = [*guild.text_channels, *guild.voice_channels]
    found += [*guild.stage_channels, *guild.threads]
    for channel in found:
        granted = places.permissions_in(channel)
        if granted is None or (granted.view_channel and granted.read_message_history):
            yield channel


def has_news(channel: Readable, since: int) -> bool:
    """A channel in which nothing was ever written has no last message."""
    return channel.last_message_id is None or channel.last_message_id > since


async def _read(client: discord.Client, channel: Readable, since: int, listener: Listener) -> int:
    for seconds in (*_ATTEMPTS, None):
        try:
            return await _history(client, channel, since, listener)
        except discord.Forbidden:
            return 0
        except (discord.HTTPException, StorageUnavailable, *BROKEN) as error:
            log.warning("channel %s cannot be read again yet: %s", channel.id, error)
            if seconds is None:
                return 0
            await asyncio.sleep(seconds)
    return 0


async def _history(
    client: discord.Client, channel: Readable, since: int, listener: Listener
) -> int:
    count = 0
    history = channel.history(limit=MESSAGES, after=discord.Object(since), oldest_first=True)
    async for message in history:
        await listener.written(client, message, late=True)
        count += 1
    return count
