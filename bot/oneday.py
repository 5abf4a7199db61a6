"""A morning made at once, watched by one person: what the service spreads over the night."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.daily import Daily
from bot.making import Maker
from bot.polling import Poller
from bot.subscribing import Subscribing
from core.errors import DigestError, StorageUnavailable
from core.feed import Entry, Subscription
from core.settings import OutputLanguage

log = logging.getLogger(__name__)
MOST = 30  # of the newest entries; the others would let somebody wait for an hour


@dataclass(frozen=True)
class OneDay:
    subscribing: Subscribing
    daily: Daily
    poller: Poller
    maker: Maker

    async def prepare(self, subscription: Subscription) -> None:
        """Digests what its feeds announced. Raises StorageUnavailable."""
        new = [
            one
            for one in await self.daily.entries(subscription)
            if not one.digest_id and not one.error
        ]
        for entry in new[:MOST]:
            await self._digest(entry, "auto")
        for entry in (await self.daily.undigested(subscription))[:MOST]:
            await self._digest(entry, subscription.language)

    async def _digest(self, entry: Entry, language: OutputLanguage) -> None:
        try:
            made = await self._made(entry.link, language)
        except StorageUnavailable:
            raise
        except DigestError as error:
            log.info("%s has no digest: %s", entry.link, error)
            if language == "auto":
                await self.daily.not_digested(entry.id, error.code)
            return
        if language == "auto":
            await self.daily.digested(entry.id, made)

    async def _made(self, link: str, language: OutputLanguage) -> str:
        text = await self.maker.recall(link, "")
        if text is None:
            text = await self.maker.extract(link, await self.maker.fetch(link))
        return await self.maker.keep(text, await self.maker.digest(text, language, False))
