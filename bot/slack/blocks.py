"""The few shapes of Block Kit that we use. Everything foreign goes into rich text: it is literal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.slack.naming import Pressed

Json = dict[str, Any]
Blocks = list[Json]


def text(words: str, *, bold: bool = False) -> Json:
    """Nothing is in italics: Korean letters have none, and slanted they are hard to read."""
    style = {"style": {"bold": True}} if bold else {}
    return {"type": "text", "text": words, **style}


def link(url: str, words: str, *, bold: bool = False) -> Json:
    style = {"style": {"bold": True}} if bold else {}
    return {"type": "link", "url": url, "text": words, **style}


def line(*elements: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(lines: Iterable[Json]) -> Json:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def rich(*parts: Json) -> Json:
    return {"type": "rich_text", "elements": list(parts)}


def section(ours: str) -> Json:
    """A sentence of ours, with Slack's markup; `verbatim`, so that no word of it links by itself."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": ours, "verbatim": True}}


def small(words: str) -> Json:
    """A small grey line; nothing in it is read as anything but text."""
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": words, "emoji": False}],
    }


def plain_text(words: str) -> Json:
    return {"type": "plain_text", "text": words, "emoji": True}


def button(action_id: str, label: str, value: str, *, spoken: str = "") -> Json:
    """`spoken`: what a screen reader says instead of an emoji."""
    made: Json = {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(label),
        "value": value,
    }
    return {**made, "accessibility_label": spoken} if spoken else made


def press(named: Pressed, label: str, *, spoken: str = "") -> Json:
    return button(named.action_id, label, named.value, spoken=spoken)


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Json:
    """Options as (label, value)."""
    return {
        "type": "overflow",
        "action_id": action_id,
        "options": [{"text": plain_text(label), "value": value} for label, value in options],
    }


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def foreign_option(words: str, value: str, description: str) -> Json:
    """In words that are not ours: nothing in them becomes an emoji."""
    said = {"type": "plain_text", "text": words, "emoji": False}
    below = {"type": "plain_text", "text": description, "emoji": False}
    return {"text": said, "value": value, "description": below}


def search(action_id: str, chosen: Sequence[Json], placeholder: str) -> Json:
    """Several options of a list too long to be sent along: Slack asks for them, from the first
    letter on and before it."""
    made: Json = {
        "type": "multi_external_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder),
        "min_query_length": 0,
    }
    return {**made, "initial_options": list(chosen)} if chosen else made


def select(action_id: str, options: Sequence[tuple[str, str]], chosen: str) -> Json:
    offered = [{"text": plain_text(label), "value": value} for label, value in options]
    initial = next(one for one in offered if one["value"] == chosen)
    return {
        "type": "static_select",
        "action_id": action_id,
        "options": offered,
        "initial_option": initial,
    }
