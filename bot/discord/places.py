"""Discord's channels as places, and what we may do in them."""

from __future__ import annotations

import discord

from bot.chat_words import language_of
from core.article import Language
from core.language import detect
from core.places import Place

DIRECT = "@me"
# What an answer needs, wherever it goes.
_ALWAYS = ("view_channel", "read_message_history", "embed_links")
# What the bot asks of a server that invites it: that, and its answers in threads.
INVITED_WITH = discord.Permissions(
    view_channel=True,
    read_message_history=True,
    embed_links=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
)


def place_of(channel: object, guild_id: int | None) -> Place | None:
    """None for a channel of which we know nothing but its id."""
    if guild_id is None:
        return Place("discord", DIRECT, str(getattr(channel, "id", 0)))
    if isinstance(channel, discord.Thread):
        # Who reads the channel above need not read a private thread: it is a channel of its own.
        above = channel.id if channel.is_private() else channel.parent_id
        return Place("discord", str(guild_id), str(above), str(channel.id))
    if isinstance(channel, discord.abc.GuildChannel):
        return Place("discord", str(guild_id), str(channel.id))
    return None


def interface_language(guild: discord.Guild | None, text: str) -> Language:
    """A guild's own locale; most guilds never set one, so a Korean message counts as Korean."""
    if guild is not None and language_of(guild.preferred_locale) == "ko":
        return "ko"
    return detect(text)


def missing(channel: object) -> list[str]:
    """The permissions without which no answer can be given here; names as in discord.py."""
    granted = permissions_in(channel)
    if granted is None:
        return []
    sending = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    return [name for name in (*_ALWAYS, sending) if not getattr(granted, name)]


def may_open_threads(channel: object) -> bool:
    """Threads stand on messages of text and announcement channels, where we may make them."""
    if not isinstance(channel, discord.TextChannel):
        return False
    granted = permissions_in(channel)
    return granted is None or (granted.create_public_threads and granted.send_messages_in_threads)


def permissions_in(channel: object) -> discord.Permissions | None:
    """None where there are none to ask for (direct messages, a guild that has not come yet)."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return None
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None
    me: discord.Member | None = channel.guild.me
    return None if me is None else channel.permissions_for(me)
