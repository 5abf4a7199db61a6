"""Rules for JSON forms, and Discord's way of saying what is wrong with one.

A rule is a function that adds to `Mistakes`; `shape` refuses fields that it does not know.
Optional fields may be null, as Discord reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from support.discord_entities import Json
from support.discord_world import Refused

Path = tuple[str | int, ...]
REQUIRED = ("BASE_TYPE_REQUIRED", "This field is required")


class Mistakes:
    """What is wrong, by path."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, str, str]] = []

    def add(self, path: Path, code: str, sentence: str) -> None:
        self.found.append((path, code, sentence))

    def refuse(self) -> None:
        """Raises Refused 50035 with the tree of errors if anything is wrong."""
        if not self.found:
            return
        tree: Json = {}
        for path, code, sentence in self.found:
            node = tree
            for step in path:
                node = node.setdefault(str(step), {})
            node.setdefault("_errors", []).append({"code": code, "message": sentence})
        raise Refused(400, 50035, "Invalid Form Body", tree)


Rule = Callable[[Mistakes, Path, Any], None]


def mistake_at(field: str, code: str, sentence: str) -> Refused:
    """A form with one mistake."""
    errors = {field: {"_errors": [{"code": code, "message": sentence}]}}
    return Refused(400, 50035, "Invalid Form Body", errors)


def text(minimum: int, maximum: int, pattern: str | None = None) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, str):
            mistakes.add(path, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        elif len(value) > maximum and minimum == 0:
            sentence = f"Must be {maximum} or fewer in length."
            mistakes.add(path, "BASE_TYPE_MAX_LENGTH", sentence)
        elif not value and minimum:
            mistakes.add(path, *REQUIRED)
        elif not minimum <= len(value) <= maximum:
            sentence = f"Must be between {minimum} and {maximum} in length."
            mistakes.add(path, "BASE_TYPE_BAD_LENGTH", sentence)
        elif pattern and not re.fullmatch(pattern, value):
            sentence = f"String value did not match validation regex {pattern}."
            mistakes.add(path, "STRING_TYPE_REGEX", sentence)

    return check


def integer(minimum: int, maximum: int) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            mistakes.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < minimum:
            sentence = f"int value should be greater than or equal to {minimum}."
            mistakes.add(path, "NUMBER_TYPE_MIN", sentence)
        elif value > maximum:
            sentence = f"int value should be less than or equal to {maximum}."
            mistakes.add(path, "NUMBER_TYPE_MAX", sentence)

    return check


def number(mistakes: Mistakes, path: Path, value: Any) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        mistakes.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')


def boolean(mistakes: Mistakes, path: Path, value: Any) -> None:
    if not isinstance(value, bool):
        mistakes.add(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


def snowflake(mistakes: Mistakes, path: Path, value: Any) -> None:
    if isinstance(value, bool) or not str(value).isdecimal():
        mistakes.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')


def anything(mistakes: Mistakes, path: Path, value: Any) -> None:
    """For what Discord ignores."""


def one_of(*values: Any) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if value not in values or isinstance(value, bool):
            shown = ", ".join(map(str, values))
            mistakes.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{shown}}}.")

    return check


def url(maximum: int, schemes: tuple[str, ...] = ("http", "https")) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        before = len(mistakes.found)
        text(1, maximum)(mistakes, path, value)
        if len(mistakes.found) > before:
            return
        parts = urlsplit(value)
        if parts.scheme not in schemes:
            sentence = f'Scheme "{parts.scheme}" must be one of {schemes}.'
            mistakes.add(path, "URL_TYPE_INVALID_SCHEME", sentence)
        elif parts.scheme != "attachment" and (not parts.hostname or " " in value):
            mistakes.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")

    return check


def items(minimum: int, maximum: int, rule: Rule) -> Rule:
    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, list):
            mistakes.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return
        if len(value) > maximum and minimum == 0:
            sentence = f"Must be {maximum} or fewer in length."
            mistakes.add(path, "BASE_TYPE_MAX_LENGTH", sentence)
        elif not minimum <= len(value) <= maximum:
            sentence = f"Must be between {minimum} and {maximum} in length."
            mistakes.add(path, "BASE_TYPE_BAD_LENGTH", sentence)
        for index, item in enumerate(value):
            rule(mistakes, (*path, index), item)

    return check


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    """An object of these fields and no others."""

    def check(mistakes: Mistakes, path: Path, value: Any) -> None:
        if not isinstance(value, dict):
            sentence = "Only dictionaries may be used in a DictType"
            mistakes.add(path, "DICT_TYPE_CONVERT", sentence)
            return
        for name, rule in required.items():
            if value.get(name) is None:
                mistakes.add((*path, name), *REQUIRED)
            else:
                rule(mistakes, (*path, name), value[name])
        for name, content in value.items():
            if name in optional and content is not None:
                optional[name](mistakes, (*path, name), content)
            elif name not in required and name not in optional:
                sentence = f"Unknown field {name!r}: Discord would ignore what is meant by it."
                mistakes.add((*path, name), "UNKNOWN_FIELD", sentence)

    return check
