"""What our buttons and menus carry, so that they work after any restart, and our messages' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from bot.pressing import Press

Verb = Literal[
    "terms", "questions", "too_easy", "too_hard", "good", "bad", "language", "again", "hide"
]
_VERBS: tuple[Verb, ...] = get_args(Verb)

ACTIONS = re.compile(r"^sdd:")
MORE = "sdd:more"
SHARE = "sdd:share"
MANAGE = "sdd:manage"  # its value is a subscription's id

DIGEST_THIS = "digest_this"  # callback ids, as in config/slack-manifest.yaml
HELP = "digest_help"
SETTINGS = "digest_settings"

# By this we know our own messages again (`SlackChat.find`).
DELIVERY_EVENT = "smartdevdigest_delivery"


class Pressed(Press[Verb]):
    __slots__ = ()

    @property
    def action_id(self) -> str:
        return f"sdd:{self.verb}" if self.page is None else f"sdd:{self.verb}:{self.page}"


def pressed(action: Mapping[str, Any]) -> Pressed | None:
    """None for what is not ours, or no longer understood."""
    chosen = action.get("selected_option") or action
    return Pressed.read(str(chosen.get("value", "")), _VERBS)


def reply_name(channel: str, ts: str) -> str:
    return f"{channel}:{ts}"


def reply_parts(reply: str) -> tuple[str, str]:
    """The channel and the timestamp of one of our messages."""
    channel, _, ts = reply.partition(":")
    return channel, ts


# A link given to the command stands in no message: its name says when it was asked for instead.
_ASKED = "asked:"


def asked_at(seconds: float, trigger: str) -> str:
    return f"{_ASKED}{seconds:.6f}:{trigger[-40:]}"


def message_ts(message: str) -> str | None:
    """The timestamp of the message that holds the link; None where a command gave it."""
    return None if message.startswith(_ASKED) else message


def moment_of(message: str) -> float:
    """Seconds since 1970 before which no answer can have been sent."""
    return float(message.removeprefix(_ASKED).partition(":")[0])
