"""Discord as a chat: answers are posted, edited, found again and taken away.

An answer goes into a thread on the message with the link; the links of one message share it.
Where there can be no thread it is a reply. A post carries a nonce made of its key, so that
Discord itself refuses to do it twice within minutes, and the whole key in its buttons, by which
`find` knows it for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import discord
from discord.http import handle_message_parameters

from bot.chats import AboutTo, Shown, unasked
from bot.discord import places, render, troubles
from bot.discord.naming import (
    message_id,
    moment_of,
    pressed,
    reply_ids,
    reply_name,
    unprompted,
)
from bot.discord.refusals import Refusals
from bot.discord.titles import Titles, thread_name
from bot.discord.troubles import translated
from bot.discord.words import permission, say
from bot.replies import plain
from core.errors import ChatRefused, ChatUnavailable
from core.places import Place, Platform, SharedLink

log = logging.getLogger(__name__)
NOBODY = discord.AllowedMentions.none()
_NONCE = 25
_CLOCKS = timedelta(minutes=2)  # by which our clock and Discord's may differ
_LOOKED_THROUGH = 200  # messages; an answer stands near its link

Where = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.Thread
    | discord.DMChannel
    | discord.PartialMessageable
)


class DiscordChat:
    platform: Platform = "discord"

    def __init__(self, client: Callable[[], discord.Client]) -> None:
        self._client = client
        self._refusals = Refusals()
        self._titles = Titles()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def post(
        self, shared: SharedLink, shown: Shown, *, key: str, about_to: AboutTo = unasked
    ) -> str:
        async with self._at_work(shared), self._turn(shared.place.channel):
            where, reference = await self._where(shared, shown)
            await self._check(where, shared)
            await about_to()
            sent = await self._send(where, reference, shown, shared, key)
            return reply_name(where.id, sent.id)

    async def edit(self, shared: SharedLink, reply: str, shown: Shown, *, key: str) -> None:
        channel, message = reply_ids(reply)
        async with self._at_work(shared):
            try:
                await self._edit(channel, message, shown, shared, key)
            except discord.HTTPException as error:
                if error.code != troubles.ARCHIVED:
                    raise
                await self._open_again(channel, shared)
                await self._edit(channel, message, shown, shared, key)
            self._titles.name_soon(self._client(), channel, shared, shown)

    async def find(self, shared: SharedLink, key: str) -> str | None:
        async with self._at_work(shared):
            for where in await self._searched(shared):
                after = discord.Object(moment_of(shared.message))
                history = where.history(limit=_LOOKED_THROUGH, after=after, oldest_first=True)
                async for message in history:
                    if self._is_ours(message) and key in keys_in(message):
                        return reply_name(where.id, message.id)
        return None

    async def remove(self, shared: SharedLink, reply: str) -> None:
        channel, message = reply_ids(reply)
        async with self._at_work(shared):
            try:
                await self._client().http.delete_message(channel, message)
            except discord.NotFound:
                log.debug("message %s is gone already", reply)

    def unprompted(self, at: datetime, key: str) -> str:
        return unprompted(at - _CLOCKS)

    def beneath(self, place: Place, reply: str) -> tuple[Place, str]:
        return place, str(reply_ids(reply)[1])

    async def finish(self, seconds: float) -> None:
        """Waits so long for what is being sent."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d messages were still being sent", self._sending)
        await self._titles.finish()

    # --- taking turns

    @asynccontextmanager
    async def _at_work(self, shared: SharedLink) -> AsyncIterator[None]:
        self._sending += 1
        self._idle.clear()
        try:
            with translated(shared.place.channel):
                yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()

    @asynccontextmanager
    async def _turn(self, channel: str) -> AsyncIterator[None]:
        """One post at a time in a channel: links of one message find the thread of the first,
        and a burst does not earn a 429 before discord.py knows the channel's limits."""
        lock = self._turns.setdefault(channel, asyncio.Lock())
        async with lock:
            yield

    # --- where

    async def _where(
        self, shared: SharedLink, shown: Shown
    ) -> tuple[Where, discord.MessageReference | None]:
        """Where an answer goes, and the message that it replies to, where it is no thread's."""
        place, message = shared.place, message_id(shared.message)
        channel = await self._channel(place.thread or place.channel, place.workspace)
        if message is None:
            return channel, None
        if place.thread is None and places.may_open_threads(channel):
            assert isinstance(channel, discord.TextChannel)  # noqa: S101 - as just asked
            thread = await self._thread(channel, message, shared, shown)
            if thread is not None:
                return thread, None
        guild = None if place.workspace == places.DIRECT else int(place.workspace)
        return channel, discord.MessageReference(
            message_id=message, channel_id=channel.id, guild_id=guild
        )

    async def _channel(self, channel: str, workspace: str) -> Where:
        client, number = self._client(), int(channel)
        if workspace == places.DIRECT:
            return client.get_partial_messageable(number)
        found = client.get_channel(number) or await client.fetch_channel(number)
        if not isinstance(found, Where):
            raise ChatRefused(channel, "no messages can be sent to this kind of channel")
        return found

    async def _thread(
        self, channel: discord.TextChannel, message: int, shared: SharedLink, shown: Shown
    ) -> discord.Thread | None:
        """The thread on a message, opened if need be; None where there can be none."""
        known = channel.get_thread(message)
        if known is not None:
            return known
        name = thread_name(shared, shown)
        try:
            return await channel.get_partial_message(message).create_thread(name=name)
        except discord.Forbidden:
            return None
        except discord.HTTPException as error:
            if error.code == troubles.THREAD_EXISTS:
                found = await self._client().fetch_channel(message)
                return found if isinstance(found, discord.Thread) else None
            if error.code in (troubles.NO_MORE_THREADS, troubles.NO_THREADS_HERE):
                return None
            raise

    async def _check(self, where: Where, shared: SharedLink) -> None:
        """Raises ChatRefused before Discord has to: many refusals in a row lead to a ban."""
        if isinstance(where, discord.Thread) and where.locked and not may_unlock(where):
            raise ChatRefused(str(where.id), say("locked", "en"))
        names = places.missing(where)
        if names:
            await self._refusals.tell(self._client(), shared, names, called(where))
            named = ", ".join(permission(name, "en") for name in names)
            raise ChatRefused(str(where.id), f"missing permissions: {named}")

    # --- sending

    async def _send(
        self,
        where: Where,
        reference: discord.MessageReference | None,
        shown: Shown,
        shared: SharedLink,
        key: str,
    ) -> discord.Message:
        nonce = key[:_NONCE]
        given: dict[str, Any] = {"nonce": nonce, "allowed_mentions": NOBODY}
        if reference is not None:
            given |= {"reference": reference, "mention_author": False}
        view = render.layout(shown, shared, key)
        view.stop()  # presses are understood by their custom_id; nothing is to wait for them
        try:
            return await where.send(view=view, suppress_embeds=True, **given)
        except discord.HTTPException as error:
            if not is_refused_layout(error):
                raise
            log.exception("the layout was refused, an embed is sent instead: %s", error.text)
        embed, buttons = render.as_embed(shown, shared, key)
        buttons.stop()
        return await where.send(embed=embed, view=buttons, **given)

    async def _edit(
        self, channel: int, message: int, shown: Shown, shared: SharedLink, key: str
    ) -> None:
        # Not PartialMessage.edit(): it cannot keep the embeds of links suppressed.
        flags = discord.MessageFlags(suppress_embeds=True)
        view = render.layout(shown, shared, key)
        with handle_message_parameters(
            view=view, embeds=[], content=None, flags=flags, allowed_mentions=NOBODY
        ) as form:
            try:
                await self._client().http.edit_message(channel, message, params=form)
                return
            except discord.HTTPException as error:
                if not is_refused_layout(error):
                    raise
                log.exception("the layout was refused, an embed is tried instead: %s", error.text)
        embed, buttons = render.as_embed(shown, shared, key)
        with handle_message_parameters(embed=embed, view=buttons, allowed_mentions=NOBODY) as form:
            await self._client().http.edit_message(channel, message, params=form)

    async def _open_again(self, channel: int, shared: SharedLink) -> None:
        """A thread that was archived while the digest was made."""
        thread = await self._client().fetch_channel(channel)
        if not isinstance(thread, discord.Thread):
            raise ChatUnavailable(str(channel), "archived, though no thread")
        if thread.locked and not may_unlock(thread):
            raise ChatRefused(str(channel), say("locked", "en"))
        await thread.edit(archived=False)

    # --- finding

    async def _searched(self, shared: SharedLink) -> list[Where]:
        """Where an answer may stand, the likeliest first."""
        place, message = shared.place, message_id(shared.message)
        channel = await self._channel(place.thread or place.channel, place.workspace)
        if message is None or not isinstance(channel, discord.TextChannel):
            return [channel]
        thread: Any = channel.get_thread(message)
        if thread is None:
            try:
                thread = await self._client().fetch_channel(message)
            except discord.NotFound:
                return [channel]
        return [thread, channel]

    def _is_ours(self, message: discord.Message) -> bool:
        me = self._client().user
        return me is not None and message.author.id == me.id


def keys_in(message: discord.Message) -> set[str]:
    """The deliveries that the buttons of a message belong to."""
    found: set[str] = set()
    waiting: list[Any] = list(message.components)
    while waiting:
        component = waiting.pop()
        waiting += getattr(component, "children", ())
        press = pressed(getattr(component, "custom_id", None) or "")
        if press is not None and press.delivery:
            found.add(press.delivery)
    return found


def is_refused_layout(error: discord.HTTPException) -> bool:
    return (
        error.status == 400
        and error.code == troubles.INVALID_FORM
        and "message_reference" not in error.text
    )


def may_unlock(thread: discord.Thread) -> bool:
    granted = places.permissions_in(thread)
    return granted is not None and granted.manage_threads


def called(where: object) -> str:
    """A channel's name for people."""
    return f"#{plain(str(getattr(where, 'name', '?')))}"
