"""A thread is named after its article once the title is known: once, and only where it still has
the name that we gave it.

Discord lets a channel be renamed twice in ten minutes, so a thread is renamed one time, beside
everything else, and what does not work is left.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date

import discord

from bot import feed_words
from bot.chats import Ready, Shown, Waiting
from bot.discord.once import Once
from bot.discord.troubles import BROKEN
from bot.discord.words import say
from bot.replies import plain
from core.errors import BadLink
from core.links import site_of
from core.places import DAILY, SharedLink

log = logging.getLogger(__name__)
_LONGEST = 100
_SECONDS = 20.0  # discord.py would wait out a 429 of ten minutes


class Titles:
    def __init__(self) -> None:
        self._tried = Once(minutes=24 * 60)
        self._running: set[asyncio.Task[None]] = set()

    def name_soon(
        self, client: discord.Client, channel: int, shared: SharedLink, shown: Shown
    ) -> None:
        """`channel`: where the digest stands, a thread or not."""
        thread = client.get_channel(channel)
        me = client.user
        if not isinstance(thread, discord.Thread) or me is None or thread.owner_id != me.id:
            return  # no thread, or somebody else's, whose name is theirs
        name, first = thread_name(shared, shown), thread_name(shared, Waiting())
        if thread.archived or thread.name != first or name == first:
            return
        if self._tried.first(thread.id):
            task = asyncio.create_task(_rename(thread, name))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """What is not done now is left."""
        running = [*self._running]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _rename(thread: discord.Thread, name: str) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            await thread.edit(name=name)
    except (TimeoutError, discord.DiscordException, *BROKEN) as error:
        log.info("thread %s keeps its name: %s", thread.id, error)


def thread_name(shared: SharedLink, shown: Shown) -> str:
    """A morning's thread is named after its day and keeps that name."""
    if shared.nonce.startswith(DAILY):
        day = date.fromisoformat(shared.nonce.removeprefix(DAILY))
        return feed_words.say("thread_name", shared.ui, day=feed_words.long_day(day, shared.ui))
    name = shown.record.article.title if isinstance(shown, Ready) else None
    if not name:
        try:
            name = site_of(shared.link)
        except BadLink:
            name = shared.link
    whole = plain(say("thread", shared.ui, name=plain(name)))
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
