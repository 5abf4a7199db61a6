"""What Discord refuses of a message: lengths, sums, what excludes what.

Source: discord/discord-api-docs, `developers/resources/message.mdx`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.discord_components import LAYOUT, LEGACY_ROWS, MODAL, check_together
from support.discord_entities import COMPONENTS_V2, EPHEMERAL, SUPPRESS_EMBEDS, Json
from support.discord_forms import (
    Mistakes,
    Path,
    Rule,
    anything,
    boolean,
    integer,
    items,
    mistake_at,
    one_of,
    shape,
    snowflake,
    text,
    url,
)
from support.discord_world import Refused

SUPPRESS_NOTIFICATIONS = 1 << 12
SETTABLE = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
MOST_EMBED_TEXT = 6000


def timestamp(mistakes: Mistakes, path: Path, value: Any) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        sentence = f"Could not parse {value!r}. Should be ISO8601."
        mistakes.add(path, "DATE_TIME_TYPE_PARSE", sentence)


WEB = url(2048)
PICTURE_URL = url(2048, ("http", "https", "attachment"))
PICTURE = shape(
    {"url": PICTURE_URL},
    dict.fromkeys(("proxy_url", "height", "width", "flags", "content_type"), anything),
)
FIELD = shape({"name": text(1, 256), "value": text(1, 1024)}, {"inline": boolean})
EMBED = shape(
    {},
    {
        "type": text(1, 20),
        "title": text(0, 256),
        "description": text(0, 4096),
        "url": WEB,
        "timestamp": timestamp,
        "color": integer(0, 0xFFFFFF),
        "fields": items(0, 25, FIELD),
        "footer": shape({"text": text(1, 2048)}, {"icon_url": PICTURE_URL}),
        "author": shape({"name": text(1, 256)}, {"url": WEB, "icon_url": PICTURE_URL}),
        "image": PICTURE,
        "thumbnail": PICTURE,
        "flags": integer(0, 1 << 20),
    },
)
ALLOWED_MENTIONS = shape(
    {},
    {
        "parse": items(0, 3, one_of("roles", "users", "everyone")),
        "roles": items(0, 100, snowflake),
        "users": items(0, 100, snowflake),
        "replied_user": boolean,
    },
)
REFERENCE = shape(
    {"message_id": snowflake},
    {
        "channel_id": snowflake,
        "guild_id": snowflake,
        "fail_if_not_exists": boolean,
        "type": one_of(0),
    },
)
ATTACHMENT = shape(
    {"id": snowflake},
    {"filename": text(1, 1024), "description": text(0, 1024)}
    | dict.fromkeys("size url proxy_url content_type height width spoiler".split(), anything),
)


def nonce(mistakes: Mistakes, path: Path, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        mistakes.add(path, "NONCE_TYPE_COERCE", "Must be an integer or a string.")
    else:
        text(0, 25)(mistakes, path, str(value))


def flags(allowed: int) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        integer(0, 1 << 30)(mistakes, path, value)
        if isinstance(value, int) and value & ~allowed:
            sentence = f"Flags {value & ~allowed} cannot be set."
            mistakes.add(path, "MESSAGE_FLAGS_INVALID", sentence)

    return check


MESSAGE_FIELDS: dict[str, Rule] = {
    "content": text(0, 2000),
    "nonce": nonce,
    "enforce_nonce": boolean,
    "tts": boolean,
    "embeds": items(0, 10, EMBED),
    "allowed_mentions": ALLOWED_MENTIONS,
    "message_reference": REFERENCE,
    "attachments": items(0, 10, ATTACHMENT),
    "sticker_ids": items(0, 3, snowflake),
}


def check_message(
    form: Any,
    *,
    files: list[str],
    before: Json | None = None,
    raw: Json | None = None,
    answer: bool = False,
) -> None:
    """Of a new message `form` is all there is; of an edited one it is what would result, `raw`
    what was sent and `before` what was there. `answer`: of an interaction, may be ephemeral.

    Raises Refused 50035, or 50006 for a message of nothing.
    """
    sent = form if raw is None else raw
    mistakes = Mistakes()
    kinds = SETTABLE | (EPHEMERAL if answer or before is not None else 0)
    v2 = isinstance(form, dict) and _is_layout(form)
    rules = MESSAGE_FIELDS | {"flags": flags(kinds), "components": LAYOUT if v2 else LEGACY_ROWS}
    shape({}, rules)(mistakes, (), sent)
    if isinstance(form, dict):
        _check_whole(mistakes, form, v2)
        _check_mentions(mistakes, form.get("allowed_mentions"))
    mistakes.refuse()
    _check_undone(before, sent)
    _check_empty(form, files)


def _is_layout(form: Json) -> bool:
    value = form.get("flags") or 0
    return isinstance(value, int) and bool(value & COMPONENTS_V2)


def _check_whole(mistakes: Mistakes, form: Json, v2: bool) -> None:
    check_together(mistakes, form.get("components"))
    total = sum(map(embed_length, form.get("embeds") or []))
    if total > MOST_EMBED_TEXT:
        sentence = f"Embed size exceeds maximum size of {MOST_EMBED_TEXT}"
        mistakes.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", sentence)
    for name in ("content", "embeds", "sticker_ids"):
        if v2 and form.get(name):
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            sentence = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            mistakes.add((name,), code, sentence)


def _check_undone(before: Json | None, sent: Json) -> None:
    if before is None or not _is_layout(before):
        return
    if sent.get("flags") is not None and not _is_layout(sent):
        sentence = "The IS_COMPONENTS_V2 flag cannot be removed"
        raise mistake_at("flags", "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", sentence)


def embed_length(embed: Any) -> int:
    """Characters that count towards the 6000."""
    if not isinstance(embed, dict):
        return 0
    written = [embed.get("title"), embed.get("description")]
    for part, name in (("footer", "text"), ("author", "name")):
        written.append((embed.get(part) or {}).get(name))
    for entry in embed.get("fields") or []:
        written += [entry.get("name"), entry.get("value")]
    return sum(len(str(words)) for words in written if words)


def _check_mentions(mistakes: Mistakes, mentions: Any) -> None:
    if not isinstance(mentions, dict):
        return
    for name in ("users", "roles"):
        if name in (mentions.get("parse") or []) and mentions.get(name):
            sentence = f"parse:[{name!r}] and {name}: [ids...] are mutually exclusive."
            path: Path = ("allowed_mentions", name)
            mistakes.add(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", sentence)


def _check_empty(form: Json, files: list[str]) -> None:
    content = (form.get("content") or "").strip()
    rest = ("embeds", "components", "attachments", "sticker_ids")
    if not content and not files and not any(form.get(name) for name in rest):
        raise Refused(400, 50006, "Cannot send an empty message")


def check_modal(form: Any) -> None:
    """Raises Refused 50035."""
    mistakes = Mistakes()
    MODAL(mistakes, ("data",), form)
    if isinstance(form, dict):
        check_together(mistakes, form.get("components"), ("data", "components"))
    mistakes.refuse()
