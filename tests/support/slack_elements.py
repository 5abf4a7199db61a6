"""The elements that a person sees in the test's Slack, and what choosing in them sends along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from support.slack_blocks import everything_in
from support.slack_world import Json, Message, View


def blocks_of(shown: Message | View) -> list[Json]:
    if isinstance(shown, Message):
        return shown.blocks
    blocks: list[Json] = shown.content["blocks"]
    return blocks


def element_in(shown: Message | View, action_id: str) -> tuple[Json, str]:
    """The element and its block's id; Slack makes up the ids that the app left out."""
    for number, block in enumerate(blocks_of(shown)):
        for held, _ in everything_in(block):
            if held.get("action_id") == action_id:
                return held, block.get("block_id", f"block-{number}")
    raise AssertionError(f"there is no {action_id} here, only {sorted(_action_ids(shown))}")


def _action_ids(shown: Message | View) -> Iterator[str]:
    for held, _ in everything_in(blocks_of(shown)):
        if "action_id" in held:
            yield str(held["action_id"])


def options_in(holder: Json) -> list[Json]:
    """Of an element, or of an answer to a block_suggestion; those of its groups, too."""
    options: list[Json] = list(holder.get("options", []))
    for group in holder.get("option_groups", []):
        options += group["options"]
    return options


def _option(element: Json, value: str, offered: Sequence[Json]) -> Json:
    """What is chosen must be there: sent along, chosen from the beginning, or offered since."""
    initial = [element["initial_option"]] if "initial_option" in element else []
    known: list[Json] = [
        *options_in(element),
        *initial,
        *element.get("initial_options", []),
        *offered,
    ]
    for option in known:
        if option["value"] == value:
            return option
    values = [option["value"] for option in known]
    raise AssertionError(f"{element['action_id']} has no option {value}, only {values}")


_ONE_OPTION = ("static_select", "external_select", "radio_buttons", "overflow")
_SEVERAL_OPTIONS = ("checkboxes", "multi_static_select", "multi_external_select")
_PICKED = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}


def chosen_in(element: Json, value: Any, offered: Sequence[Json] = ()) -> Json:
    """What a person chose or wrote, in the words of this kind of element."""
    kind: str = element["type"]
    if kind in _ONE_OPTION:
        return {"selected_option": None if value is None else _option(element, value, offered)}
    if kind in _SEVERAL_OPTIONS:
        chosen = [value] if isinstance(value, str) else value or []
        most = element.get("max_selected_items", len(chosen))
        assert len(chosen) <= most, f"{element['action_id']} takes {most} at most"
        return {"selected_options": [_option(element, each, offered) for each in chosen]}
    if kind in _PICKED:
        return {_PICKED[kind]: value}
    return {"value": value}


def _initial(element: Json) -> Any:
    for name, held in element.items():
        if name == "initial_option":
            return held["value"]
        if name == "initial_options":
            return [option["value"] for option in held]
        if name.startswith("initial_"):
            return held
    return None


def state_of(view: View, values: dict[str, Any]) -> Json:
    """`view.state.values`; a person cannot send a form whose required fields are empty."""
    state: Json = {}
    left = dict(values)
    for number, block in enumerate(view.content["blocks"]):
        for held, _ in everything_in(block):
            action_id = held.get("action_id")
            if action_id is None or held["type"] in ("button", "overflow"):
                continue
            value = left.pop(action_id, _initial(held))
            required = block["type"] == "input" and not block.get("optional", False)
            assert value not in (None, "", []) or not required, f"{action_id} must be filled in"
            filled = {
                "type": held["type"],
                **chosen_in(held, value, view.offered.get(action_id, ())),
            }
            state.setdefault(block.get("block_id", f"block-{number}"), {})[action_id] = filled
    assert not left, f"the form has no {sorted(left)}"
    return state
