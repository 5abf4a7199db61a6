"""Block Kit as Slack checks it: fields, limits, and which element may stand where.

`block_errors` and `view_errors` answer as Slack does: a list of sentences such as
`must be less than 3001 characters [json-pointer:/blocks/0/text/text]`, empty for a
message that Slack takes. The numbers come from the types of node-slack-sdk and
python-slack-sdk; what Slack says for each mistake is its own wording where it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Errors = list[str]
Check = Callable[[Any, str, Errors], None]

MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_MARKDOWN = 12_000
MAX_OVERFLOW = 5
INTERACTIVE_LIMIT = 255


def say(errors: Errors, what: str, where: str) -> None:
    errors.append(f"{what} [json-pointer:{where}]")


# --- plain values


def string(most: int, least: int = 1) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, str):
            say(errors, "must provide a string", where)
        elif len(value) < least:
            say(errors, f"must be more than {least - 1} characters", where)
        elif len(value) > most:
            say(errors, f"must be less than {most + 1} characters", where)

    return check


def boolean(value: Any, where: str, errors: Errors) -> None:
    if not isinstance(value, bool):
        say(errors, "must provide a boolean", where)


def integer(least: int, most: int) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            say(errors, "must provide an integer", where)
        elif not least <= value <= most:
            say(errors, f"must be between {least} and {most}", where)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        if value not in allowed:
            say(errors, f"must be one of {', '.join(allowed)}", where)

    return check


def address(value: Any, where: str, errors: Errors) -> None:
    string(3000)(value, where, errors)
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https", "mailto", "slack") or (
            parts.scheme.startswith("http") and not parts.netloc
        ):
            say(errors, "invalid url", where)


def many(each: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, list):
            say(errors, "must provide an array", where)
            return
        if len(value) > most:
            say(errors, f"no more than {most} items allowed", where)
        if len(value) < least:
            say(errors, f"no fewer than {least} items allowed", where)
        for number, item in enumerate(value):
            each(item, f"{where}/{number}", errors)

    return check


# --- objects


@dataclass(frozen=True)
class Shape:
    """What an object must and may hold; anything else is refused."""

    must: Mapping[str, Check]
    may: Mapping[str, Check]

    def __call__(self, value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, dict):
            say(errors, "must provide an object", where)
            return
        for name in self.must:
            if name not in value:
                say(errors, f"missing required field: {name}", where)
        for name, held in value.items():
            check = self.must.get(name) or self.may.get(name)
            if check is None:
                say(errors, f"invalid additional property: {name}", where)
            else:
                check(held, f"{where}/{name}", errors)


def shape(must: Mapping[str, Check], **may: Check) -> Shape:
    return Shape(must, may)


def by_type(kinds: Mapping[str, Check]) -> Check:
    """The shape that the object's `type` names; only these types are allowed here."""

    def check(value: Any, where: str, errors: Errors) -> None:
        if not isinstance(value, dict):
            say(errors, "must provide an object", where)
        elif "type" not in value:
            say(errors, "missing required field: type", where)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            say(errors, f"unsupported type: {value['type']}", f"{where}/type")
        else:
            inner = {name: held for name, held in value.items() if name != "type"}
            kinds[value["type"]](inner, where, errors)

    return check


def plain(most: int) -> Check:
    return by_type({"plain_text": shape({"text": string(most)}, emoji=boolean)})


def any_text(most: int) -> Check:
    return by_type(
        {
            "plain_text": shape({"text": string(most)}, emoji=boolean),
            "mrkdwn": shape({"text": string(most)}, verbatim=boolean),
        }
    )


