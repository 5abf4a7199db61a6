"""What stands in the head of a text file: YAML between `---`, TOML between `+++`."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

_YAML = re.compile(
    r"\A\s*^---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_TOML = re.compile(r"\A\s*^\+\+\+[ \t]*\n(.*?)\n\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^(\w+)[ \t]*[:=][ \t]+(\S.*)$", re.MULTILINE)
# an alias may stand for another without end; a head of a text has no use for one
_ALIAS = re.compile(r"[:\[,-]\s*[*&]\w")

Head = dict[str, Any]


def front_matter(text: str) -> tuple[Head, str]:
    """The head, empty if there is none, and the text after it."""
    text = text.removeprefix("\ufeff")
    if (found := _TOML.match(text)) is not None:
        return _toml(found[1]), text[found.end() :]
    if (found := _YAML.match(text)) is not None:
        return _yaml(found[1]), text[found.end() :]
    return {}, text


def _toml(head: str) -> Head:
    try:
        return tomllib.loads(head)
    except (tomllib.TOMLDecodeError, RecursionError):
        return _lines(head)


def _yaml(head: str) -> Head:
    try:
        read = None if _ALIAS.search(head) else yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError):
        read = None
    return read if isinstance(read, dict) else _lines(head)


def _lines(head: str) -> Head:
    """A head that is no proper one ("title: Rust: a tour") still names its title."""
    return {key: value.strip().strip("\"'") for key, value in _LINE.findall(head)}


def one(head: Head, key: str) -> str | None:
    value = head.get(key)
    if isinstance(value, list):
        value = ", ".join(str(_name(entry)) for entry in value)
    text = " ".join(str(_name(value)).split()) if value is not None else ""
    return text[:500] or None


def _name(entry: Any) -> Any:
    return entry.get("name", "") if isinstance(entry, dict) else entry


def tags(head: Head) -> tuple[str, ...]:
    return (
        _many(head, "tags", spaced=True)
        or _many(head, "keywords")
        or _many(head, "categories", spaced=True)
    )


def _many(head: Head, key: str, *, spaced: bool = False) -> tuple[str, ...]:
    """Of a list or a line with commas; Jekyll divides its tags by spaces."""
    value = head.get(key)
    named: list[Any] = value if isinstance(value, list) else []
    if isinstance(value, str):
        named = value.split() if spaced and "," not in value else value.split(",")
    found = (" ".join(str(tag).split()) for tag in named)
    return tuple(dict.fromkeys(tag for tag in found if 0 < len(tag) <= 60))[:20]


def date(head: Head) -> str | None:
    found = re.match(r"\d{4}-\d{2}-\d{2}", str(head.get("date") or head.get("published") or ""))
    return found[0] if found else None
