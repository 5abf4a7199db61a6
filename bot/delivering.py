"""Saying each thing once, whatever dies in between: the outbox between workflows and chats.

A message goes out in three short moments: it is claimed, the platform takes it, its name is kept.
Who finds the first without the last looks for the message before sending another; everything after
the first message is an edit of it, which may be repeated.

Two processes may believe that a delivery is theirs (one was taken for dead and was only slow). The
claim, made right before the sending, lets one of them speak; the other one waits until whatever the
first had sent must have arrived, and then looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from bot.chats import Chat, Shown
from core.errors import ChatFailed, ChatRefused, ChatUnavailable, MessageGone
from core.places import Delivery

log = logging.getLogger(__name__)


# Seconds after which a message that was being sent has arrived or never will: longer than any
# adapter waits for the answer to one sending.
SETTLED = timedelta(seconds=20)


class Ledger(Protocol):
    """Where it stands what was said: `core.ports.Deliveries`, or announcements as deliveries."""

    async def get(self, delivery_id: str, /) -> Delivery | None: ...

    async def claim(self, delivery_id: str, by: str, /, *, settled_before: datetime) -> bool: ...

    async def replied(self, delivery_id: str, reply: str, /) -> None: ...


class Outbox:
    """`me` names this process among those that share the deliveries."""

    def __init__(
        self,
        deliveries: Ledger,
        chats: Mapping[str, Chat],
        *,
        me: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._deliveries = deliveries
        self._chats = chats
        self._me = me
        self._now = now

    async def show(self, delivery_id: str, shown: Shown) -> bool:
        """Says it, by a first message or an edit of it. False: it was withdrawn, nobody wants it.

        Raises ChatUnavailable (again later, nothing is doubled), ChatRefused, MessageGone,
        StorageUnavailable.
        """
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or delivery.state == "withdrawn":
            return False
        chat = self._chat(delivery)
        reply = await self._known(delivery, chat)
        if reply is None:
            claim = partial(self._claim, delivery)
            reply = await chat.post(delivery.shared, shown, key=delivery_id, about_to=claim)
            await self._deliveries.replied(delivery_id, reply)
        else:
            await chat.edit(delivery.shared, reply, shown, key=delivery_id)
        return not await self._withdrawn_meanwhile(delivery_id, reply, chat)

    async def take_back(self, delivery_id: str) -> None:
        """What was said of a link is removed, if anything was."""
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None:
            return
        chat = self._chat(delivery)
        reply = await self._known(delivery, chat)
        if reply is not None:
            await self._remove(delivery, reply, chat)

    async def _known(self, delivery: Delivery, chat: Chat) -> str | None:
        """Our message, if there is one: by what we kept, or where that may be behind, by looking."""
        if delivery.reply is not None or delivery.tried_by is None:
            return delivery.reply
        if delivery.tried_by != self._me and delivery.tried_at is not None:
            settled = delivery.tried_at + SETTLED - self._now()
            if settled > timedelta(0):
                raise _elsewhere(delivery, settled.total_seconds())
        found = await chat.find(delivery.shared, delivery.id)
        if found is not None:
            await self._deliveries.replied(delivery.id, found)
        return found

    async def _claim(self, delivery: Delivery) -> None:
        before = self._now() - SETTLED
        if not await self._deliveries.claim(delivery.id, self._me, settled_before=before):
            raise _elsewhere(delivery, 1.0)

    async def _withdrawn_meanwhile(self, delivery_id: str, reply: str, chat: Chat) -> bool:
        """The message may be deleted while we answer it."""
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or delivery.state != "withdrawn":
            return False
        await self._remove(delivery, reply, chat)
        return True

    async def _remove(self, delivery: Delivery, reply: str, chat: Chat) -> None:
        try:
            await chat.remove(delivery.shared, reply)
        except (MessageGone, ChatRefused) as error:
            log.info("the answer of delivery %s cannot be removed: %s", delivery.id, error)

    def _chat(self, delivery: Delivery) -> Chat:
        platform = delivery.shared.place.platform
        chat = self._chats.get(platform)
        if chat is None:
            raise ChatFailed(platform, "this process does not speak with it")
        return chat


def _elsewhere(delivery: Delivery, seconds: float) -> ChatUnavailable:
    platform = delivery.shared.place.platform
    return ChatUnavailable(platform, "another process was saying it", retry_after=seconds)