CONFIRM = shape(
    {"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)},
    style=one_of("primary", "danger"),
)
OPTION = shape({"text": plain(75), "value": string(150)}, description=plain(75))
ANY_OPTION = shape({"text": any_text(75), "value": string(150)}, description=any_text(75))
LINK_OPTION = shape({"text": plain(75), "value": string(150)}, description=plain(75), url=address)
GROUP = shape({"label": plain(75), "options": many(OPTION, 100)})
NAME = string(INTERACTIVE_LIMIT)
IMAGE_ELEMENT = shape({"image_url": address, "alt_text": string(2000)})
DISPATCH = shape(
    {},
    trigger_actions_on=many(one_of("on_enter_pressed", "on_character_entered"), 2),
)
FILTER = shape(
    {},
    include=many(one_of("im", "mpim", "private", "public"), 4),
    exclude_external_shared_channels=boolean,
    exclude_bot_users=boolean,
)
_SELECT: dict[str, Check] = {"placeholder": plain(150), "focus_on_load": boolean}


def _options_or_groups(menu: Shape) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        menu(value, where, errors)
        if ("options" in value) == ("option_groups" in value):
            say(errors, "exactly one of options and option_groups is required", where)
        initial, known = value.get("initial_option"), value.get("options")
        if initial is not None and isinstance(known, list) and initial not in known:
            say(errors, "initial_option must be one of the options", f"{where}/initial_option")

    return check


def _choices(menu: Shape) -> Check:
    def check(value: Any, where: str, errors: Errors) -> None:
        menu(value, where, errors)
        options, several = value.get("options"), value.get("initial_options", [])
        if not isinstance(options, list) or not isinstance(several, list):
            return  # said already
        initial = [value["initial_option"]] if "initial_option" in value else []
        for one in [*initial, *several]:
            if one not in options:
                say(errors, "the initial option must be one of the options", where)

    return check


def _menu(initial: str, check: Check, **more: Check) -> Shape:
    return shape({"action_id": NAME}, **{initial: check}, **_SELECT, **more, confirm=CONFIRM)


STATIC: dict[str, Check] = {
    "options": many(OPTION, 100),
    "option_groups": many(GROUP, 100),
}
MAX_SELECTED: dict[str, Check] = {"max_selected_items": integer(1, 100)}
IDS = many(string(255), 100)
SELECTS: dict[str, Check] = {
    "static_select": _options_or_groups(_menu("initial_option", OPTION, **STATIC)),
    "external_select": _menu("initial_option", OPTION, min_query_length=integer(0, 100)),
    "users_select": _menu("initial_user", string(255)),
    "channels_select": _menu("initial_channel", string(255), response_url_enabled=boolean),
    "conversations_select": _menu(
        "initial_conversation",
        string(255),
        default_to_current_conversation=boolean,
        response_url_enabled=boolean,
        filter=FILTER,
    ),
}
MULTI_SELECTS: dict[str, Check] = {
    "multi_static_select": _options_or_groups(
        _menu("initial_options", many(OPTION, 100), **STATIC, **MAX_SELECTED)
    ),
    "multi_external_select": _menu(
        "initial_options",
        many(OPTION, 100),
        min_query_length=integer(0, 100),
        **MAX_SELECTED,
    ),
    "multi_users_select": _menu("initial_users", IDS, **MAX_SELECTED),
    "multi_channels_select": _menu("initial_channels", IDS, **MAX_SELECTED),
    "multi_conversations_select": _menu(
        "initial_conversations",
        IDS,
        default_to_current_conversation=boolean,
        filter=FILTER,
        **MAX_SELECTED,
    ),
}
PICKERS: dict[str, Check] = {
    "datepicker": _menu("initial_date", string(10, 10)),
    "timepicker": _menu("initial_time", string(5, 5), timezone=string(255)),
    "datetimepicker": shape(
        {"action_id": NAME},
        initial_date_time=integer(1, 9_999_999_999),
        confirm=CONFIRM,
        focus_on_load=boolean,
    ),
}
LISTS: dict[str, Check] = {
    "radio_buttons": _choices(
        shape(
            {"action_id": NAME, "options": many(ANY_OPTION, 10)},
            initial_option=ANY_OPTION,
            confirm=CONFIRM,
            focus_on_load=boolean,
        )
    ),
    "checkboxes": _choices(
        shape(
            {"action_id": NAME, "options": many(ANY_OPTION, 10)},
            initial_options=many(ANY_OPTION, 10),
            confirm=CONFIRM,
            focus_on_load=boolean,
        )
    ),
}
BUTTON = shape(
    {"text": plain(75), "action_id": NAME},
    value=string(2000),
    url=address,
    style=one_of("primary", "danger"),
    confirm=CONFIRM,
    accessibility_label=string(75),
)
OVERFLOW = shape({"action_id": NAME, "options": many(LINK_OPTION, MAX_OVERFLOW)}, confirm=CONFIRM)
WRITTEN: dict[str, Check] = {"placeholder": plain(150), "focus_on_load": boolean}
TEXT_INPUTS: dict[str, Check] = {
    "plain_text_input": shape(
        {"action_id": NAME},
        initial_value=string(3000, 0),
        multiline=boolean,
        min_length=integer(0, 3000),
        max_length=integer(1, 3000),
        dispatch_action_config=DISPATCH,
        **WRITTEN,
    ),
    "email_text_input": shape(
        {"action_id": NAME},
        initial_value=string(3000),
        dispatch_action_config=DISPATCH,
        **WRITTEN,
    ),
    "url_text_input": shape(
        {"action_id": NAME},
        initial_value=string(3000),
        dispatch_action_config=DISPATCH,
        **WRITTEN,
    ),
    "number_input": shape(
        {"action_id": NAME, "is_decimal_allowed": boolean},
        initial_value=string(100),
        min_value=string(100),
        max_value=string(100),
        dispatch_action_config=DISPATCH,
        **WRITTEN,
    ),
}

IN_SECTION = by_type(
    {
        "button": BUTTON,
        "overflow": OVERFLOW,
        "image": IMAGE_ELEMENT,
        **SELECTS,
        **MULTI_SELECTS,
        **PICKERS,
        **LISTS,
    }
)
IN_ACTIONS = by_type({"button": BUTTON, "overflow": OVERFLOW, **SELECTS, **PICKERS, **LISTS})
IN_INPUT = by_type({**TEXT_INPUTS, **SELECTS, **MULTI_SELECTS, **PICKERS, **LISTS})
IN_CONTEXT = by_type(
    {
        "image": IMAGE_ELEMENT,
        "mrkdwn": shape({"text": string(3000)}, verbatim=boolean),
        "plain_text": shape({"text": string(3000)}, emoji=boolean),
    }
)

# --- rich text

STYLE = shape({}, bold=boolean, italic=boolean, strike=boolean, code=boolean, underline=boolean)
WORDS: dict[str, Check] = {
    "text": shape({"text": string(3000, 0)}, style=STYLE),
    "link": shape({"url": address}, text=string(3000), style=STYLE, unsafe=boolean),
    "emoji": shape({"name": string(255)}, unicode=string(255), style=STYLE),
    "user": shape({"user_id": string(255)}, style=STYLE),
    "channel": shape({"channel_id": string(255)}, style=STYLE),
    "usergroup": shape({"usergroup_id": string(255)}, style=STYLE),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, style=STYLE),
    "color": shape({"value": string(7)}),
    "date": shape(
        {"timestamp": integer(1, 9_999_999_999), "format": string(255)},
        url=address,
        fallback=string(255),
        style=STYLE,
    ),
}
PHRASE = shape({"elements": many(by_type(WORDS), 1000, 0)})
LETTERS = shape(
    {"elements": many(by_type({"text": WORDS["text"], "link": WORDS["link"]}), 1000, 0)},
    border=integer(0, 1),
)
RICH_TEXT = shape(
    {
        "elements": many(
            by_type(
                {
                    "rich_text_section": PHRASE,
                    "rich_text_list": shape(
                        {
                            "elements": many(by_type({"rich_text_section": PHRASE}), 1000),
                            "style": one_of("bullet", "ordered"),
                        },
                        indent=integer(0, 8),
                        offset=integer(0, 10_000),
                        border=integer(0, 1),
                    ),
                    "rich_text_preformatted": LETTERS,
                    "rich_text_quote": shape(PHRASE.must, border=integer(0, 1)),
                }
            ),
            1000,
        )
    },
    block_id=NAME,
)
CELL = by_type({"raw_text": shape({"text": string(3000)}), "rich_text": RICH_TEXT})


def everything_in(value: Any, where: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Each object in a structure, with its JSON pointer, outermost first."""
    if isinstance(value, dict):
        yield value, where
        for name, held in value.items():
            yield from everything_in(held, f"{where}/{name}")
    elif isinstance(value, list):
        for number, held in enumerate(value):
            yield from everything_in(held, f"{where}/{number}")
