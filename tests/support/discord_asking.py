"""What people ask of the bot by commands, buttons, menus and forms, as far as Discord lets them.

A person can only press what is there, and only give what a command takes: everything else
raises LookupError, PermissionError or ValueError in the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from support.discord_commands import (
    GROUP,
    MESSAGE_MENU,
    SLASH,
    SUBCOMMAND,
    USER_MENU,
    Commands,
)
from support.discord_components import BUTTON, SELECTS, STRING_SELECT, TEXT_INPUT, walk
from support.discord_entities import Channel, Json, Message, User
from support.discord_interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
)

STRING_OPTION, INTEGER_OPTION, BOOLEAN_OPTION, USER_OPTION, CHANNEL_OPTION = 3, 4, 5, 6, 7
NUMBER_OPTION = 10
PYTHON_TYPES: dict[int, type | tuple[type, ...]] = {
    STRING_OPTION: str,
    INTEGER_OPTION: int,
    BOOLEAN_OPTION: bool,
    USER_OPTION: User,
    CHANNEL_OPTION: Channel,
    NUMBER_OPTION: (int, float),
}


class Asking:
    commands: Commands
    interactions: Interactions

    async def slash(
        self,
        user: User,
        channel: Channel,
        name: str,
        subcommand: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """`/name subcommand option:value`; a subcommand in a group is `"group subcommand"`."""
        command, data = self._invoked(user, channel, name, SLASH)
        path = (subcommand or "").split()
        taken = descend(command, path)
        resolved: Json = {}
        given = [
            one_option(taken, option, value, resolved) for option, value in (options or {}).items()
        ]
        missing = [
            option["name"]
            for option in taken
            if option.get("required") and option["name"] not in (options or {})
        ]
        if missing:
            raise ValueError(f"/{name} needs {missing}")
        data["options"] = wrapped(path, given)
        if resolved:
            data["resolved"] = with_members(resolved, channel)
        return self.interactions.ask(COMMAND, user, channel, data)

    async def autocomplete(
        self,
        user: User,
        channel: Channel,
        name: str,
        subcommand: str | None,
        option: str,
        typed: str,
    ) -> Interaction:
        """While somebody types; the bot's answer becomes `.choices`."""
        command, data = self._invoked(user, channel, name, SLASH)
        path = (subcommand or "").split()
        known = {one["name"]: one for one in descend(command, path)}
        if not known[option].get("autocomplete"):
            raise LookupError(f"{option} of /{name} has no autocomplete")
        entry = {"name": option, "type": known[option]["type"], "value": typed, "focused": True}
        data["options"] = wrapped(path, [entry])
        return self.interactions.ask(AUTOCOMPLETE, user, channel, data)

    async def context_menu(
        self, user: User, target: Message | User, name: str, channel: Channel | None = None
    ) -> Interaction:
        """A message's menu, or a user's (then `channel` says where)."""
        if isinstance(target, Message):
            _, data = self._invoked(user, target.channel, name, MESSAGE_MENU)
            shown = target.payload()
            data |= {"target_id": str(target.id), "resolved": {"messages": {str(target.id): shown}}}
            return self.interactions.ask(COMMAND, user, target.channel, data)
        if channel is None:
            raise ValueError("a user's menu is opened somewhere")
        _, data = self._invoked(user, channel, name, USER_MENU)
        people: Json = {"users": {str(target.id): target.payload()}}
        data |= {"target_id": str(target.id), "resolved": with_members(people, channel)}
        return self.interactions.ask(COMMAND, user, channel, data)

    async def press(self, message: Message, button: str, user: User) -> Interaction:
        """`button`: its custom_id, or its label."""
        found = reachable(message, button, user, (BUTTON,))
        data = {"component_type": BUTTON, "custom_id": found["custom_id"], "id": found.get("id")}
        return self.interactions.ask(COMPONENT, user, message.channel, data, message)

    async def choose(
        self, message: Message, select: str, values: str | Sequence[str], user: User
    ) -> Interaction:
        """`select`: its custom_id, or its placeholder; `values` must be among its options."""
        found = reachable(message, select, user, SELECTS)
        chosen = [values] if isinstance(values, str) else list(values)
        if found["type"] == STRING_SELECT:
            possible = {option["value"] for option in found["options"]}
            if not set(chosen) <= possible:
                raise LookupError(f"{chosen} are not among {sorted(possible)}")
        check_count(found, chosen)
        data = {"component_type": found["type"], "custom_id": found["custom_id"]}
        data |= {"values": chosen, "id": found.get("id")}
        return self.interactions.ask(COMPONENT, user, message.channel, data, message)

    async def submit(self, asked: Interaction, values: Mapping[str, Any]) -> Interaction:
        """Fills in the form that answered `asked`; texts by custom_id, choices as lists."""
        if asked.modal is None:
            raise LookupError("the bot answered with no form")
        left = dict(values)
        parts = [filled(part, left) for part in asked.modal["components"]]
        if left:
            raise LookupError(f"the form has no {sorted(left)}")
        data = {"custom_id": asked.modal["custom_id"], "components": parts}
        return self.interactions.ask(MODAL_SUBMIT, asked.user, asked.channel, data, asked.source)

    def _invoked(self, user: User, channel: Channel, name: str, kind: int) -> tuple[Json, Json]:
        guild = channel.guild
        if guild is not None:
            guild.join(user)
        command, scope = self.commands.named(name, kind, guild.id if guild else None)
        if guild is None and (command.get("dm_permission") is False or not in_direct(command)):
            raise PermissionError(f"{name} is not offered in direct messages")
        needed = command.get("default_member_permissions")
        if guild is not None and needed is not None:
            missing = int(needed) & ~channel.permissions_of(user)
            if missing or needed == "0":
                raise PermissionError(f"{user.name} is not offered {name}")
        if not channel.may(user, "use_application_commands"):
            raise PermissionError(f"{user.name} may not use commands in {channel.name}")
        data: Json = {"id": command["id"], "name": name, "type": kind}
        if scope is not None:
            data["guild_id"] = str(scope)
        return command, data


