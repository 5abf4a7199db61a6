"""What our buttons and menus carry, so that they work after any restart, and our messages' names.

A custom id says everything a press needs: what is wanted, of which digest and which delivery.
The delivery's id in it is also how we know our own messages again (`DiscordChat.find`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from discord.utils import time_snowflake

from bot.pressing import Press

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
_VERBS: tuple[Verb, ...] = get_args(Verb)
_PREFIX = "sdd:"


class Pressed(Press[Verb]):
    __slots__ = ()

    @property
    def custom_id(self) -> str:
        """Discord takes 100 characters."""
        return f"{_PREFIX}{self.value}"


def pressed(custom_id: str) -> Pressed | None:
    """None for what is not ours, or no longer understood."""
    if not custom_id.startswith(_PREFIX):
        return None
    return Pressed.read(custom_id.removeprefix(_PREFIX), _VERBS)


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
