"""What a channel wants each morning, and the entries of feeds it is chosen from: the values.

A **source** is a feed we poll; an **entry** is an article it announced; a **subscription** says
which sources a place wants, at which difficulty, and when. Rules over them are plain functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

from core.article import Language
from core.places import Place
from core.settings import OutputLanguage

SourceKind = Literal["feed", "links"]  # links: entries point at other sites' articles
SourceState = Literal["alive", "paused", "gone"]
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Source:
    """A feed. `url` is where it is asked for now (permanent redirects are followed for good).

    `failures`: how often in a row it did not answer usefully. `interval`: seconds between polls.
    """

    id: str
    url: str
    kind: SourceKind = "feed"
    title: str = ""
    site: str = ""
    language: Language | None = None
    state: SourceState = "alive"
    etag: str | None = None
    last_modified: str | None = None
    interval: float = 3600.0
    polled_at: datetime | None = None
    worked_at: datetime | None = None
    next_at: datetime | None = None
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article a feed announced. `link` is canonical; `identity` is the same for the same entry
    edited, re-dated, or announced by another feed."""

    id: str
    source_id: str
    identity: str
    link: str
    title: str = ""
    summary: str = ""
    published_at: datetime | None = None
    seen_at: datetime | None = None
    digest_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A place's daily digest. `days`: 0 is Monday. `at` is local to `timezone` (IANA name).

    `low` and `high` bound the difficulty, both included. `include`: at least one of these words
    must occur (empty: anything); `avoid`: none may. `quiet`: nothing is posted between these
    local times. `say_nothing_new`: one line on a morning without new articles.
    """

    id: str
    place: Place
    by: str
    sources: tuple[str, ...]
    low: float = 1.0
    high: float = 5.0
    language: OutputLanguage = "auto"
    ui: Language = "en"
    include: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    at: time = time(8, 0)
    timezone: str = "UTC"
    days: frozenset[int] = field(default=EVERY_DAY)
    size: int = 5
    quiet: tuple[time, time] | None = None
    say_nothing_new: bool = False
    paused: bool = False
    secret: str = ""
    created_at: datetime | None = None
