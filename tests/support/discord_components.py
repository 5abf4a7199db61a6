"""Which components Discord takes, where, and how large.

Source: discord/discord-api-docs, `developers/components/reference.mdx`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from support.discord_entities import Json
from support.discord_forms import (
    REQUIRED,
    Mistakes,
    Path,
    Rule,
    anything,
    boolean,
    integer,
    items,
    one_of,
    shape,
    snowflake,
    text,
    url,
)

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
ENTITY_SELECTS = (5, 6, 7, 8)
SELECTS = (STRING_SELECT, *ENTITY_SELECTS)
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD = 17, 18, 19
IN_CONTAINER = (ROW, SECTION, TEXT_DISPLAY, GALLERY, FILE, SEPARATOR)
ON_TOP = (*IN_CONTAINER, CONTAINER)
LINK_STYLE, PREMIUM_STYLE = 5, 6
MOST_COMPONENTS = 40
MOST_TEXT = 4000

CUSTOM_ID = text(1, 100)
EMOJI = shape({}, {"id": snowflake, "name": text(0, 64), "animated": boolean})
MEDIA = shape({"url": url(2048, ("http", "https", "attachment"))}, {})
TYPE: dict[str, Rule] = {"type": anything}
ID: dict[str, Rule] = {"id": integer(0, 2**31 - 1)}


def component(*kinds: int) -> Rule:
    """One component of one of these kinds, whole."""

    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, dict):
            sentence = "Only dictionaries may be used in a DictType"
            mistakes.add(path, "DICT_TYPE_CONVERT", sentence)
            return
        kind = value.get("type")
        if kind not in kinds or isinstance(kind, bool):
            shown = ", ".join(map(str, kinds))
            mistakes.add((*path, "type"), "BASE_TYPE_CHOICES", f"Value must be one of {{{shown}}}.")
            return
        RULES[kind](mistakes, path, value)
        if kind in EXTRA:
            EXTRA[kind](mistakes, path, value)

    return check


def button(mistakes: Mistakes, path: Path, value: Json) -> None:
    style = value.get("style")
    needed = {LINK_STYLE: "url", PREMIUM_STYLE: "sku_id"}.get(style or 0, "custom_id")
    if value.get(needed) is None:
        mistakes.add((*path, needed), *REQUIRED)
    for other in {"url", "sku_id", "custom_id"} - {needed}:
        if value.get(other) is not None:
            sentence = f"A button of this style must not have {other}"
            code = "COMPONENT_CUSTOM_ID_AND_URL_MUTUALLY_EXCLUSIVE"
            mistakes.add((*path, other), code, sentence)
    if style != PREMIUM_STYLE and not value.get("label") and not value.get("emoji"):
        code = "COMPONENT_BUTTON_LABEL_OR_EMOJI_REQUIRED"
        mistakes.add(path, code, "A button needs a label or an emoji")


def row(mistakes: Mistakes, path: Path, value: Json) -> None:
    children = value.get("components")
    if not isinstance(children, list):
        return
    wide = [c for c in children if isinstance(c, dict) and c.get("type") != BUTTON]
    if wide and len(children) > 1:
        code = "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
        mistakes.add(
            (*path, "components"), code, "The specified component exceeds the maximum width"
        )


def select(mistakes: Mistakes, path: Path, value: Json) -> None:
    least, most = value.get("min_values"), value.get("max_values")
    options = value.get("options")
    least, most = 1 if least is None else least, 1 if most is None else most
    if not isinstance(least, int) or not isinstance(most, int):
        return
    if least > most:
        sentence = "min_values must not be greater than max_values"
        mistakes.add((*path, "min_values"), "COMPONENT_MIN_VALUES_EXCEEDED", sentence)
    if isinstance(options, list) and value.get("type") == STRING_SELECT:
        select_options(mistakes, path, options, most)


def select_options(mistakes: Mistakes, path: Path, options: list[Any], most: int) -> None:
    seen: set[str] = set()
    chosen = 0
    for index, option in enumerate(options):
        if not isinstance(option, dict):
            continue
        chosen += option.get("default") is True
        value = str(option.get("value"))
        if value in seen:
            place = (*path, "options", index, "value")
            sentence = "The specified option value is already used"
            mistakes.add(place, "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", sentence)
        seen.add(value)
    if most > len(options):
        sentence = f"max_values must not be greater than the {len(options)} options"
        mistakes.add((*path, "max_values"), "COMPONENT_MAX_VALUES_EXCEEDED", sentence)
    if chosen > most:
        sentence = "More options are chosen than may be"
        mistakes.add((*path, "options"), "SELECT_COMPONENT_TOO_MANY_DEFAULT_OPTIONS", sentence)


def text_input(mistakes: Mistakes, path: Path, value: Json) -> None:
    least, most = value.get("min_length") or 0, value.get("max_length") or 4000
    given = value.get("value")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        sentence = "min_length must not be greater than max_length"
        mistakes.add((*path, "min_length"), "COMPONENT_MIN_LENGTH_EXCEEDED", sentence)
    elif isinstance(given, str) and given and not least <= len(given) <= most:
        sentence = f"Must be between {least} and {most} in length."
        mistakes.add((*path, "value"), "BASE_TYPE_BAD_LENGTH", sentence)


def labelled_or_lone(labelled: bool) -> Rule:
    """A text input has its own label only where no Label component stands around it."""

    def check(mistakes: Mistakes, path: Path, value: Json) -> None:
        if not isinstance(value, dict):
            return
        inputs = [value.get("component")] if labelled else value.get("components")
        for index, child in enumerate(inputs if isinstance(inputs, list) else []):
            if not isinstance(child, dict) or child.get("type") != TEXT_INPUT:
                continue
            place = (*path, "component") if labelled else (*path, "components", index)
            if labelled and child.get("label") is not None:
                sentence = "A text input in a label must not have a label"
                mistakes.add((*place, "label"), "BASE_TYPE_FORBIDDEN", sentence)
            if not labelled and child.get("label") is None:
                mistakes.add((*place, "label"), *REQUIRED)

    return check


def lazily(*kinds: int) -> Rule:
    """Components hold components, so the inner rule is looked up when it is needed."""
    return lambda mistakes, path, value: component(*kinds)(mistakes, path, value)


OPTION = shape(
    {"label": text(1, 100), "value": text(1, 100)},
    {"description": text(0, 100), "emoji": EMOJI, "default": boolean},
)
_SELECT_FIELDS: dict[str, Rule] = {
    "placeholder": text(0, 150),
    "min_values": integer(0, 25),
    "max_values": integer(1, 25),
    "disabled": boolean,
    "required": boolean,
}
_ENTITY = shape(
    {**TYPE, "custom_id": CUSTOM_ID},
    {
        **ID,
        **_SELECT_FIELDS,
        "channel_types": items(0, 25, integer(0, 16)),
        "default_values": items(0, 25, shape({"id": snowflake, "type": text(1, 10)}, {})),
    },
)
RULES: dict[int, Rule] = {
    ROW: shape({**TYPE, "components": items(1, 5, lazily(BUTTON, *SELECTS))}, ID),
    BUTTON: shape(
        {**TYPE, "style": one_of(1, 2, 3, 4, 5, 6)},
        {
            **ID,
            "label": text(0, 80),
            "emoji": EMOJI,
            "custom_id": CUSTOM_ID,
            "url": url(512),
            "sku_id": snowflake,
            "disabled": boolean,
        },
    ),
    STRING_SELECT: shape(
        {**TYPE, "custom_id": CUSTOM_ID, "options": items(1, 25, OPTION)}, {**ID, **_SELECT_FIELDS}
    ),
    TEXT_INPUT: shape(
        {**TYPE, "custom_id": CUSTOM_ID, "style": one_of(1, 2)},
        {
            **ID,
            "label": text(1, 45),
            "min_length": integer(0, 4000),
            "max_length": integer(1, 4000),
            "required": boolean,
            "value": text(0, 4000),
            "placeholder": text(0, 100),
        },
    ),
    SECTION: shape(
        {
            **TYPE,
            "components": items(1, 3, lazily(TEXT_DISPLAY)),
            "accessory": lazily(BUTTON, THUMBNAIL),
        },
        ID,
    ),
    TEXT_DISPLAY: shape({**TYPE, "content": text(1, MOST_TEXT)}, ID),
    THUMBNAIL: shape(
        {**TYPE, "media": MEDIA}, {**ID, "description": text(0, 1024), "spoiler": boolean}
    ),
    GALLERY: shape(
        {
            **TYPE,
            "items": items(
                1,
                10,
                shape({"media": MEDIA}, {"description": text(0, 1024), "spoiler": boolean}),
            ),
        },
        ID,
    ),
    FILE: shape(
        {**TYPE, "file": shape({"url": url(2048, ("attachment",))}, {})},
        {**ID, "spoiler": boolean},
    ),
    SEPARATOR: shape(TYPE, {**ID, "divider": boolean, "spacing": one_of(1, 2)}),
    CONTAINER: shape(
        {**TYPE, "components": items(1, 40, lazily(*IN_CONTAINER))},
        {**ID, "accent_color": integer(0, 0xFFFFFF), "spoiler": boolean},
    ),
    LABEL: shape(
        {
            **TYPE,
            "label": text(1, 45),
            "component": lazily(TEXT_INPUT, *SELECTS, FILE_UPLOAD),
        },
        {**ID, "description": text(0, 100)},
    ),
    FILE_UPLOAD: shape(
        {**TYPE, "custom_id": CUSTOM_ID},
        {**ID, "min_values": integer(0, 10), "max_values": integer(1, 10), "required": boolean},
    ),
} | dict.fromkeys(ENTITY_SELECTS, _ENTITY)
EXTRA: dict[int, Rule] = {
    ROW: row,
    BUTTON: button,
    TEXT_INPUT: text_input,
    LABEL: labelled_or_lone(True),
} | dict.fromkeys(SELECTS, select)
LEGACY_ROWS = items(0, 5, component(ROW))
LAYOUT = items(0, MOST_COMPONENTS, component(*ON_TOP))


def modal_row(mistakes: Mistakes, path: Path, value: Any) -> None:
    """The older way: a row with one text input that has a label of its own."""
    rule = shape({**TYPE, "components": items(1, 1, component(TEXT_INPUT))}, ID)
    rule(mistakes, path, value)
    labelled_or_lone(False)(mistakes, path, value)


def modal_part(mistakes: Mistakes, path: Path, value: Any) -> None:
    if isinstance(value, dict) and value.get("type") == ROW:
        modal_row(mistakes, path, value)
    else:
        component(LABEL, TEXT_DISPLAY)(mistakes, path, value)


MODAL = shape(
    {"title": text(1, 45), "custom_id": CUSTOM_ID, "components": items(1, 5, modal_part)}, {}
)


def walk(components: Any, path: Path = ("components",)) -> Iterator[tuple[Path, Json]]:
    """Every component, the nested ones too, with its path."""
    for index, value in enumerate(components if isinstance(components, list) else []):
        if isinstance(value, dict):
            yield from _walk_one((*path, index), value)


def _walk_one(path: Path, value: Json) -> Iterator[tuple[Path, Json]]:
    yield path, value
    yield from walk(value.get("components"), (*path, "components"))
    for name in ("accessory", "component"):
        if isinstance(value.get(name), dict):
            yield from _walk_one((*path, name), value[name])


def check_together(mistakes: Mistakes, components: Any, root: Path = ("components",)) -> None:
    """What only the whole can break: custom_ids and ids once, 40 components, 4000 characters."""
    seen: set[tuple[str, Any]] = set()
    written, count = 0, 0
    for path, value in walk(components, root):
        count += 1
        written += len(str(value.get("content", ""))) if value.get("type") == TEXT_DISPLAY else 0
        for name, code in (
            ("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"),
            ("id", "COMPONENT_ID_DUPLICATED"),
        ):
            mark = (name, value.get(name))
            if mark[1] and mark in seen:
                mistakes.add((*path, name), code, f"Component {name} cannot be duplicated")
            seen.add(mark)
    if count > MOST_COMPONENTS:
        sentence = f"Must be {MOST_COMPONENTS} or fewer components in total, not {count}."
        mistakes.add(root, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", sentence)
    if written > MOST_TEXT:
        sentence = f"The texts have {written} of at most {MOST_TEXT} characters."
        mistakes.add(root, "COMPONENT_MAX_TOTAL_TEXT_LENGTH_EXCEEDED", sentence)
