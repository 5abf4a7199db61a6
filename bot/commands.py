"""What people ask of the bot in a chat, in words that no platform owns.

A listener translates a button, a command or a menu into one of these calls, and shows what
comes back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bot.consulting import Consulting
from bot.receiving import Queue, Receiver
from bot.subscribing import Subscribing
from core.digest import DigestRecord
from core.digesting import Digester
from core.places import ChannelProfile, Delivery, Place
from core.ports import Deliveries, Digests, Profiles, Verdict


class Commands:
    # Set where subscriptions are kept (`bot/wiring/`).
    subscribing: Subscribing | None = None

    def __init__(
        self,
        receiver: Receiver,
        digests: Digests,
        deliveries: Deliveries,
        profiles: Profiles,
        digester: Digester,
        consulting: Consulting,
    ) -> None:
        self.consulting = consulting
        self._receiver = receiver
        self._queue: Queue = receiver.queue
        self._digests = digests
        self._deliveries = deliveries
        self._profiles = profiles
        self._digester = digester

    async def record(self, digest_id: str) -> DigestRecord | None:
        return await self._digests.get(digest_id)

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return await self._deliveries.get(delivery_id)

    async def verdict(self, digest_id: str, verdict: Verdict, by: str) -> bool:
        """`by`: platform:workspace:user. False where the digest is gone."""
        return await self._digests.add_verdict(digest_id, verdict, by=by)

    async def questions(self, digest_id: str) -> tuple[str, ...]:
        """Five questions a reader may ask; () where the digest is gone. Kept once made.

        Takes as long as the model does: acknowledge first. Raises EngineFailed with its kin.
        """
        record = await self._digests.get(digest_id)
        if record is None:
            return ()
        if record.details.questions:
            return record.details.questions
        asked = await self._digester.questions(record)
        await self._digests.add_questions(digest_id, asked)
        return asked

    async def recent(
        self, place: Place, limit: int, *, here: bool = False
    ) -> Sequence[DigestRecord]:
        """The newest digests of a workspace, or of one channel of it, each once."""
        channel = place.channel if here else ""
        answered = await self._deliveries.recent(
            place.platform, place.workspace, limit, channel=channel
        )
        ids = dict.fromkeys(one.digest_id for one in answered if one.digest_id)
        found = [await self._digests.get(digest_id) for digest_id in ids]
        return [record for record in found if record is not None]

    async def profile(self, place: Place) -> ChannelProfile:
        return await self._profiles.get(place)

    async def set_profile(self, place: Place, profile: ChannelProfile, by: str) -> None:
        """Who may is for the adapter to know (an administrator, the channel's creator)."""
        await self._profiles.put(place, profile, by=by)

    async def again(self, delivery_id: str, by: str) -> Delivery | None:
        """The same link digested anew, as a further answer. None where the delivery is gone.

        Raises AskedTooOften, as `in_other_language` does: both count as links of this person.
        """
        return await self._once_more(delivery_id, by, again=True)

    async def in_other_language(self, delivery_id: str, by: str) -> Delivery | None:
        """The same link in Korean instead of English or the other way round."""
        return await self._once_more(delivery_id, by, turned=True)

    async def hide(self, delivery_id: str) -> bool:
        """Our answer is taken away. Who may is for the adapter to know."""
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None:
            return False
        await self._queue.take_back([delivery])
        return True

    async def _once_more(
        self, delivery_id: str, by: str, *, again: bool = False, turned: bool = False
    ) -> Delivery | None:
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None:
            return None
        shared = delivery.shared
        language = shared.language
        if turned:
            record = await self._digests.get(delivery.digest_id) if delivery.digest_id else None
            shown = record.details.language if record else shared.ui
            language = "en" if shown == "ko" else "ko"
        return await self._receiver.once_more(
            replace(shared, by=by, language=language, again=again, nonce=secrets.token_hex(4))
        )
