"""What is asked of the things we have read, and what is found: values only.

A **reach** says whose articles may be seen at all. There is no default: whoever asks has to say
on whose behalf, and what nobody may read is not found instead of being hidden afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.article import Language
from core.digest import Label
from core.places import Platform


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept here: for who sits at the machine itself (local page, command line)."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What was shared, answered and not withdrawn in these channels of a workspace.

    `channels` are those that the asking person may read; with none, nothing is found.
    """

    platform: Platform
    workspace: str
    channels: frozenset[str]


Reach = Everything | Channels


@dataclass(frozen=True, slots=True)
class Filters:
    """`easiest` to `hardest` difficulty (1.0 to 5.0, both included), `language` of the article,
    `site` as `core.links.site_of` writes it, digests made `since` then."""

    easiest: float = 1.0
    hardest: float = 5.0
    language: Language | None = None
    site: str | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("a time without its zone")


@dataclass(frozen=True, slots=True)
class Parts:
    """Why something was found. `words`: BM25, from 0 on; `meaning`: cosine of the vectors, -1 to 1;
    `covered`: which share (0-1) of the question's words, weighed by how rare they are, stands in
    the text shown. Thin evidence is low in `covered` and in `meaning`."""

    words: float = 0.0
    meaning: float = 0.0
    covered: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found, by the digest through which it may be seen.

    `text` is its best passage; `score` orders the hits of one search and means nothing beyond it.
    """

    digest_id: str
    title: str | None
    link: str | None
    site: str | None
    language: Language
    difficulty: float
    label: Label
    digested_at: datetime
    text: str
    score: float
    parts: Parts = field(default_factory=Parts)


@dataclass(frozen=True, slots=True)
class Passage:
    """Some adjacent sentences of an article, in its own words; `position` counts from 0."""

    digest_id: str
    title: str | None
    link: str | None
    language: Language
    position: int
    text: str
    score: float
    parts: Parts = field(default_factory=Parts)


@dataclass(frozen=True, slots=True)
class LibraryState:
    """How the index stands: kept digests, those in the index, and passages in it."""

    digests: int
    indexed: int
    passages: int
