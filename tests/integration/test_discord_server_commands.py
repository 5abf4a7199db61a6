"""Each limit of application commands, once kept and once broken, synced by discord.py's client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.discord_clients import Desk, a_desk, errors_at
from support.discord_entities import Json


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as desk:
        yield desk


LONG, SHORT, BETWEEN = "BASE_TYPE_MAX_LENGTH", "BASE_TYPE_REQUIRED", "BASE_TYPE_BAD_LENGTH"
KINDS, SCHEME = "BASE_TYPE_CHOICES", "URL_TYPE_INVALID_SCHEME"
WEB = "https://example.org/"


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
        values: list[Json | None] = []
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
