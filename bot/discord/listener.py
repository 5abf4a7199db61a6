"""What is written on Discord, understood: messages, edits, deletions, reactions.

Nothing is decided here but what a message means; `Receiver` does the rest, and hears everything
as often as Discord tells it (RESUME replays, catching up) without doing it twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import discord

from bot import replies
from bot.discord import places
from bot.discord.consulting import Consultations
from bot.discord.looking_back import replied_to, without_mentions
from bot.discord.marks import Marks
from bot.discord.once import Once
from bot.discord.troubles import BROKEN
from bot.discord.words import say
from bot.receiving import Heard, Heeded, Receiver
from core.article import Language
from core.errors import StorageUnavailable
from core.links import find_links
from core.places import Place
from core.settings import LimitSettings

log = logging.getLogger(__name__)
_HELP = frozenset({"", "help", "도움말", "?"})
MAGNIFIERS = frozenset({"🔍", "🔎"})
_WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
# Discord tells a message once. While the database is away it is kept here; a process that dies
# meanwhile reads it again in the channel's history.
_PATIENCE = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 60.0, 120.0, 300.0, 600.0)

Found = TypeVar("Found")


class Listener:
    def __init__(
        self,
        receiver: Receiver,
        marks: Marks,
        consultations: Consultations,
        *,
        reads_content: bool,
    ) -> None:
        self._consultations = consultations
        self._receiver = receiver
        self._marks = marks
        self._reads_content = reads_content
        self._told = Once(minutes=5)

    async def written(
        self, client: discord.Client, message: discord.Message, *, late: bool = False
    ) -> None:
        """`late`: read in the channel's history; then there is no small talk."""
        self._marks.saw(message.channel.id, message.id)
        heard = await self._understood(client, message)
        if heard is None:
            return
        heeded = await patiently(lambda: self._receiver.hear(heard))
        if late:
            return
        if heard.asked and not heard.links:
            await self._answer(client, message, heard)
        await self._tell_limit(message, heeded, heard.ui)

    async def edited(self, client: discord.Client, event: discord.RawMessageUpdateEvent) -> None:
        """Only what a person changed: the preview of a link changes a message, too."""
        message = event.message
        if message.edited_at is None or not self._readable(client, message):
            return
        heard = await self._understood(client, message)
        if heard is not None:
            heeded = await patiently(lambda: self._receiver.edited(heard))
            await self._tell_limit(message, heeded, heard.ui)

    async def deleted(
        self, client: discord.Client, channel: int, guild: int | None, messages: set[int]
    ) -> None:
        place = await self.place(client, channel, guild)
        if place is None:
            return
        for message in sorted(messages):
            await patiently(partial(self._receiver.deleted, place, str(message)))

    async def reacted(self, client: discord.Client, event: discord.RawReactionActionEvent) -> None:
        if event.emoji.name not in MAGNIFIERS or self._by_bot(client, event):
            return
        channel = await self._channel(client, event.channel_id)
        if channel is None or not isinstance(channel, discord.abc.Messageable):
            return
        try:
            message = await channel.fetch_message(event.message_id)
        except (discord.HTTPException, *BROKEN) as error:
            log.info("the message of a reaction cannot be read: %s", error)
            return
        heard = await self._understood(client, message, asked_by=event.user_id)
        if heard is None:
            return
        if not heard.links and not self._readable(client, message):
            await self._tell(message, "unreadable", say("unreadable", heard.ui))
            return
        await self._tell_limit(
            message, await patiently(lambda: self._receiver.hear(heard)), heard.ui
        )

    async def _answer(self, client: discord.Client, message: discord.Message, heard: Heard) -> None:
        """Somebody speaks to us of no link: a question, or a call for help."""
        question = without_mentions(message.content)
        if question.casefold() in _HELP:
            await self._tell(message, "help", say("help", heard.ui))
        else:
            await self._consultations.mentioned(message, heard.place, question, heard.ui)

    # --- understanding

    async def _understood(
        self, client: discord.Client, message: discord.Message, *, asked_by: int | None = None
    ) -> Heard | None:
        """None for what nobody wrote: bots, webhooks, notices of Discord's own."""
        if message.author.bot or message.webhook_id or message.type not in _WRITTEN:
            return None
        guild = None if message.guild is None else message.guild.id
        place = await self.place(client, message.channel.id, guild)
        if place is None:
            return None
        direct = place.workspace == places.DIRECT
        asks_on = await self._consultations.asks_on(message)
        asked = asked_by is not None or direct or asks_on or addressed(client, message)
        links = find_links(message.content)
        if asked and asked_by is None and not links:
            links = await links_replied_to(message)
        return Heard(
            place=place,
            message=str(message.id),
            by=str(asked_by or message.author.id),
            links=links,
            ui=places.interface_language(message.guild, message.content),
            asked=asked,
        )

    def _readable(self, client: discord.Client, message: discord.Message) -> bool:
        """Without the Message Content intent most contents come empty, which says nothing."""
        return (
            self._reads_content
            or message.guild is None
            or bool(message.content)
            or mentions(client, message)
        )

    def _by_bot(self, client: discord.Client, event: discord.RawReactionActionEvent) -> bool:
        me = client.user
        return (event.member is not None and event.member.bot) or (
            me is not None and event.user_id == me.id
        )

    async def place(self, client: discord.Client, channel: int, guild: int | None) -> Place | None:
        if guild is None:
            return places.place_of(discord.Object(channel), None)
        return places.place_of(await self._channel(client, channel), guild)

    async def _channel(self, client: discord.Client, channel: int) -> object | None:
        """Threads that were archived are not told to us at the start."""
        known = client.get_channel(channel)
        if known is not None:
            return known
        try:
            return await client.fetch_channel(channel)
        except (discord.HTTPException, discord.InvalidData, *BROKEN) as error:
            log.info("channel %s cannot be looked up: %s", channel, error)
            return None

    # --- short answers

    async def _tell_limit(self, message: discord.Message, heeded: Heeded, ui: Language) -> None:
        if heeded.limit is not None:
            await self._tell(
                message, heeded.limit, limit_sentence(heeded, self._receiver.limits, ui)
            )

    async def _tell(self, message: discord.Message, what: str, text: str) -> None:
        """Once for a person and a while, as it is no answer to a link."""
        if places.missing(message.channel) or not self._told.first((message.author.id, what)):
            return
        try:
            await message.reply(
                text,
                mention_author=False,
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
            )
        except (discord.HTTPException, *BROKEN) as error:
            log.info("a short answer could not be sent: %s", error)


def mentions(client: discord.Client, message: discord.Message) -> bool:
    """By name, or by answering one of our messages; either lets us read the message."""
    me = client.user
    return me is not None and any(user.id == me.id for user in message.mentions)


def addressed(client: discord.Client, message: discord.Message) -> bool:
    """By name: who answers a digest talks about it, not to us."""
    me = client.user
    return me is not None and me.id in message.raw_mentions


async def links_replied_to(message: discord.Message) -> list[str]:
    """ "@bot" in a reply means the message replied to; but an answer of ours is a talk with us."""
    found = await replied_to(message)
    return [] if found is None or found.author.bot else find_links(found.content)


def limit_sentence(heeded: Heeded, limits: LimitSettings, ui: Language) -> str:
    count = limits.links_per_message
    return replies.say(heeded.limit or "limit.user", ui, count=count)


async def patiently(act: Callable[[], Awaitable[Found]]) -> Found:
    """Raises StorageUnavailable when the database stays away."""
    for seconds in _PATIENCE:
        try:
            return await act()
        except StorageUnavailable:
            await asyncio.sleep(seconds)
    return await act()
