"""What is kept of chats, and of the processes that serve them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.places import (
    ChannelProfile,
    Delivery,
    Erased,
    Place,
    Platform,
    Process,
    Scope,
    SharedLink,
    Workspace,
)


class Deliveries(Protocol):
    """Shared links, each accepted once and answered once. Raises StorageUnavailable throughout."""

    async def accept(self, shared: SharedLink) -> tuple[Delivery, bool]:
        """Keeps it durably before it returns; False beside one that was accepted before.

        Gives it its `turn`, by start-time fair queueing: one after the channel's last waiting
        link, never before the lowest that waits anywhere. Raises BadLink.
        """

    async def get(self, delivery_id: str) -> Delivery | None: ...

    async def claim(self, delivery_id: str, by: str, *, settled_before: datetime) -> bool:
        """This process is about to send a first message: from here on one may be out there.

        False, and nothing is changed, where one has arrived already, the link is withdrawn, or
        another process claimed it later than `settled_before`: its message may be on its way.
        """

    async def replied(self, delivery_id: str, reply: str) -> None:
        """Our message has arrived, and this is its name."""

    async def answered(self, delivery_id: str, digest_id: str) -> None: ...

    async def failed(self, delivery_id: str, error: str, reason: str = "") -> None: ...

    async def withdraw(
        self, place: Place, message: str, *, keep: Sequence[str] = ()
    ) -> list[Delivery]:
        """The message was deleted, or edited so that only the links in `keep` are left in it.

        Its other deliveries become withdrawn (the answered ones too) and are returned.
        """

    async def of_reply(self, place: Place, reply: str) -> Delivery | None:
        """Whose answer a message of ours is."""

    async def of_message(self, place: Place, message: str) -> list[Delivery]: ...

    async def unanswered(
        self, accepted_before: datetime, limit: int, *, after: str = ""
    ) -> list[Delivery]:
        """Still waiting, in the order of their ids, from the first one behind `after`: a page of
        all those that nobody may be working on."""

    async def waiting(self) -> int:
        """How many are accepted and not answered yet, in all places."""

    async def count(
        self,
        platform: Platform,
        workspace: str,
        since: datetime,
        *,
        by: str = "",
        channel: str = "",
    ) -> int:
        """Links accepted since then from a person or in a channel (exactly one is given)."""

    async def recent(
        self, platform: Platform, workspace: str, limit: int, *, channel: str = ""
    ) -> list[Delivery]:
        """Answered ones, the newest first."""

    async def seen(self, platform: Platform, workspace: str, event: str) -> bool:
        """Whether this event of the platform came before; remembers it durably if not."""


class Profiles(Protocol):
    """What each channel wants."""

    async def get(self, place: Place) -> ChannelProfile:
        """The default profile where none was set."""

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None: ...


class Workspaces(Protocol):
    """Who has installed the bot."""

    async def put(self, workspace: Workspace) -> None: ...

    async def get(self, platform: Platform, workspace_id: str) -> Workspace | None: ...

    async def all(self, platform: Platform) -> list[Workspace]: ...


class Processes(Protocol):
    """Signs of life of the processes that share the work."""

    async def beat(self, process: Process) -> None:
        """It lives now."""

    async def retire(self, process_id: str) -> None:
        """It has stopped by itself: dead from now on, without waiting for its lease."""

    async def dead(self, lease: float) -> list[str]:
        """Ids of those that have been silent for so many seconds, or have retired."""

    async def all(self) -> list[Process]: ...

    async def forget(self, process_id: str) -> None: ...


class Erasing(Protocol):
    """Everything of a person, a channel or a workspace, whichever table it stands in."""

    async def look(self, scope: Scope) -> Erased:
        """What `erase` would delete; nothing is changed."""

    async def erase(self, scope: Scope) -> Erased:
        """Whole or not at all. What others shared as well stays."""
