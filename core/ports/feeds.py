"""What is kept of feeds and of those who subscribe to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from core.announcements import Announcement
from core.article import Language
from core.feed import Announced, Entry, Source, SourceKind, Subscription
from core.places import Place


class Feeds(Protocol):
    """Feeds, and what they announced. Raises StorageUnavailable throughout."""

    async def add(
        self,
        url: str,
        *,
        kind: SourceKind = "feed",
        title: str = "",
        site: str = "",
        language: Language | None = None,
    ) -> Source:
        """Due at once. An address that is there already (also as the one it had before it moved)
        gives the source that is there; one that was gone or paused lives again. Raises BadLink."""

    async def get(self, source_id: str) -> Source | None: ...

    async def of(self, source_ids: Sequence[str]) -> list[Source]:
        """In the order of the ids; unknown ones are passed over."""

    async def all(self, limit: int = 1000, *, after: str = "") -> list[Source]:
        """In the order of their ids, from the first one behind `after`."""

    async def pause(self, source_id: str) -> None:
        """Nobody wants it at present: not polled until it is added again."""

    async def remove(self, source_id: str) -> None:
        """With its entries, and out of every subscription."""

    async def due(self, now: datetime, limit: int, *, by: str, lease: float) -> list[Source]:
        """Those whose turn it is, the longest due first, claimed for the process `by`: nobody
        else is given them, nor others of their hosts, until they are polled, released, or
        `lease` seconds are over. Few of one host at a time."""

    async def release(self, by: str) -> None:
        """What a process has claimed and not polled may be claimed by others at once."""

    async def next_due(self) -> datetime | None:
        """When the next unclaimed source is due; None where there is none."""

    async def polled(
        self, source: Source, announced: Sequence[Announced], *, by: str
    ) -> list[Entry]:
        """Keeps the new state and ends the claim. Of what was announced the entries are returned
        that are new by id, link and content, also to every other source; the first time the
        newest few. Nothing is kept where the source is gone or another process has claimed it."""

    async def entries_since(
        self, source_ids: Sequence[str], since: datetime, limit: int
    ) -> list[Entry]:
        """Seen after that moment, the newest first, each identity once. Without those that one of
        these sources had announced before. Digested or not."""

    async def waiting(self, limit: int) -> list[Entry]:
        """Entries without digest and error, the newest first, each link once: to be digested
        ahead of the morning."""

    async def digested(
        self, entry_id: str, *, digest_id: str | None = None, error: str | None = None
    ) -> None:
        """Holds for every entry with the same link. A digest that comes later replaces an error."""

    async def given_up(self, limit: int) -> list[Source]:
        """Gone sources whose subscribers were not told yet."""

    async def told(self, source_id: str) -> None:
        """The subscribers of a gone source know."""


class Subscriptions(Protocol):
    """Who wants a daily digest of what. Raises StorageUnavailable throughout."""

    async def put(self, subscription: Subscription) -> None:
        """Replaces one with the same id; its `created_at` and `secret` stay as they were kept
        first. Its sources must be known (`Feeds`)."""

    async def get(self, subscription_id: str) -> Subscription | None: ...

    async def of(self, place: Place) -> list[Subscription]:
        """Those of a channel, whatever the thread, in the order of their making."""

    async def all(self) -> list[Subscription]: ...

    async def of_secret(self, secret: str) -> Subscription | None:
        """Whose feed has this secret address."""

    async def pause(self, subscription_id: str, paused: bool) -> bool:
        """False where there is none such."""

    async def remove(self, subscription_id: str) -> bool:
        """With all that was announced for it. False where there is none such."""


class Announcements(Protocol):
    """What we say by ourselves, each thing once. Raises StorageUnavailable throughout."""

    async def keep(self, announcement: Announcement) -> Announcement | None:
        """The one that is kept from now on: this one, or one with its id that was there before.
        None where its subscription is gone."""

    async def get(self, announcement_id: str) -> Announcement | None: ...

    async def mornings(
        self, subscription_id: str, limit: int, *, before: date | None = None
    ) -> list[Announcement]:
        """The newest first; those without anything to read included."""

    async def latest(self) -> Mapping[str, date]:
        """The last morning of each subscription that had one."""

    async def posted(self, subscription_id: str) -> frozenset[str]:
        """The keys of every article it was ever told of (`core.announcements.Posted.keys`)."""

    async def known(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these announcements are kept."""

    async def claim(self, announcement_id: str, by: str, *, settled_before: datetime) -> bool:
        """As `Deliveries.claim`."""

    async def replied(self, announcement_id: str, reply: str) -> None: ...
