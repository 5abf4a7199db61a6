"""Each limit of components, once kept and once broken, sent by discord.py's own HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.discord_clients import Desk, a_desk, errors_at, request
from support.discord_entities import COMPONENTS_V2, Json


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as desk:
        yield desk


def button(**more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "b", "custom_id": "b", **more}


def link(url: str) -> Json:
    return {"type": 2, "style": 5, "label": "open", "url": url}


def row(*children: Json) -> Json:
    return {"type": 1, "components": list(children)}


def rows(*children: Json) -> Json:
    return {"content": "c", "components": [row(*children)]}


def select(count: int = 1, /, **more: Any) -> Json:
    texts = [{"label": f"o{number}", "value": str(number)} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": texts} | more


def option(**more: Any) -> Json:
    return select(0, options=[{"label": "l", "value": "v", **more}])


def words(content: str = "t") -> Json:
    return {"type": 10, "content": content}


def section(texts: int = 1, **more: Any) -> Json:
    return {"type": 9, "components": [words()] * texts, "accessory": button(), **more}


def layout(*components: Json) -> Json:
    return {"flags": COMPONENTS_V2, "components": list(components)}


def container(*children: Json, **more: Any) -> Json:
    return {"type": 17, "components": list(children), **more}


def embed(**fields: Any) -> Json:
    return {"embeds": [fields]}


LONG, SHORT, BETWEEN = "BASE_TYPE_MAX_LENGTH", "BASE_TYPE_REQUIRED", "BASE_TYPE_BAD_LENGTH"
KINDS, SCHEME = "BASE_TYPE_CHOICES", "URL_TYPE_INVALID_SCHEME"
WEB = "https://example.org/"

COMPONENTS: list[tuple[str, Json, Json, str, str]] = [
    (
        "custom_id",
        rows(button(custom_id="c" * 100)),
        rows(button(custom_id="c" * 101)),
        "components.0.components.0.custom_id",
        BETWEEN,
    ),
    (
        "empty custom_id",
        rows(button(custom_id="c")),
        rows(button(custom_id="")),
        "components.0.components.0.custom_id",
        SHORT,
    ),
    (
        "custom_id once",
        rows(button(custom_id="1"), button(custom_id="2")),
        rows(button(), button()),
        "components.0.components.1.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        "label",
        rows(button(label="l" * 80)),
        rows(button(label="l" * 81)),
        "components.0.components.0.label",
        LONG,
    ),
    (
        "a face",
        rows(button(label=None, emoji={"id": None, "name": "🔍"})),
        rows(button(label=None)),
        "components.0.components.0",
        "COMPONENT_BUTTON_LABEL_OR_EMOJI_REQUIRED",
    ),
    (
        "link",
        rows(link(WEB + "a" * 492)),
        rows(link(WEB + "a" * 493)),
        "components.0.components.0.url",
        BETWEEN,
    ),
    (
        "link's scheme",
        rows(link("http://example.org")),
        rows(link("javascript:alert(1)")),
        "components.0.components.0.url",
        SCHEME,
    ),
    (
        "link or custom_id",
        rows(link(WEB)),
        rows({**link(WEB), "custom_id": "c"}),
        "components.0.components.0.custom_id",
        "COMPONENT_CUSTOM_ID_AND_URL_MUTUALLY_EXCLUSIVE",
    ),
    (
        "buttons in a row",
        rows(*[button(custom_id=str(n)) for n in range(5)]),
        rows(*[button(custom_id=str(n)) for n in range(6)]),
        "components.0.components",
        BETWEEN,
    ),
    (
        "select alone",
        rows(select()),
        rows(select(), button()),
        "components.0.components",
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    (
        "rows",
        {"content": "c", "components": [row(button(custom_id=str(n))) for n in range(5)]},
        {"content": "c", "components": [row(button(custom_id=str(n))) for n in range(6)]},
        "components",
        LONG,
    ),
    (
        "options",
        rows(select(25)),
        rows(select(26)),
        "components.0.components.0.options",
        BETWEEN,
    ),
    *[
        (
            f"option {part}",
            rows(option(**{part: "o" * 100})),
            rows(option(**{part: "o" * 101})),
            f"components.0.components.0.options.0.{part}",
            LONG if part == "description" else BETWEEN,
        )
        for part in ("label", "value", "description")
    ],
    (
        "option values once",
        rows(select(2)),
        rows(select(0, options=[{"label": "a", "value": "v"}, {"label": "b", "value": "v"}])),
        "components.0.components.0.options.1.value",
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    (
        "placeholder",
        rows(select(placeholder="p" * 150)),
        rows(select(placeholder="p" * 151)),
        "components.0.components.0.placeholder",
        LONG,
    ),
    (
        "max_values",
        rows(select(2, max_values=2)),
        rows(select(2, max_values=3)),
        "components.0.components.0.max_values",
        "COMPONENT_MAX_VALUES_EXCEEDED",
    ),
    (
        "texts only in layouts",
        layout(words()),
        {"components": [words()]},
        "components.0.type",
        KINDS,
    ),
    ("button in a row", layout(row(button())), layout(button()), "components.0.type", KINDS),
    (
        "40 components",
        layout(container(*[words()] * 39)),
        layout(container(*[words()] * 20), container(*[words()] * 19)),
        "components",
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    (
        "texts together",
        layout(words("a" * 2000), words("b" * 2000)),
        layout(words("a" * 2000), words("b" * 2001)),
        "components",
        "COMPONENT_MAX_TOTAL_TEXT_LENGTH_EXCEEDED",
    ),
    ("empty text", layout(words("t")), layout(words("")), "components.0.content", SHORT),
    ("section", layout(section(3)), layout(section(4)), "components.0.components", BETWEEN),
    (
        "accessory",
        layout(section()),
        layout(section(accessory=None)),
        "components.0.accessory",
        SHORT,
    ),
    (
        "accessory's kind",
        layout(section(accessory={"type": 11, "media": {"url": WEB}})),
        layout(section(accessory=select())),
        "components.0.accessory.type",
        KINDS,
    ),
    (
        "container's children",
        layout(container(words())),
        layout(container(container(words()))),
        "components.0.components.0.type",
        KINDS,
    ),
    (
        "container's colour",
        layout(container(words(), accent_color=0xFFFFFF)),
        layout(container(words(), accent_color=0x1000000)),
        "components.0.accent_color",
        "NUMBER_TYPE_MAX",
    ),
    (
        "separator",
        layout(words(), {"type": 14, "divider": True, "spacing": 2}),
        layout(words(), {"type": 14, "divider": True, "spacing": 3}),
        "components.1.spacing",
        KINDS,
    ),
    (
        "no content in layouts",
        layout(words()),
        {**layout(words()), "content": "c"},
        "content",
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        "no embeds in layouts",
        layout(words()),
        {**layout(words()), **embed(title="t")},
        "embeds",
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
]


@pytest.mark.parametrize(
    ("kept", "broken", "path", "code"),
    [case[1:] for case in COMPONENTS],
    ids=[case[0] for case in COMPONENTS],
)
async def test_a_component_on_the_limit_is_taken_and_one_beyond_it_refused(
    desk: Desk, kept: Json, broken: Json, path: str, code: str
) -> None:
    await desk.post(kept)
    with pytest.raises(discord.HTTPException) as refused:
        await desk.post(broken)
    assert code in errors_at(refused.value, desk.server, path)
    assert len(desk.server.messages(desk.channel)) == 1


async def test_a_layout_stays_a_layout(desk: Desk) -> None:
    posted = await desk.post(layout(words()))
    path = f"/channels/{desk.channel.id}/messages/{posted['id']}"
    await request(desk.client, "PATCH", path, {"components": [words("changed")]})
    for undoing in ({"flags": 0, "content": "plain", "components": []}, {"content": "plain"}):
        with pytest.raises(discord.HTTPException) as refused:
            await request(desk.client, "PATCH", path, undoing)
        assert refused.value.code == 50035
