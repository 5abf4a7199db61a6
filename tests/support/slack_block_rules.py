"""Whole messages and views as Slack checks them, and what a reader sees in them."""

from __future__ import annotations

import re
from typing import Any

from support.slack_blocks import (
    CELL,
    GROUP,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    MAX_MARKDOWN,
    MAX_MESSAGE_BLOCKS,
    MAX_VIEW_BLOCKS,
    NAME,
    OPTION,
    RICH_TEXT,
    Check,
    Errors,
    Shape,
    address,
    any_text,
    boolean,
    by_type,
    everything_in,
    many,
    one_of,
    plain,
    say,
    shape,
    string,
)

Blocks = list[dict[str, Any]]

_SECTION = shape(
    {},
    text=any_text(3000),
    fields=many(any_text(2000), 10),
    accessory=IN_SECTION,
    expand=boolean,
    block_id=NAME,
)


def _section(value: Any, where: str, errors: Errors) -> None:
    _SECTION(value, where, errors)
    if "text" not in value and "fields" not in value:
        say(errors, "missing required field: text or fields", where)


_IMAGE = shape({"image_url": address, "alt_text": string(2000)}, title=plain(2000), block_id=NAME)
_VIDEO = shape(
    {
        "alt_text": string(2000),
        "title": plain(199),
        "thumbnail_url": address,
        "video_url": address,
    },
    author_name=string(50),
    description=plain(200),
    provider_name=string(200),
    provider_icon_url=address,
    title_url=address,
    block_id=NAME,
)
_EVERYWHERE: dict[str, Check] = {
    "section": _section,
    "divider": shape({}, block_id=NAME),
    "header": shape({"text": plain(150)}, block_id=NAME),
    "image": _IMAGE,
    "video": _VIDEO,
    "context": shape({"elements": many(IN_CONTEXT, 10)}, block_id=NAME),
    "actions": shape({"elements": many(IN_ACTIONS, 25)}, block_id=NAME),
    "rich_text": RICH_TEXT,
    "input": shape(
        {"label": plain(2000), "element": IN_INPUT},
        hint=plain(2000),
        optional=boolean,
        dispatch_action=boolean,
        block_id=NAME,
    ),
}
_ONLY_IN_MESSAGES: dict[str, Check] = {
    "markdown": shape({"text": string(MAX_MARKDOWN)}, block_id=NAME),
    "table": shape(
        {"rows": many(many(CELL, 20), 100)},
        column_settings=many(
            shape({}, align=one_of("left", "center", "right"), is_wrapped=boolean), 20, 0
        ),
        block_id=NAME,
    ),
}
_IN_MESSAGE = by_type(
    {**{kind: check for kind, check in _EVERYWHERE.items() if kind != "input"}, **_ONLY_IN_MESSAGES}
)
_IN_VIEW = by_type(_EVERYWHERE)

_VIEW: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_MODAL = shape(
    {"title": plain(24), "blocks": many(_IN_VIEW, MAX_VIEW_BLOCKS, 0)},
    submit=plain(24),
    close=plain(24),
    clear_on_close=boolean,
    notify_on_close=boolean,
    submit_disabled=boolean,
    **_VIEW,
)
_HOME = Shape({"blocks": many(_IN_VIEW, MAX_VIEW_BLOCKS, 0)}, _VIEW)


def block_errors(blocks: Any) -> Errors:
    """What Slack has against these blocks of a message."""
    errors: Errors = []
    many(_IN_MESSAGE, MAX_MESSAGE_BLOCKS, 0)(blocks, "/blocks", errors)
    if isinstance(blocks, list):
        _check_names(blocks, "/blocks", errors)
        kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
        if kinds.count("table") > 1:
            say(errors, "only_one_table_allowed", "/blocks")
        if _markdown_characters(blocks) > MAX_MARKDOWN:
            say(errors, f"must be less than {MAX_MARKDOWN + 1} characters", "/blocks")
    return errors


def view_errors(view: Any) -> Errors:
    """What Slack has against a modal or a Home tab."""
    errors: Errors = []
    by_type({"modal": _MODAL, "home": _HOME})(view, "/view", errors)
    blocks = view.get("blocks") if isinstance(view, dict) else None
    if isinstance(blocks, list):
        _check_names(blocks, "/view/blocks", errors)
        inputs = any(block.get("type") == "input" for block in blocks if isinstance(block, dict))
        if inputs and view.get("type") == "modal" and "submit" not in view:
            say(errors, "missing required field: submit", "/view")
        focused = sum(held.get("focus_on_load") is True for held, _ in everything_in(blocks))
        if focused > 1:
            say(errors, "only one element may have focus_on_load", "/view/blocks")
    return errors


