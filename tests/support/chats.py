"""A chat in memory with the manners of a real one: slow, forgetful of answers, strict.

Whatever is posted stays posted, also when the caller never hears of it. `messages` is what
people see; a test judges by it and by nothing that the bot believes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.chats import AboutTo, Ready, Shown, Trouble, Waiting, unasked
from core.errors import DigestError, MessageGone
from core.places import Place, Platform, SharedLink


@dataclass
class Message:
    """One message of ours: whose answer it is, and all it ever said, the last is what stands."""

    shared: SharedLink
    key: str
    said: list[Shown] = field(default_factory=list)

    @property
    def stands(self) -> Shown:
        return self.said[-1]


class FakeChat:
    """`faults` are taken in turn, one a write: an error to raise before anything happened, or
    one to raise after it did (`Lost`)."""

    def __init__(self, platform: Platform = "slack") -> None:
        self.platform: Platform = platform
        self.messages: dict[str, Message] = {}
        self.removed: dict[str, Message] = {}
        self.faults: deque[DigestError | Lost] = deque()
        self.looked: list[str] = []
        self._changed = asyncio.Event()

    async def post(
        self, shared: SharedLink, shown: Shown, *, key: str, about_to: AboutTo = unasked
    ) -> str:
        await about_to()
        fault = self._fault()
        name = f"{shared.place.channel}:{len(self.messages) + len(self.removed) + 1}"
        self.messages[name] = Message(shared, key, [shown])
        self._tell()
        if fault is not None:
            raise fault
        return name

    async def edit(self, shared: SharedLink, reply: str, shown: Shown, *, key: str) -> None:
        fault = self._fault()
        if reply not in self.messages:
            raise MessageGone(reply)
        message = self.messages[reply]
        assert (message.shared, message.key) == (shared, key), "another link's message"
        message.said.append(shown)
        self._tell()
        if fault is not None:
            raise fault

    async def find(self, shared: SharedLink, key: str) -> str | None:
        self.looked.append(key)
        return next((name for name, one in self.messages.items() if one.key == key), None)

    async def remove(self, shared: SharedLink, reply: str) -> None:
        if reply in self.messages:
            self.removed[reply] = self.messages.pop(reply)
            self._tell()

    def unprompted(self, at: datetime, key: str) -> str:
        return f"asked:{at.timestamp()}:{key}"

    def beneath(self, place: Place, reply: str) -> tuple[Place, str]:
        assert reply in self.messages, "an answer to a message that is not there"
        return replace(place, thread=reply), reply

    # --- for tests

    def answers(self, kind: type[Waiting] | type[Ready] | type[Trouble]) -> list[Message]:
        return [message for message in self.messages.values() if isinstance(message.stands, kind)]

    async def until(self, it_is_so: Callable[[], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not it_is_so():
                self._changed.clear()
                await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()

    def _fault(self) -> DigestError | None:
        """Raises what happens before the write; gives what happens after it."""
        if not self.faults:
            return None
        fault = self.faults.popleft()
        if isinstance(fault, Lost):
            return fault.error
        raise fault


@dataclass(frozen=True)
class Lost:
    """The write was done, its answer never came."""

    error: DigestError
