"""Answers to commands and buttons, within Discord's three seconds and fifteen minutes.

Every interaction is deferred before anything else happens, then answered in place. If Discord
does not know it any more (10062: we came too late; 50027: a quarter of an hour has passed), what
may be public is said in the channel instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from bot import replies
from bot.chat_words import language_of
from bot.commands import Commands
from bot.discord import pages, places
from bot.discord.render import Layout
from bot.discord.troubles import ALREADY_ANSWERED, BROKEN, LOST_TOKEN
from core.article import Language
from core.errors import DigestError, StorageUnavailable
from core.places import Place

log = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]
NOBODY = discord.AllowedMentions.none()
_ATTEMPTS = (1.0, 3.0, 8.0)  # seconds between them, where Discord is briefly away


class Answer:
    """How one interaction is answered. `public`: it may be said in the channel, if need be."""

    def __init__(self, interaction: Interaction, ui: Language) -> None:
        self.interaction = interaction
        self.ui = ui

    async def show(self, view: Layout, *, public: bool = True) -> None:
        view.stop()  # presses are understood by their custom_id
        if await self._in_place(view):
            return
        if public:
            await self._in_channel(view)
        else:
            log.info("interaction %s cannot be answered any more", self.interaction.id)

    async def show_privately(self, view: Layout) -> bool:
        """False: this person cannot be answered alone any more."""
        view.stop()
        return await self._in_place(view)

    async def say(self, text: str, *, public: bool = False) -> None:
        await self.show(pages.notice(text), public=public)

    async def _in_place(self, view: Layout) -> bool:
        """False: Discord does not know this interaction any more."""
        interaction = self.interaction
        if not interaction.response.is_done() or interaction.is_expired():
            return False
        for seconds in (*_ATTEMPTS, None):
            try:
                await interaction.edit_original_response(view=view, allowed_mentions=NOBODY)
                return True
            except (discord.HTTPException, *BROKEN) as error:
                if isinstance(error, discord.HTTPException):
                    if error.code in LOST_TOKEN:
                        return False
                    if error.status < 500 and error.status != 429:
                        raise
                if seconds is None:
                    return False
                await asyncio.sleep(seconds)
        return False

    async def _in_channel(self, view: Layout) -> None:
        channel = self.interaction.channel
        if not isinstance(channel, discord.abc.Messageable) or places.missing(channel):
            log.info("interaction %s cannot be answered anywhere", self.interaction.id)
            return
        try:
            await channel.send(view=view, allowed_mentions=NOBODY, suppress_embeds=True)
        except (discord.HTTPException, *BROKEN) as error:
            log.warning("interaction %s was not answered: %s", self.interaction.id, error)


async def respond(
    interaction: Interaction,
    commands: Commands,
    act: Callable[[Answer], Awaitable[None]],
    *,
    in_place: bool = False,
) -> None:
    """Acknowledges, acts, and turns what goes wrong into a sentence.

    `in_place`: the message of the pressed button will change; otherwise there will be a new one
    that only this person sees.
    """
    if not await acknowledge(interaction, in_place=in_place):
        return
    answer = Answer(interaction, language_of(interaction.locale))
    try:
        answer.ui = await interface_language(interaction, commands)
        await act(answer)
    except DigestError as error:
        await answer.say(replies.sentence(error, answer.ui))
    except Exception:
        log.exception("interaction %s: a surprise", interaction.id)
        await answer.say(replies.sentence(DigestError("interaction"), answer.ui))


async def acknowledge(interaction: Interaction, *, in_place: bool) -> bool:
    """Within three seconds, before anything touches the network or the database.

    False: it has been answered already; RESUME replays presses as it replays messages. Where it
    is too late for Discord, there is still the channel.
    """
    try:
        if in_place:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
    except discord.HTTPException as error:
        log.warning("interaction %s could not be acknowledged: %s", interaction.id, error)
        return error.code != ALREADY_ANSWERED
    except BROKEN as error:
        log.warning("interaction %s could not be acknowledged: %r", interaction.id, error)
    return True


async def interface_language(interaction: Interaction, commands: Commands) -> Language:
    """The channel's own where it has one, else the person's."""
    place = place_of(interaction)
    try:
        profile = await commands.profile(place)
    except StorageUnavailable:
        return language_of(interaction.locale)
    return profile.ui or language_of(interaction.locale)


def place_of(interaction: Interaction) -> Place:
    """Where a command was given or a button pressed."""
    found = places.place_of(interaction.channel, interaction.guild_id)
    if found is not None:
        return found
    workspace = places.DIRECT if interaction.guild_id is None else str(interaction.guild_id)
    return Place("discord", workspace, str(interaction.channel_id))
