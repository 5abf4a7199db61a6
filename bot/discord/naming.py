"""What our buttons and menus carry, so that they work after any restart, and our messages' names.

A custom id says everything a press needs: what is wanted, of which digest and which delivery.
The delivery's id in it is also how we know our own messages again (`DiscordChat.find`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from discord.utils import time_snowflake

Verb = Literal[
    "terms",
    "questions",
    "details",
    "good",
    "bad",
    "too_easy",
    "too_hard",
    "again",
    "language",
    "hide",
    "set_mode",
    "set_language",
    "set_ui",
    "term",
    "feeds",
    "feed_pause",
    "feed_resume",
    "feed_remove",
]
VERBS: frozenset[str] = frozenset(get_args(Verb))
_PREFIX = "sdd"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press of one of our buttons. `page` counts from 0; None: the button in the channel."""

    verb: Verb
    digest: str = ""
    delivery: str = ""
    page: int | None = None

    @property
    def custom_id(self) -> str:
        """At most 100 characters: 24 of a digest's id, 32 of a delivery's."""
        page = "" if self.page is None else str(self.page)
        return ":".join((_PREFIX, self.verb, self.digest, self.delivery, page))


def pressed(custom_id: str) -> Pressed | None:
    """None for what is not ours, or no longer understood."""
    parts = custom_id.split(":")
    if len(parts) != 5 or parts[0] != _PREFIX or parts[1] not in VERBS:
        return None
    verb = next(one for one in get_args(Verb) if one == parts[1])
    page = int(parts[4]) if parts[4].isascii() and parts[4].isdigit() else None
    return Pressed(verb, parts[2], parts[3], page)


def reply_name(channel_id: int, message_id: int) -> str:
    return f"{channel_id}:{message_id}"


def reply_ids(reply: str) -> tuple[int, int]:
    """The channel (or thread) and the message of one of our messages."""
    channel, _, message = reply.partition(":")
    return int(channel), int(message)


def jump_address(workspace: str, reply: str) -> str:
    channel, message = reply_ids(reply)
    return f"https://discord.com/channels/{workspace}/{channel}/{message}"


# A link given to the command stands in no message. The interaction's id is a snowflake as a
# message's is, so the two must be told apart.
_ASKED = "asked:"


def asked_by(interaction_id: int) -> str:
    return f"{_ASKED}{interaction_id}"


def unprompted(at: datetime) -> str:
    """A name for what answers nobody: as if it had been asked for at that moment."""
    return asked_by(time_snowflake(at))


def message_id(message: str) -> int | None:
    """The id of the message that holds the link; None where a command gave it."""
    return None if message.startswith(_ASKED) else int(message)


def moment_of(message: str) -> int:
    """A snowflake before which no answer can have been sent."""
    return int(message.removeprefix(_ASKED))
