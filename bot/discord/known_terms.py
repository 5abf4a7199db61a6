"""Terms we could explain, for those who begin to type one. A pure choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.replies import plain
from core.digest import DigestRecord
from core.judging import glossary

MOST, LONGEST = 25, 100  # of Discord's


def known_terms(typed: str, recent: Sequence[DigestRecord], names: Iterable[str]) -> list[str]:
    """Those that begin with what was typed, then those that contain it; articles' own first."""
    asked = typed.casefold().strip()
    begin, contain = [], []
    read = (term.term for record in recent for term in record.digest.technical_terms)
    for name in _distinct((*read, *names)):
        folded = name.casefold()
        if folded.startswith(asked):
            begin.append(name)
        elif asked in folded:
            contain.append(name)
    return [*begin, *contain][:MOST]


def _distinct(names: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for name in map(plain, names):
        if name and len(name) <= LONGEST:
            found.setdefault(name.casefold(), name)
    return list(found.values())


def glossary_names() -> list[str]:
    return [*glossary.names("ko"), *glossary.names("en")]


def warm_up() -> None:
    """The first look into the glossary loads a Korean analyser, which takes seconds; whoever
    asks then would wait, and with them everybody whose press has to be answered within three."""
    glossary.lookup("api", "ko")
