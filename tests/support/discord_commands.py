"""Application commands over REST: what Discord takes as one, and how often they were synced.

Source: discord/discord-api-docs, `developers/interactions/application-commands.mdx`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.discord_entities import Json
from support.discord_forms import (
    Mistakes,
    Path,
    Rule,
    boolean,
    integer,
    items,
    number,
    one_of,
    shape,
    text,
)
from support.discord_rest import Call
from support.discord_world import Refused, World, unknown

SLASH, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, NUMBER = 1, 2, 3, 4, 10
MOST = {SLASH: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MOST_CHARACTERS = 8000
CREATED_A_DAY = 200
NAME_PATTERN = r"[-_'\w\u0900-\u097f\u0e00-\u0e7f]{1,32}"
LOCALES = (
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg "
    "ru uk hi th zh-CN ja zh-TW ko"
).split()


def slash_name(mistakes: Mistakes, path: Path, value: Any) -> None:
    before = len(mistakes.found)
    text(1, 32, NAME_PATTERN)(mistakes, path, value)
    if len(mistakes.found) == before and value != value.lower():
        sentence = "Command name is invalid: upper case letters are not allowed"
        mistakes.add(path, "APPLICATION_COMMAND_INVALID_NAME", sentence)


def localised(rule: Rule) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, dict):
            sentence = "Only dictionaries may be used in a DictType"
            mistakes.add(path, "DICT_TYPE_CONVERT", sentence)
            return
        for locale, words in value.items():
            if locale not in LOCALES:
                one_of(*LOCALES)(mistakes, (*path, locale), locale)
            rule(mistakes, (*path, locale), words)

    return check


def choice_value(mistakes: Mistakes, path: Path, value: Any) -> None:
    if isinstance(value, str):
        text(1, 100)(mistakes, path, value)
    else:
        number(mistakes, path, value)


DESCRIPTION = text(1, 100)
CHOICE = shape(
    {"name": text(1, 100), "value": choice_value},
    {"name_localizations": localised(text(1, 100))},
)
_NAMED: dict[str, Rule] = {
    "name_localizations": localised(slash_name),
    "description_localizations": localised(DESCRIPTION),
}


def options_of(mistakes: Mistakes, path: Path, value: Any) -> None:
    """25 options, the required ones first, no name twice, subcommands and values not mixed."""
    items(0, 25, option)(mistakes, path, value)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return
    optional_seen, names = False, set()
    for index, entry in enumerate(value):
        if entry.get("required") and optional_seen:
            sentence = "Required options must be placed before non-required options"
            place = (*path, index)
            mistakes.add(place, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", sentence)
        optional_seen |= not entry.get("required")
        if entry.get("name") in names:
            sentence = "Option name must be unique"
            mistakes.add((*path, index), "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", sentence)
        names.add(entry.get("name"))
    kinds = {entry.get("type") in {SUBCOMMAND, GROUP} for entry in value}
    if len(kinds) > 1:
        sentence = "Sub-command and sub-command group option types are mutually exclusive"
        mistakes.add(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", sentence)


def option(mistakes: Mistakes, path: Path, value: Any) -> None:
    optional: dict[str, Rule] = {
        "required": boolean,
        "choices": items(0, 25, CHOICE),
        "options": options_of,
        "channel_types": items(0, 20, integer(0, 16)),
        "min_value": number,
        "max_value": number,
        "min_length": integer(0, 6000),
        "max_length": integer(1, 6000),
        "autocomplete": boolean,
    }
    required = {"type": integer(1, 11), "name": slash_name, "description": DESCRIPTION}
    shape(required, _NAMED | optional)(mistakes, path, value)
    if isinstance(value, dict):
        option_together(mistakes, path, value)


def option_together(mistakes: Mistakes, path: Path, value: Json) -> None:
    kind = value.get("type")
    if value.get("options") and kind not in {SUBCOMMAND, GROUP}:
        sentence = "Only subcommands and groups have options"
        mistakes.add((*path, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", sentence)
    if value.get("autocomplete") and (value.get("choices") or kind not in {3, 4, 10}):
        sentence = "Autocomplete is for strings and numbers without choices"
        code = "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES_MUTUALLY_EXCLUSIVE"
        mistakes.add((*path, "autocomplete"), code, sentence)
    if kind == GROUP:
        for index, inner in enumerate(value.get("options") or []):
            if isinstance(inner, dict) and inner.get("type") != SUBCOMMAND:
                place = (*path, "options", index, "type")
                one_of(SUBCOMMAND)(mistakes, place, inner.get("type"))


_COMMON: dict[str, Rule] = {
    "default_member_permissions": lambda m, p, v: text(1, 20, r"\d+")(m, p, str(v)),
    "dm_permission": boolean,
    "default_permission": boolean,
    "nsfw": boolean,
    "contexts": items(0, 3, one_of(0, 1, 2)),
    "integration_types": items(1, 2, one_of(0, 1)),
    "type": one_of(SLASH, USER_MENU, MESSAGE_MENU),
    "id": lambda m, p, v: None,
}
SLASH_COMMAND = shape(
    {"name": slash_name, "description": DESCRIPTION}, _COMMON | _NAMED | {"options": options_of}
)
MENU = shape({"name": text(1, 32)}, _COMMON | {"name_localizations": localised(text(1, 32))})


def command(mistakes: Mistakes, path: Path, value: Any) -> None:
    kind = value.get("type", SLASH) if isinstance(value, dict) else SLASH
    if kind == SLASH:
        SLASH_COMMAND(mistakes, path, value)
    else:
        MENU(mistakes, path, value)
        for name in ("description", "options"):
            if value.get(name):
                code = "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED"
                mistakes.add((*path, name), code, f"Context menu commands cannot have {name}")
    if isinstance(value, dict) and characters(value) > MOST_CHARACTERS:
        sentence = f"Command exceeds maximum size ({MOST_CHARACTERS})"
        mistakes.add(path, "APPLICATION_COMMAND_TOO_LARGE", sentence)


def characters(value: Json) -> int:
    """Names, descriptions and values; of localisations the longest counts."""
    total = len(str(value.get("value", ""))) if "value" in value else 0
    for name in ("name", "description"):
        words = [str(value.get(name, "")), *(value.get(f"{name}_localizations") or {}).values()]
        total += max(len(str(one)) for one in words)
    for inner in [*(value.get("options") or []), *(value.get("choices") or [])]:
        total += characters(inner) if isinstance(inner, dict) else 0
    return total


class Commands:
    """`syncs` counts bulk overwrites; scope None is global, else a guild's id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_scope: dict[int | None, dict[tuple[int, str], Json]] = {}
        self.syncs = 0
        self.created = 0

    def routes(self) -> dict[str, Callable[[Call], object]]:
        found: dict[str, Callable[[Call], object]] = {}
        for base in ("/applications/{application}", "/applications/{application}/guilds/{guild}"):
            found |= {
                f"GET {base}/commands": self.all,
                f"PUT {base}/commands": self.overwrite,
                f"POST {base}/commands": self.create,
                f"GET {base}/commands/{{command}}": self.one,
                f"PATCH {base}/commands/{{command}}": self.change,
                f"DELETE {base}/commands/{{command}}": self.delete,
            }
        return found

    def all(self, call: Call) -> list[Json]:
        """Localisations only when asked for, as Discord does."""
        whole = call.query.get("with_localizations") in {"1", "true", "True"}
        return [self._shown(one, whole) for one in self._scope(call).values()]

    def one(self, call: Call) -> Json:
        return self._shown(self._find(call), whole=True)

    def overwrite(self, call: Call) -> list[Json]:
        scope = self._scope(call)
        mistakes = Mistakes()
        items(0, 200, command)(mistakes, (), call.form)
        mistakes.refuse()
        before = dict(scope)
        forms = {key(form): form for form in call.form}
        if len(forms) < len(call.form):
            sentence = "Application command names must be unique"
            mistakes.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", sentence)
            mistakes.refuse()
        check_counts(forms)
        self._count_created(len(forms.keys() - before.keys()))
        scope.clear()
        for name, form in forms.items():
            scope[name] = self._kept(call, form, before.get(name))
        self.syncs += 1
        return [self._shown(one, whole=True) for one in scope.values()]

    def create(self, call: Call) -> Json:
        scope = self._scope(call)
        check_command(call.form)
        name = key(call.form)
        check_counts({**scope, name: call.form})
        self._count_created(name not in scope)
        scope[name] = self._kept(call, call.form, scope.get(name))
        return self._shown(scope[name], whole=True)

    def change(self, call: Call) -> Json:
        before = self._find(call)
        form = {name: before[name] for name in before if name not in SET_BY_DISCORD} | call.form
        check_command(form)
        scope = self._scope(call)
        scope.pop(key(before))
        scope[key(form)] = self._kept(call, form, before)
        return self._shown(scope[key(form)], whole=True)

    def delete(self, call: Call) -> None:
        self._scope(call).pop(key(self._find(call)))

    def named(self, name: str, kind: int, guild_id: int | None) -> tuple[Json, int | None]:
        """The command a person in this guild sees, and its scope. Raises LookupError."""
        for scope in (guild_id, None):
            found = self.by_scope.get(scope, {}).get((kind, name))
            if found is not None:
                return found, scope
        known = [key for scope in self.by_scope.values() for key in scope]
        raise LookupError(f"no command {name!r} of type {kind} was synced; known: {known}")

    def _scope(self, call: Call) -> dict[tuple[int, str], Json]:
        if call.id("application") != self.world.application_id:
            raise Refused(403, 20012, "You are not authorized to perform this action")
        guild_id = call.id("guild") if "guild" in call.values else None
        guild = self.world.guilds.get(guild_id) if guild_id else None
        if guild_id is not None and (guild is None or not guild.bot_is_in):
            raise Refused(403, 50001, "Missing Access")
        return self.by_scope.setdefault(guild_id, {})

    def _find(self, call: Call) -> Json:
        for found in self._scope(call).values():
            if found["id"] == call.values["command"]:
                return found
        raise unknown("application command", 10063)

    def _kept(self, call: Call, form: Json, before: Json | None) -> Json:
        """Unchanged commands keep id and version."""
        same = before and {n: v for n, v in before.items() if n not in SET_BY_DISCORD} == form
        if before and same:
            return before
        kept = {"type": SLASH, "description": "", **form}
        kept["id"] = before["id"] if before else str(self.world.new_id())
        kept |= {"application_id": str(self.world.application_id)}
        kept |= {"version": str(self.world.new_id())}
        if kept.get("default_member_permissions") is not None:
            kept["default_member_permissions"] = str(kept["default_member_permissions"])
        if "guild" in call.values:
            kept["guild_id"] = call.values["guild"]
        return kept

    def _count_created(self, more: int) -> None:
        self.created += more
        if self.created > CREATED_A_DAY:
            sentence = "Max number of daily application command creates has been reached (200)"
            raise Refused(400, 30034, sentence)

    def _shown(self, kept: Json, whole: bool) -> Json:
        if whole:
            return kept
        return {name: v for name, v in kept.items() if not name.endswith("_localizations")}


SET_BY_DISCORD = {"id", "application_id", "version", "guild_id"}


def key(form: Json) -> tuple[int, str]:
    return form.get("type", SLASH), form["name"]


def check_command(form: Any) -> None:
    """Raises Refused 50035."""
    mistakes = Mistakes()
    command(mistakes, (), form)
    mistakes.refuse()


def check_counts(forms: dict[tuple[int, str], Json]) -> None:
    """Raises Refused 30032 beyond 100 slash commands or 15 context menus of a kind."""
    for kind, most in MOST.items():
        if sum(1 for one, _ in forms if one == kind) > most:
            sentence = f"Maximum number of application commands reached ({most})"
            raise Refused(400, 30032, sentence)
