"""Whose articles somebody may see on Discord: those of channels that they may read themselves.

What is said where others read along is narrower: only the channel in which it is said, and those
that everybody in the server may read.
"""

from __future__ import annotations

import discord

from bot.discord import places
from core.library import Channels
from core.places import Place


def of_member(place: Place, guild: discord.Guild | None, user: object) -> Channels:
    """For what only this person sees. Direct messages stand alone."""
    if guild is None or not isinstance(user, discord.Member):
        return Channels("discord", place.workspace, frozenset({place.channel}))
    readable = {str(one.id) for one in guild.channels if _may_read(one, user)}
    return Channels("discord", place.workspace, frozenset({*readable, place.channel}))


def of_everybody(place: Place, guild: discord.Guild | None, user: object) -> Channels:
    """For what is said in the channel: never more than the asking person may read."""
    if guild is None:
        return Channels("discord", place.workspace, frozenset({place.channel}))
    everyone = guild.default_role
    open_to_all = {str(one.id) for one in guild.channels if _may_read(one, everyone)}
    own = of_member(place, guild, user).channels
    return Channels("discord", place.workspace, frozenset({*(open_to_all & own), place.channel}))


def _may_read(channel: discord.abc.GuildChannel, who: discord.Member | discord.Role) -> bool:
    granted = channel.permissions_for(who)
    return granted.view_channel and granted.read_message_history


def conversation(place: Place, replied_to: int | None) -> str:
    """What a question belongs to: its thread, the direct messages, or the answer replied to."""
    if place.thread is not None or place.workspace == places.DIRECT:
        return f"discord:{place.workspace}:{place.thread or place.channel}"
    return "" if replied_to is None else of_answer(replied_to)


def of_answer(message: int) -> str:
    return f"discord:answer:{message}"
