"""What comes by itself: mornings, entries digested ahead of them, feeds that were given up."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from bot.daily import Daily
from bot.durable.links import LinkWork
from bot.durable.steps import Steps
from bot.making import Maker
from core.errors import ChatFailed, DigestError
from core.settings import OutputLanguage

log = logging.getLogger(__name__)

# What nobody waits for is behind everybody's links, whatever their turns.
LAST = 2_000_000_000
# A morning waits so often and so long for feeds that are being asked and articles being digested.
_LOOKS, _LOOK_SECONDS = 40, 30.0

ShowLater = Callable[[str, str, str], Awaitable[None]]


class MorningWork:
    """`show_later` takes a platform, a delivery's id and a digest's."""

    def __init__(
        self, steps: Steps, links: LinkWork, maker: Maker, daily: Daily, show_later: ShowLater
    ) -> None:
        self._steps = steps
        self._links = links
        self._maker = maker
        self._daily = daily
        self._show_later = show_later

    async def morning(self, subscription_id: str, day: str) -> None:
        for _ in range(_LOOKS):
            if await self._steps.take("ready", self._daily.ready, subscription_id):
                break
            await self._steps.sleep(_LOOK_SECONDS)
        made = await self._steps.take("choose", self._daily.choose, subscription_id, day)
        if made is None or not made["said"] or not await self._announced(made["id"]):
            return
        for number in range(made["count"]):
            shared = await self._steps.take("accept", self._daily.accept, made["id"], number)
            if shared is not None:
                await self._show_later(shared["platform"], shared["delivery"], shared["digest"])

    async def tell_gone(self, subscription_id: str, source_id: str) -> None:
        made = await self._steps.take("give up", self._daily.give_up, subscription_id, source_id)
        if made is not None and made["said"]:
            await self._announced(made["id"])

    async def _announced(self, announcement_id: str) -> bool:
        try:
            await self._steps.say("announce", announcement_id, self._daily.say)
        except ChatFailed as error:
            log.warning("announcement %s cannot be made: %s", announcement_id, error)
            return False
        return True

    async def digest_entry(self, entry_id: str, link: str, language: OutputLanguage) -> None:
        wanted = {"link": link, "language": language, "nonce": "", "turn": LAST}
        made = error = ""
        try:
            known = await self._steps.take("known", self._links.known, wanted)
            if known is None:
                # One of a site at a time: nobody is in a hurry.
                async with self._maker.reading(f"entries of {urlsplit(link).hostname}"):
                    made = await self._links.made(wanted)
            else:
                made = str(known["digest"])
        except DigestError as trouble:
            log.info("entry %s has no digest: %s", entry_id, trouble)
            error = trouble.code
        except Exception:
            log.exception("entry %s: a surprise", entry_id)
            error = DigestError.code
        if language != "auto":
            return  # it is found by its article
        if error:
            await self._steps.take("note", self._daily.not_digested, entry_id, error)
        else:
            await self._steps.take("note", self._daily.digested, entry_id, made)
