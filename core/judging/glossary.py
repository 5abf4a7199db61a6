"""The bundled glossary: the CNCF Cloud Native Glossary, CC-BY-4.0, in English and Korean."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

from core.article import Language
from core.judging.kept import lines
from core.judging.names import mention
from core.language import sentences, stem

CREDIT = "CNCF Cloud Native Glossary, CC BY 4.0"


class Entry(NamedTuple):
    """`explanation` is the beginning of the entry, at most two sentences; `name` is one for each
    entry of a language."""

    explanation: str
    credit: str
    name: str


# Names by which people call what the glossary has under another one.
_ALIASES = {
    "k8s": "kubernetes",
    "api": "application programming interface",
    "iac": "infrastructure as code",
    "faas": "function as a service",
    "mtls": "mutual transport layer security",
    "tls": "transport layer security",
    "vm": "virtual machine",
    "sre": "site reliability engineering",
    "ci": "continuous integration",
    "cd": "continuous delivery",
}


# "How or even if services differ from microservices is nuanced …, please refer to microservices":
# an entry that says what people think of the word, and nowhere what it means.
_UNDEFINED = frozenset({"service"})


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    rows = map(json.loads, lines("glossary.jsonl.gz"))
    return tuple(row for row in rows if row["slug"] not in _UNDEFINED)


@lru_cache(maxsize=1)
def _known() -> dict[tuple[str, str], int]:
    """The row of each name in each language."""
    found: dict[tuple[str, str], int] = {}
    for number, row in enumerate(_rows()):
        for name in (*_names(row["term"]), row["slug"].replace("-", " ")):
            found.setdefault((_key(name), row["language"]), number)
    return found


@lru_cache(maxsize=1024)
def _entry(number: int) -> Entry:
    # Cut when it is asked for: cutting all of them takes Korean's grammar and four seconds.
    row = _rows()[number]
    language: Language = "ko" if row["language"] == "ko" else "en"
    explanation = _beginning(row["definition"], _names(row["term"]), language)
    return Entry(explanation, CREDIT, row["term"])


def _names(term: str) -> list[str]:
    """ "서비스 메시 (Service Mesh)" is known by both of its names."""
    match = re.fullmatch(r"(.+?)\s*\(([^)]+)\)", term)
    return [match.group(1), match.group(2)] if match else [term]


def _beginning(text: str, names: list[str], language: Language) -> str:
    """From the sentence that begins with the term on: the entry may first tell of a problem."""
    found = sentences(text.split("\n\n")[0], language)
    named = re.compile(rf"(?:(?i:an?|the)\s+)?(?:{mention(names).pattern})")
    start = next((n for n, sentence in enumerate(found) if named.match(sentence)), 0)
    kept = [one for one in found[start + 1 : start + 2] if not _EXAMPLE.match(one)]
    return " ".join(found[start : start + 1] + kept)


# An example begins that the next sentences would go on with.
_EXAMPLE = re.compile(r"Take |Let's |Here's |For example|In this example|예를 들어")


def _key(name: str) -> str:
    return " ".join(stem(word) for word in name.lower().replace("-", " ").split())


def lookup(term: str, language: Language) -> Entry | None:
    """The entry of a term under any of its names, in that language only."""
    name = _ALIASES.get(term.lower().strip(), term)
    number = _known().get((_key(name), language))
    return None if number is None else _entry(number)


def all_names(entry: Entry) -> list[str]:
    """What an entry is called: "서비스 메시" and "Service Mesh"."""
    return _names(entry.name)


def warm_up() -> None:
    """The first look loads a Korean analyser, which takes seconds; whoever asks then would wait,
    and with them everybody who has to be answered within three."""
    lookup("api", "ko")


def names(language: Language) -> list[str]:
    """The names of all entries in a language as they are written there, longest first."""
    found = {name for row in _rows() if row["language"] == language for name in _names(row["term"])}
    return sorted(found, key=lambda name: (-len(name), name))