def in_direct(command: Json) -> bool:
    contexts = command.get("contexts")
    return contexts is None or 1 in contexts


def descend(command: Json, path: Sequence[str]) -> list[Json]:
    """The options of a subcommand. Raises LookupError where it does not exist."""
    options = list(command.get("options") or [])
    for step in path:
        names = {one["name"]: one for one in options if one["type"] in {SUBCOMMAND, GROUP}}
        if step not in names:
            raise LookupError(f"no subcommand {step!r} among {sorted(names)}")
        options = list(names[step].get("options") or [])
    if any(one["type"] in {SUBCOMMAND, GROUP} for one in options):
        raise LookupError(f"a subcommand must be chosen of {[one['name'] for one in options]}")
    return options


def wrapped(path: Sequence[str], given: list[Json]) -> list[Json]:
    for depth, step in enumerate(reversed(path)):
        given = [{"type": SUBCOMMAND if depth == 0 else GROUP, "name": step, "options": given}]
    return given


def one_option(taken: list[Json], name: str, value: Any, resolved: Json) -> Json:
    """Raises LookupError or ValueError for what Discord would not let a person enter."""
    known = {one["name"]: one for one in taken}
    if name not in known:
        raise LookupError(f"no option {name!r} among {sorted(known)}")
    option = known[name]
    kind = option["type"]
    if not isinstance(value, PYTHON_TYPES[kind]):
        raise ValueError(f"{name} is not a {PYTHON_TYPES[kind]}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise ValueError(f"{value!r} is none of {choices}")
    if isinstance(value, User):
        resolved.setdefault("users", {})[str(value.id)] = value.payload()
        value = str(value.id)
    elif isinstance(value, Channel):
        shown = value.payload() | {"permissions": "0"}
        resolved.setdefault("channels", {})[str(value.id)] = shown
        value = str(value.id)
    elif isinstance(value, str):
        check_length(option, value)
    return {"name": name, "type": kind, "value": value}


def with_members(resolved: Json, channel: Channel) -> Json:
    """In a guild people come as members too, those who are."""
    guild = channel.guild
    if guild is None:
        return resolved
    members: Json = {}
    for user_id in resolved.get("users", {}):
        user = guild.members.get(int(user_id))
        if user is not None:
            member = guild.member_payload(user)
            for elsewhere in ("user", "deaf", "mute"):
                member.pop(elsewhere)
            members[user_id] = member | {"permissions": str(channel.permissions_of(user))}
    return resolved | {"members": members}


def check_length(field: Json, value: str) -> None:
    least = field.get("min_length") or 0
    most = field.get("max_length") or (6000 if "name" in field else 4000)
    if not least <= len(value) <= most:
        raise ValueError(f"{len(value)} characters, wanted {least} to {most}")


def check_count(select: Json, chosen: Sequence[str]) -> None:
    least = 1 if select.get("min_values") is None else select["min_values"]
    most = 1 if select.get("max_values") is None else select["max_values"]
    if not least <= len(chosen) <= most:
        raise ValueError(f"{len(chosen)} chosen, wanted {least} to {most}")


def reachable(message: Message, wanted: str, user: User, kinds: Sequence[int]) -> Json:
    """The component that this person sees and can use."""
    if message.deleted or (message.only_for is not None and message.only_for is not user):
        raise LookupError(f"{user.name} does not see this message")
    there = [one for _, one in walk(message.components) if one["type"] in kinds]
    for name in ("custom_id", "label", "placeholder"):
        for one in there:
            if one.get(name) == wanted and one.get("custom_id"):
                if one.get("disabled"):
                    raise LookupError(f"{wanted} is disabled")
                return one
    names = [one.get("custom_id") or one.get("url") for one in there]
    raise LookupError(f"no {wanted!r} among {names}")


def filled(part: Json, values: dict[str, Any]) -> Json:
    """A modal's part as it comes back."""
    inner = part.get("component")
    if isinstance(inner, dict):
        return {"type": part["type"], "id": 1, "component": filled_in(inner, values)}
    children = [filled_in(child, values) for child in part.get("components") or []]
    return {"type": part["type"], "id": 1} | ({"components": children} if children else {})


def filled_in(field: Json, values: dict[str, Any]) -> Json:
    custom_id = field["custom_id"]
    back = {"type": field["type"], "custom_id": custom_id, "id": 1}
    if field["type"] == TEXT_INPUT:
        value = values.pop(custom_id, field.get("value") or "")
        if value or field.get("required", True):
            check_length({"min_length": 1, **without_nulls(field)}, value)
        return back | {"value": value}
    chosen = values.pop(custom_id, [])
    if chosen or field.get("required", True):
        check_count(field, chosen)
    return back | {"values": chosen}


def without_nulls(field: Json) -> Json:
    return {name: value for name, value in field.items() if value is not None}
