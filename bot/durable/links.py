"""The way of a link: read, digested, shown; each arrow in `workflows.py` is a step here."""

from __future__ import annotations

import logging
from typing import Protocol

from bot.chats import Ready, Shown, Trouble, Waiting
from bot.delivering import Outbox
from bot.durable.steps import Plain, Steps
from bot.making import Maker
from core.errors import ChatFailed, DigestError, as_plain, from_plain
from core.ports import Deliveries
from core.settings import OutputLanguage

log = logging.getLogger(__name__)


class Make(Protocol):
    async def __call__(self, text: str, language: OutputLanguage, nonce: str, turn: int) -> str:
        """The id of the digest of a kept text; who wants the same at the same time shares it."""


def making_of(text: str) -> str:
    """The name of a digest's making in the log: several links may wait for one."""
    return text[:16]


class LinkWork:
    def __init__(
        self, steps: Steps, deliveries: Deliveries, maker: Maker, outbox: Outbox, make: Make
    ) -> None:
        self._steps = steps
        self._deliveries = deliveries
        self._maker = maker
        self._outbox = outbox
        self._make = make

    async def digest(self, delivery_id: str) -> None:
        try:
            await self._answered(delivery_id)
        except ChatFailed as error:
            await self._closed(delivery_id, error)

    async def _answered(self, delivery_id: str) -> None:
        try:
            await self._answer(delivery_id)
        except ChatFailed:
            raise
        except DigestError as error:
            await self._steps.say("show", delivery_id, self._show_trouble, as_plain(error))
        except Exception:
            log.exception("delivery %s: a surprise", delivery_id)
            surprise = as_plain(DigestError("digest"))
            await self._steps.say("show", delivery_id, self._show_trouble, surprise)

    async def _answer(self, delivery_id: str) -> None:
        wanted = await self._steps.take("look", self._look, delivery_id)
        if wanted is None:
            return
        known = await self._steps.take("known", self.known, wanted)
        if known is None:
            await self._steps.say("say", delivery_id, self._say_waiting)
            known = {"digest": await self.made(wanted), "known": False}
        await self._steps.say("show", delivery_id, self.show_digest, known)

    async def made(self, wanted: Plain) -> str:
        """The id of the digest, after as many attempts as its troubles deserve."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(wanted)
            except DigestError as error:
                await self._steps.wait_after(error, attempt)

    async def _attempt(self, wanted: Plain) -> str:
        text = await self._read(wanted)
        log.info("read; its digest is request %s", making_of(text))
        return await self._make(text, wanted["language"], wanted["nonce"], wanted["turn"])

    async def _read(self, wanted: Plain) -> str:
        """The content hash of the article, which is then kept."""
        # One at a time for a link within this process: who comes second finds it read.
        async with self._maker.reading(wanted["link"]):
            found = await self._steps.take(
                "recall", self._maker.recall, wanted["link"], wanted["nonce"]
            )
            if found is not None:
                return str(found)
            page = await self._steps.take("fetch", self._maker.fetch, wanted["link"])
            return str(await self._steps.take("extract", self._maker.extract, wanted["link"], page))

    async def make(self, text: str, language: OutputLanguage, again: bool) -> Plain:
        try:
            record = await self._steps.take("digest", self._maker.digest, text, language, again)
            kept = await self._steps.take("keep", self._maker.keep, text, record)
            log.info("made and kept as digest %s", kept)
            return {"value": kept}
        except DigestError as error:
            # An outcome, not an exception: whoever waits for it decides what follows.
            return {"error": as_plain(error)}

    async def take_back(self, delivery_id: str) -> None:
        try:
            await self._steps.say("remove", delivery_id, self._outbox.take_back)
        except ChatFailed as error:
            log.warning("the answer of delivery %s stays: %s", delivery_id, error)

    async def show(self, delivery_id: str, digest_id: str) -> None:
        """A digest that is made already."""
        found = {"digest": digest_id, "known": False}
        try:
            await self._steps.say("show", delivery_id, self.show_digest, found)
        except ChatFailed as error:
            await self._closed(delivery_id, error)

    async def _closed(self, delivery_id: str, error: ChatFailed) -> None:
        """Nothing can be said there any more; that it was tried is all there is to keep."""
        log.warning("delivery %s cannot be answered: %s", delivery_id, error)
        await self._steps.take("fail", self.fail, delivery_id, as_plain(error))

    # --- the steps

    async def _look(self, delivery_id: str) -> Plain | None:
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or delivery.state != "waiting":
            return None
        shared = delivery.shared
        return {
            "link": delivery.canonical,
            "language": shared.language,
            "nonce": shared.nonce if shared.again else "",
            "turn": delivery.turn,
        }

    async def known(self, wanted: Plain) -> Plain | None:
        if wanted["nonce"]:
            return None
        found = await self._maker.known(wanted["link"], wanted["language"])
        return None if found is None else {"digest": found, "known": True}

    async def _say_waiting(self, delivery_id: str) -> None:
        await self._outbox.show(delivery_id, Waiting())

    async def show_digest(self, delivery_id: str, found: Plain) -> None:
        record = await self._maker.record(found["digest"])
        if record is None:  # erased between its making and now
            return
        shown: Shown = Ready(record, known=found["known"])
        if await self._outbox.show(delivery_id, shown):
            await self._deliveries.answered(delivery_id, record.id)
            log.info("answered with digest %s", record.id)

    async def _show_trouble(self, delivery_id: str, error: Plain) -> None:
        if await self._outbox.show(delivery_id, Trouble(from_plain(error))):
            await self.fail(delivery_id, error)
            log.info("answered with trouble: %s", error["code"])

    async def fail(self, delivery_id: str, error: Plain) -> None:
        await self._deliveries.failed(delivery_id, error["code"], error["reason"])
