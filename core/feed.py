"""What a channel wants each morning, and the entries of feeds it is chosen from: the values.

A **source** is a feed we poll; what stands in it is **announced**; an **entry** is an article it
announced that was not there before; a **subscription** says which sources a place wants, at which
difficulty, and when. Rules over them are plain functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

from core.article import Language
from core.digest import DigestRecord
from core.mentions import mentions
from core.places import Place
from core.settings import OutputLanguage

SourceKind = Literal["feed", "links"]  # links: entries point at other sites' articles
SourceState = Literal["alive", "paused", "gone"]
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Source:
    """A feed. `url` is where it is asked for now (permanent redirects are followed for good).

    `failures`: how often in a row it did not answer usefully. `interval`: seconds between polls.
    `worked_at`: when it last answered usefully, `changed_at`: when it last had something new.
    `body_hash`: SHA-256 of the last body, for the many that know nothing of ETags. `error`: a
    code of core.errors, why it did not work the last time. "gone" is for good: it said so, or
    failed too often (`core/polling.py`). `ttl` (seconds), `skip_hours` (of UTC) and `skip_days`
    (0: Monday) are what it wishes itself.
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
    changed_at: datetime | None = None
    body_hash: str = ""
    ttl: float = 0.0
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that stands at an address, or that the page there names."""

    url: str
    title: str = ""
    site: str = ""
    kind: SourceKind = "feed"
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """An item as it stands in a feed, made harmless: plain text, a link that can be followed.

    `guid` is the feed's own name for it, "" where it gives none. `link` is the article's, also
    in a feed of links, where `comments` is the page on which people talk about it.
    """

    guid: str
    link: str
    title: str = ""
    summary: str = ""
    published_at: datetime | None = None
    comments: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article a feed announced. `link` is canonical; `identity` is the same for the same entry
    edited, re-dated, or announced by another feed. `id` is this feed's row of it. `digest_id` or
    `error` (a code of core.errors) once its digest was tried."""

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


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry whose article was digested: what a morning is chosen from. `source` is the title
    of the feed that announced it."""

    entry: Entry
    record: DigestRecord
    source: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """Two candidates that share one of these are the same article."""
        return frozenset({self.entry.identity, self.entry.link, self.record.id})


def choose(
    subscription: Subscription, candidates: Iterable[Candidate], posted: Set[str]
) -> list[Candidate]:
    """A morning: of the wished difficulty, language and words, none of the `posted` keys, each
    article once, the best first and no source again before every other one had its turn; at most
    `size`. The order of the candidates does not matter."""
    wanted = (one for one in candidates if not one.keys & posted and is_wanted(subscription, one))
    best = sorted(wanted, key=lambda one: worth(subscription, one), reverse=True)
    return in_turn(distinct(best))[: subscription.size]


def is_wanted(subscription: Subscription, candidate: Candidate) -> bool:
    """Whether it is what the subscription asks for, new or not."""
    record, text = candidate.record, spoken_of(candidate)
    score = record.digest.difficulty_level.score
    include = subscription.include
    return (
        subscription.low <= score <= subscription.high
        and subscription.language in ("auto", record.details.language)
        and (not include or any(mentions(text, word) for word in include))
        and not any(mentions(text, word) for word in subscription.avoid)
    )


def spoken_of(candidate: Candidate) -> str:
    """Where wished words are looked for: what was announced and what the digest says."""
    entry, record = candidate.entry, candidate.record
    terms = (one.term for one in record.digest.technical_terms)
    title = record.article.title or ""
    return "\n".join(
        (entry.title, title, entry.summary, record.digest.summary, *record.digest.keywords, *terms)
    )


def worth(subscription: Subscription, candidate: Candidate) -> tuple[int, date, float, str, str]:
    """More is better: how many of the wished words it is about, then the day it came out, then
    how near it is to the middle of the wished difficulty. Identity and row only settle ties."""
    text = spoken_of(candidate)
    about = sum(mentions(text, word) for word in subscription.include)
    middle = (subscription.low + subscription.high) / 2
    away = abs(candidate.record.digest.difficulty_level.score - middle)
    entry = candidate.entry
    return about, came_out(entry), -away, entry.identity, entry.id


def came_out(entry: Entry) -> date:
    """The day by its own word, but never one after we saw it (feeds announce the future, too)."""
    known = [moment.date() for moment in (entry.published_at, entry.seen_at) if moment is not None]
    return min(known, default=date.min)


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first of those that are the same article."""
    seen: set[str] = set()
    found = []
    for one in candidates:
        if not one.keys & seen:
            found.append(one)
        seen |= one.keys
    return found


def in_turn(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Every source's best in their order, then every source's second, and so on."""
    turns: Counter[str] = Counter()
    numbered = []
    for one in candidates:
        numbered.append((turns[one.entry.source_id], one))
        turns[one.entry.source_id] += 1
    return [one for _, one in sorted(numbered, key=lambda pair: pair[0])]
