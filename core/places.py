"""Where people are when they share a link, and what their channel wants.

A **place** is a platform, a workspace, a channel and a thread; a **shared link** is a link with
its place, its message and its person. What follows from a shared link is a **delivery**: it is
accepted once, and answered once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.article import Language
from core.links import canonical
from core.settings import OutputLanguage

# local: this machine itself, its page and its command line. Nobody posts there; it is looked at.
Platform = Literal["slack", "discord", "local"]
Mode = Literal["auto", "ask", "off"]
DeliveryState = Literal["waiting", "answered", "failed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Place:
    """`workspace`: a Slack team or a Discord guild (`@me`: direct messages).

    `thread` is where an answer belongs within the channel, in the platform's own words (Slack:
    the thread's timestamp; Discord: the thread's id); None where the adapter has to open one.
    """

    platform: Platform
    workspace: str
    channel: str
    thread: str | None = None


DAILY = "daily:"  # a nonce that begins so belongs to a morning, whose date stands behind it
HERE = Place("local", "@local", "page")


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link as somebody wrote it, and the message in which they did.

    `language` is wanted of the digest, `ui` of the words around it. `nonce` is empty but where
    a person asked for the digest once more ("again", "in the other language"): it makes another
    delivery of the same link in the same message. `again` then digests anew instead of
    showing what is kept.
    """

    link: str
    place: Place
    message: str
    by: str
    language: OutputLanguage = "auto"
    ui: Language = "en"
    nonce: str = ""
    again: bool = False

    @property
    def key(self) -> str:
        """32 hex digits, the same for the same link in the same message, however it is written.

        Names the delivery and its workflow; nothing of the place or person can be read off it.
        Raises BadLink.
        """
        place = self.place
        parts = (
            place.platform,
            place.workspace,
            place.channel,
            self.message,
            canonical(self.link),
            self.nonce,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A shared link on its way to an answer, or there.

    `turn` orders the waiting ones so that channels share fairly (lower goes first). `reply` is
    our message in the platform's own words, once it is known. `tried_by`, `tried_at`: the process that was about to send a first message,
    and when; it may be out there although we never heard of its arrival.
    `digest_id` or `error` (a code of core.errors, with `reason`) is how it ended.
    """

    id: str
    shared: SharedLink
    canonical: str
    state: DeliveryState
    turn: int
    accepted_at: datetime
    reply: str | None = None
    tried_by: str | None = None
    tried_at: datetime | None = None
    digest_id: str | None = None
    error: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChannelProfile:
    """What a channel wants of links shared in it.

    `mode`: digest each link (auto), on request (ask), never (off). `language` of digests;
    `ui` None: each person's own.
    """

    mode: Mode = "auto"
    language: OutputLanguage = "auto"
    ui: Language | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """A team or guild that installed the bot. `training`: verdicts given there may train models."""

    platform: Platform
    id: str
    name: str = ""
    training: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A process at work. `born` is its creation time in seconds since 1970, as the system keeps
    it: with host and pid it tells whether it still lives. `kind`: "bot" or "worker"."""

    id: str
    host: str
    pid: int
    born: float
    kind: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose traces are meant: those of a `user`, of a `channel`, or with neither those of the
    whole workspace."""

    platform: Platform
    workspace: str
    channel: str = ""
    user: str = ""

    def __post_init__(self) -> None:
        if self.channel and self.user:
            raise ValueError("either a channel or a user")
        if not self.workspace:
            raise ValueError("a workspace is needed")


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone: rows by table (in a user's case also those that only forgot the name), and
    the ids of the deliveries among them, whose workflows are to go too."""

    rows: Mapping[str, int]
    deliveries: tuple[str, ...] = ()
