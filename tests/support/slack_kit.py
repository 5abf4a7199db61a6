"""Small pieces of Block Kit, as right as they can be, for tests that make one thing wrong."""

from __future__ import annotations

from typing import Any

from support.slack_world import Json


def words(text: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": text}


def marked(text: str) -> Json:
    return words(text, "mrkdwn")


def section(**more: Any) -> list[Json]:
    return [{"type": "section", **({"text": marked("a")} if not more else {}), **more}]


def button(**more: Any) -> Json:
    return {"type": "button", "text": words("a"), "action_id": "go", **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def options(count: int, **more: Any) -> list[Json]:
    return [{"text": words(f"o{n}"), "value": f"v{n}", **more} for n in range(count)]


def overflow(choices: list[Json]) -> Json:
    return {"type": "overflow", "action_id": "more", "options": choices}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": options(2), **more}


def radio(count: int) -> Json:
    return {"type": "radio_buttons", "action_id": "one", "options": options(count)}


def picture(**more: Any) -> Json:
    return {"type": "image", "image_url": "https://a.example/b.png", "alt_text": "a", **more}


def table(rows: int, columns: int) -> list[Json]:
    row = [{"type": "raw_text", "text": "a"}] * columns
    return [{"type": "table", "rows": [row] * rows}]


def letters(count: int) -> str:
    return "a" * count
