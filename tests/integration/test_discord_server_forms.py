"""Each limit of a message, once kept and once broken, sent by discord.py's own HTTP client."""

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


@pytest.mark.parametrize("nothing", [{}, {"content": ""}, {"content": "  \n"}, {"embeds": []}])
async def test_a_message_of_nothing_is_refused(desk: Desk, nothing: Json) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await desk.post(nothing)
    assert refused.value.code == 50006


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
