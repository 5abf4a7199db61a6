"""The seam between what happens to a link and the chats in which it is told.

A chat adapter (`bot/slack`, `bot/discord`) has a `Chat`: it posts, edits and finds our messages.
What they say is a `Shown`, one of a few values; how it looks is the adapter's affair (`render.py`).

Delivering exactly once: a message carries `key` where the platform lets us look for it (Slack:
message metadata; Discord: the nonce and our own messages). `bot/delivering.py` asks `find`
before it posts what may have been posted before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from starlette.routing import BaseRoute

from core.digest import DigestRecord, Label
from core.errors import DigestError
from core.places import Place, Platform, SharedLink


@dataclass(frozen=True, slots=True)
class Waiting:
    """The link is accepted and being read: the placeholder."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The digest. `known`: it was made before."""

    record: DigestRecord
    known: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """There will be no digest; `bot.replies.sentence(trouble.error, ui)` says why."""

    error: DigestError


@dataclass(frozen=True, slots=True)
class Listed:
    """An article in a morning's list. `sentence`: the first of its summary. `minutes` to read it;
    0: nobody knows any more."""

    title: str
    link: str
    source: str
    score: float
    label: Label
    sentence: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Morning:
    """The daily message: what there is to read on `day`; the digests follow in its thread."""

    subscription_id: str
    day: date
    listed: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class NothingNew:
    """A morning without anything to read, for who wants to hear of it."""

    subscription_id: str
    day: date


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A feed that does not answer any more is not asked any more. `error`: a code of core.errors."""

    subscription_id: str
    title: str
    url: str
    error: str = ""


Answer = Waiting | Ready | Trouble
Unprompted = Morning | NothingNew | GivenUp
Shown = Answer | Unprompted
AboutTo = Callable[[], Awaitable[None]]


async def unasked() -> None:
    """Nobody else would say the same: a message of a test, or one that nobody keeps."""


class Chat(Protocol):
    """One platform's way to say things. All of it may raise ChatUnavailable (try again, after
    `retry_after` seconds where that is known), ChatRefused and MessageGone (do not).

    An adapter paces itself: a call may wait for the channel's turn.
    """

    @property
    def platform(self) -> Platform: ...

    async def post(
        self, shared: SharedLink, shown: Shown, *, key: str, about_to: AboutTo = unasked
    ) -> str:
        """Answers the message with the link, in its thread. Returns the name of our message, in
        the platform's own words; it is all that `edit` and `remove` are given to know it by.

        `about_to` is called right before each sending, behind all waiting for a turn; what it
        raises ends the attempt with nothing sent, and travels on.
        """

    async def edit(self, shared: SharedLink, reply: str, shown: Shown, *, key: str) -> None: ...

    async def find(self, shared: SharedLink, key: str) -> str | None:
        """Our message with this key, if it has arrived."""

    async def remove(self, shared: SharedLink, reply: str) -> None:
        """Takes our message away; one that is gone already is fine."""

    def unprompted(self, at: datetime, key: str) -> str:
        """A `SharedLink.message` for what answers nobody's message: it goes into the channel, and
        is looked for from that moment on."""

    def beneath(self, place: Place, reply: str) -> tuple[Place, str]:
        """Where answers to a message of ours go: the place and the message to share a link in."""


class Surface(Protocol):
    """A chat adapter as a whole, as `bot/serving.py` runs it."""

    @property
    def chat(self) -> Chat: ...

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Addresses that the platform comes to, for the HTTP server; often none."""

    @property
    def ended_by(self) -> str:
        """Why the platform will not have us until somebody changes something, as one sentence;
        "" while it does. The other surfaces go on."""

    async def start(self) -> None:
        """Checks the tokens and connects. Raises SettingsError with what to do when they are
        wrong. Returns when events can come in."""

    async def close(self) -> None:
        """Takes nothing more in; what is being sent is sent."""
