"""Each limit of Discord's, once kept and once broken, sent by discord.py's own HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from support.discord_clients import logged_in, request
from support.discord_entities import COMPONENTS_V2, Channel, Json
from support.discord_server import DiscordServer, discord_server


@dataclass
class Desk:
    """A client that is logged in, and a channel to post to."""

    server: DiscordServer
    client: discord.Client
    channel: Channel

    async def post(self, form: Json) -> Json:
        path = f"/channels/{self.channel.id}/messages"
        answer: Json = await request(self.client, "POST", path, form)
        return answer

    async def sync(self, commands: list[Json]) -> Any:
        path = f"/applications/{self.server.bot.id}/commands"
        return await request(self.client, "PUT", path, commands)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_server() as server, logged_in(server) as client:
        server.limits.enabled = False
        yield Desk(server, client, server.guild("G").text_channel("articles"))


def errors_at(refused: discord.HTTPException, server: DiscordServer, path: str) -> list[str]:
    """The codes under `path` (`embeds.0.title`) in the answer as it was sent."""
    assert (refused.status, refused.code) == (400, 50035)
    node = server.calls()[-1].answer["errors"]
    for step in path.split(".") if path else []:
        node = node[step]
    return [mistake["code"] for mistake in node["_errors"]]


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


def field(name: str = "n", value: str = "v") -> Json:
    return {"name": name, "value": value}


LONG, SHORT, BETWEEN = "BASE_TYPE_MAX_LENGTH", "BASE_TYPE_REQUIRED", "BASE_TYPE_BAD_LENGTH"
KINDS, SCHEME = "BASE_TYPE_CHOICES", "URL_TYPE_INVALID_SCHEME"
WEB = "https://example.org/"

MESSAGES: list[tuple[str, Json, Json, str, str]] = [
    ("content", {"content": "a" * 2000}, {"content": "a" * 2001}, "content", LONG),
    (
        "nonce",
        {"content": "c", "nonce": "n" * 25},
        {"content": "c", "nonce": "n" * 26},
        "nonce",
        LONG,
    ),
    ("unknown field", {"content": "c"}, {"content": "c", "colour": 1}, "colour", "UNKNOWN_FIELD"),
    (
        "embeds",
        {"embeds": [{"title": "t"}] * 10},
        {"embeds": [{"title": "t"}] * 11},
        "embeds",
        LONG,
    ),
    ("title", embed(title="t" * 256), embed(title="t" * 257), "embeds.0.title", LONG),
    (
        "description",
        embed(description="d" * 4096),
        embed(description="d" * 4097),
        "embeds.0.description",
        LONG,
    ),
    (
        "all embeds",
        {"embeds": [{"description": "d" * 3000}] * 2},
        {"embeds": [{"description": "d" * 3000}, {"description": "d" * 3000, "title": "t"}]},
        "embeds",
        "MAX_EMBED_SIZE_EXCEEDED",
    ),
    ("fields", embed(fields=[field()] * 25), embed(fields=[field()] * 26), "embeds.0.fields", LONG),
    (
        "field name",
        embed(fields=[field("n" * 256)]),
        embed(fields=[field("n" * 257)]),
        "embeds.0.fields.0.name",
        BETWEEN,
    ),
    (
        "field value",
        embed(fields=[field("n", "v" * 1024)]),
        embed(fields=[field("n", "v" * 1025)]),
        "embeds.0.fields.0.value",
        BETWEEN,
    ),
    (
        "empty field",
        embed(fields=[field("n", "v")]),
        embed(fields=[field("n", "")]),
        "embeds.0.fields.0.value",
        SHORT,
    ),
    (
        "footer",
        embed(footer={"text": "f" * 2048}),
        embed(footer={"text": "f" * 2049}),
        "embeds.0.footer.text",
        BETWEEN,
    ),
    (
        "author",
        embed(author={"name": "a" * 256}),
        embed(author={"name": "a" * 257}),
        "embeds.0.author.name",
        BETWEEN,
    ),
    (
        "embed url",
        embed(title="t", url=WEB),
        embed(title="t", url="ftp://example.org/"),
        "embeds.0.url",
        SCHEME,
    ),
    (
        "embed colour",
        embed(title="t", color=0xFFFFFF),
        embed(title="t", color=0x1000000),
        "embeds.0.color",
        "NUMBER_TYPE_MAX",
    ),
    (
        "timestamp",
        embed(title="t", timestamp="2026-11-25T00:00:00+00:00"),
        embed(title="t", timestamp="yesterday"),
        "embeds.0.timestamp",
        "DATE_TIME_TYPE_PARSE",
    ),
    (
        "mentions",
        {"content": "c", "allowed_mentions": {"parse": ["users"]}},
        {"content": "c", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions.users",
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
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
    (
        "flags",
        {"content": "c", "flags": 4},
        {"content": "c", "flags": 64},
        "flags",
        "MESSAGE_FLAGS_INVALID",
    ),
]


@pytest.mark.parametrize(
    ("kept", "broken", "path", "code"),
    [case[1:] for case in MESSAGES],
    ids=[case[0] for case in MESSAGES],
)
async def test_a_message_on_the_limit_is_taken_and_one_beyond_it_refused(
    desk: Desk, kept: Json, broken: Json, path: str, code: str
) -> None:
    await desk.post(kept)
    with pytest.raises(discord.HTTPException) as refused:
        await desk.post(broken)
    assert code in errors_at(refused.value, desk.server, path)
    assert len(desk.server.messages(desk.channel)) == 1


def command(**more: Any) -> Json:
    return {"name": "digest", "description": "d", **more}


def with_options(*options: Json) -> Json:
    return command(options=list(options))


def text_option(name: str = "link", **more: Any) -> Json:
    return {"type": 3, "name": name, "description": "d", **more}


def choices(count: int) -> Json:
    return text_option(choices=[{"name": str(n), "value": str(n)} for n in range(count)])


def large(characters: int) -> Json:
    """A command of exactly this many characters that count (25 options of 100 + 1 …)."""
    options = [text_option(f"o{n:02}", description="d" * 100) for n in range(25)]
    left = characters - len("digest") - 1 - 25 * 103
    for entry in options[:3]:
        values = []
        while left > 0 and len(values) < 25:
            size = min(left, 100)
            values.append({"name": "n" * (size - 1), "value": "v"} if size > 1 else None)
            left -= size
        entry["choices"] = [value for value in values if value]
    assert left == 0
    return command(options=options)


COMMANDS: list[tuple[str, Json, Json, str, str]] = [
    ("name", command(name="n" * 32), command(name="n" * 33), "0.name", BETWEEN),
    (
        "lower case",
        command(name="요약"),
        command(name="Digest"),
        "0.name",
        "APPLICATION_COMMAND_INVALID_NAME",
    ),
    ("no spaces", command(name="di-gest"), command(name="di gest"), "0.name", "STRING_TYPE_REGEX"),
    (
        "description",
        command(description="d" * 100),
        command(description="d" * 101),
        "0.description",
        BETWEEN,
    ),
    (
        "locales",
        command(name_localizations={"ko": "요약"}),
        command(name_localizations={"kr": "요약"}),
        "0.name_localizations.kr",
        KINDS,
    ),
    (
        "options",
        with_options(*[text_option(f"o{n}") for n in range(25)]),
        with_options(*[text_option(f"o{n}") for n in range(26)]),
        "0.options",
        LONG,
    ),
    (
        "required first",
        with_options(text_option("a", required=True), text_option("b")),
        with_options(text_option("a"), text_option("b", required=True)),
        "0.options.1",
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    (
        "option names once",
        with_options(text_option("a"), text_option("b")),
        with_options(text_option("a"), text_option("a")),
        "0.options.1",
        "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
    ),
    ("choices", with_options(choices(25)), with_options(choices(26)), "0.options.0.choices", LONG),
    (
        "autocomplete or choices",
        with_options(text_option(autocomplete=True)),
        with_options({**choices(1), "autocomplete": True}),
        "0.options.0.autocomplete",
        "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES_MUTUALLY_EXCLUSIVE",
    ),
    (
        "subcommands apart",
        with_options({"type": 1, "name": "sub", "description": "d"}),
        with_options({"type": 1, "name": "sub", "description": "d"}, text_option()),
        "0.options",
        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    ("8000 characters", large(8000), large(8002), "0", "APPLICATION_COMMAND_TOO_LARGE"),
    (
        "menu without description",
        {"type": 3, "name": "Digest this"},
        {"type": 3, "name": "Digest this", "description": "d"},
        "0.description",
        "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED",
    ),
]


@pytest.mark.parametrize(
    ("kept", "broken", "path", "code"),
    [case[1:] for case in COMMANDS],
    ids=[case[0] for case in COMMANDS],
)
async def test_a_command_on_the_limit_is_taken_and_one_beyond_it_refused(
    desk: Desk, kept: Json, broken: Json, path: str, code: str
) -> None:
    await desk.sync([kept])
    with pytest.raises(discord.HTTPException) as refused:
        await desk.sync([broken])
    assert code in errors_at(refused.value, desk.server, path)


@pytest.mark.parametrize(("kind", "most"), [(1, 100), (2, 15), (3, 15)])
async def test_there_are_so_many_commands_of_a_kind_and_no_more(
    desk: Desk, kind: int, most: int
) -> None:
    described = {"description": "d"} if kind == 1 else {}
    many = [{"type": kind, "name": f"c{n}", **described} for n in range(most + 1)]
    await desk.sync(many[:most])
    with pytest.raises(discord.HTTPException) as refused:
        await desk.sync(many)
    assert refused.value.code == 30032


@pytest.mark.parametrize("nothing", [{}, {"content": ""}, {"content": "  \n"}, {"embeds": []}])
async def test_a_message_of_nothing_is_refused(desk: Desk, nothing: Json) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await desk.post(nothing)
    assert refused.value.code == 50006


async def test_a_layout_stays_a_layout(desk: Desk) -> None:
    posted = await desk.post(layout(words()))
    path = f"/channels/{desk.channel.id}/messages/{posted['id']}"
    await request(desk.client, "PATCH", path, {"components": [words("changed")]})
    for undoing in ({"flags": 0, "content": "plain", "components": []}, {"content": "plain"}):
        with pytest.raises(discord.HTTPException) as refused:
            await request(desk.client, "PATCH", path, undoing)
        assert refused.value.code == 50035


async def test_a_refusal_reads_as_discords(desk: Desk) -> None:
    with pytest.raises(
        discord.HTTPException, match=r"In content: Must be 2000 or fewer in length\."
    ):
        await desk.post({"content": "a" * 2001})
    assert desk.server.calls()[-1].answer == {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {
            "content": {
                "_errors": [
                    {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
                ]
            }
        },
    }