_OFFERED = shape({}, options=many(OPTION, 100, 0), option_groups=many(GROUP, 100, 0))


def options_errors(answer: Any) -> Errors:
    """What Slack has against an answer to a block_suggestion. It shows it as “no result”: the app
    is not told."""
    errors: Errors = []
    _OFFERED(answer, "", errors)
    if isinstance(answer, dict) and ("options" in answer) == ("option_groups" in answer):
        say(errors, "exactly one of options and option_groups is required", "")
    return errors


def _check_names(blocks: list[Any], where: str, errors: Errors) -> None:
    """A block_id once in the message, an action_id once in its block."""
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        block_id = str(block.get("block_id") or f"#{number}")
        if block_id in seen:
            say(errors, f"block_id {block_id} already exists", f"{where}/{number}/block_id")
        seen.add(block_id)
        actions: set[str] = set()
        for held, pointer in everything_in(block, f"{where}/{number}"):
            action_id = held.get("action_id")
            if not isinstance(action_id, str):
                continue
            if action_id in actions:
                say(errors, f"action_id {action_id} already exists", f"{pointer}/action_id")
            actions.add(action_id)


def _markdown_characters(blocks: list[Any]) -> int:
    texts = (
        block.get("text")
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "markdown"
    )
    return sum(len(text) for text in texts if isinstance(text, str))


def characters_in(blocks: Blocks) -> int:
    """All the text of a message's blocks, the amount `msg_blocks_too_long` is about."""
    return sum(len(text) for text in _texts(blocks))


# --- what a reader sees

_MENTION = re.compile(r"<(?:@|#|!)[^<>]*>")
_LINK = re.compile(r"<((?:https?|mailto|slack|tel):[^|<>]*)(?:\|[^<>]*)?>", re.IGNORECASE)
_BARE = re.compile(r"(?<!\]\()(?<![<|\w])https?://[^\s<>|]+", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
_PERSONAL = {"user": "user_id", "usergroup": "usergroup_id", "channel": "channel_id"}


def _texts(blocks: Any) -> list[str]:
    """Every text a person reads, in reading order."""
    found = []
    for held, _ in everything_in(blocks):
        text, kind = held.get("text"), held.get("type")
        if isinstance(text, str):
            found.append(text)
        elif kind == "image" and isinstance(held.get("alt_text"), str):
            found.append(held["alt_text"])
        elif kind == "link" and isinstance(held.get("url"), str):
            found.append(held["url"])
    return found


def visible_text(blocks: Blocks) -> str:
    """What a person reads, a text object a line, with Slack's escapes undone."""
    lines = (re.sub(_LINK, _label, text) for text in _texts(blocks))
    return "\n".join(
        line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for line in lines
    )


def _label(link: re.Match[str]) -> str:
    whole = link[0][1:-1]
    return whole.split("|", 1)[1] if "|" in whole else whole


def mentions_in(blocks: Blocks) -> list[str]:
    """Every mention of a person, group, channel or everybody that Slack would act on."""
    found = []
    for held, _ in everything_in(blocks):
        kind, text = held.get("type"), held.get("text")
        if kind in ("mrkdwn", "markdown") and isinstance(text, str):
            found += _MENTION.findall(text)
        elif kind in _PERSONAL and _PERSONAL[kind] in held:
            found.append(f"{kind}:{held[_PERSONAL[kind]]}")
        elif kind == "broadcast":
            found.append(f"broadcast:{held.get('range')}")
    return found


def links_in(blocks: Blocks) -> list[str]:
    """Every address a person can press: in text, also bare ones, and behind elements."""
    found = []
    for held, _ in everything_in(blocks):
        text = held.get("text")
        if held.get("type") in ("mrkdwn", "markdown") and isinstance(text, str):
            found += _LINK.findall(text)
            if not held.get("verbatim"):
                found += _BARE.findall(text)
        if held.get("type") == "markdown" and isinstance(text, str):
            found += _MARKDOWN_LINK.findall(text)
        for name in ("url", "title_url", "video_url"):
            if isinstance(held.get(name), str):
                found.append(held[name])
    return list(dict.fromkeys(found))
