"""Telling people, once, which permission is missing: in private, as the channel is closed to us."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord

from bot.discord.words import permission, say
from core.article import Language
from core.places import SharedLink

log = logging.getLogger(__name__)
_REMEMBERED = 1000


class Refusals:
    """Who shared a link hears of it, once for each channel and set of permissions, as long as
    the process lives; the log of the service hears of it as often."""

    def __init__(self) -> None:
        self._told: set[tuple[str, tuple[str, ...]]] = set()

    async def tell(
        self, client: discord.Client, shared: SharedLink, names: Sequence[str], channel: str
    ) -> None:
        mark = (shared.place.channel, tuple(names))
        if mark in self._told:
            return
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told.add(mark)
        log.warning("no answer in channel %s: missing %s", shared.place.channel, ", ".join(names))
        text = refusal(names, channel, shared.ui)
        try:
            user = client.get_user(int(shared.by)) or await client.fetch_user(int(shared.by))
            await user.send(text, allowed_mentions=discord.AllowedMentions.none())
        except (discord.HTTPException, OSError, ValueError):
            log.info("and who shared the link does not take direct messages")


def refusal(names: Sequence[str], channel: str, ui: Language) -> str:
    named = ", ".join(permission(name, ui) for name in names)
    return say("missing", ui, channel=channel, names=named)
