"""What an event of Slack's means to us: pure functions from its JSON to our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.links import find_links
from core.places import Place

Event = Mapping[str, Any]

# A message of one of these subtypes is a person's; the others are Slack's or an app's.
_PEOPLES = (None, "file_share", "thread_broadcast", "me_message")
LOOKING_GLASSES = frozenset({"mag", "mag_right"})
_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^<>]*)?>")
_HELP = frozenset({"", "help", "도움말", "?"})


@dataclass(frozen=True, slots=True)
class Written:
    """Somebody wrote a message, or changed it: then `version` is the change's timestamp."""

    place: Place
    message: str
    by: str
    text: str
    version: str = ""

    @property
    def links(self) -> list[str]:
        return find_links(self.text)


@dataclass(frozen=True, slots=True)
class Erased:
    place: Place
    message: str


def heard(event: Event, workspace: str) -> Written | Erased | None:
    """None for what is no affair of ours: an app's message, Slack's preview of a link, …"""
    subtype = event.get("subtype")
    channel = str(event.get("channel", ""))
    if subtype == "message_deleted":
        return _erased(event.get("previous_message") or {}, channel, workspace, event)
    if subtype != "message_changed":
        return written(event, channel, workspace)
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return _erased(before, channel, workspace, {"deleted_ts": message.get("ts")})
    # Slack's preview is a change, too; a person's changes the text.
    if not message.get("edited") or message.get("text") == before.get("text"):
        return None
    version = str(message["edited"].get("ts", ""))
    return written(message, channel, workspace, version=version)


def written(message: Event, channel: str, workspace: str, *, version: str = "") -> Written | None:
    user, ts = message.get("user"), message.get("ts")
    if message.get("subtype") not in _PEOPLES or message.get("bot_id") or not user or not ts:
        return None
    place = Place("slack", workspace, channel, message.get("thread_ts"))
    return Written(place, str(ts), str(user), str(message.get("text") or ""), version)


def _erased(before: Event, channel: str, workspace: str, told: Event) -> Erased | None:
    ts = told.get("deleted_ts") or before.get("ts")
    if not ts or before.get("bot_id"):
        return None
    return Erased(Place("slack", workspace, channel, before.get("thread_ts")), str(ts))


def is_question(text: str) -> bool:
    """What is left of a mention is more than a call for help."""
    return without_mentions(text).casefold() not in _HELP


def without_mentions(text: str) -> str:
    return _MENTION.sub(" ", text).strip()
