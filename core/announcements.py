"""What we say without having been asked, each once: a morning's list, a feed given up.

An **announcement** belongs to a subscription and is known by what it is about (the local date; the
feed), so that several processes that want to make it make one. What it says is settled when it is
kept; whether it has been said stands beside it, as with a delivery (core.places).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from core.feed import Candidate

AnnouncementKind = Literal["daily", "nothing", "gone"]


@dataclass(frozen=True, slots=True)
class Posted:
    """An article as a morning listed it. `source` is the feed's title. Title and
    `score` (1-5) stand here because the archive may outlive the digest."""

    identity: str
    link: str
    title: str
    source: str
    digest_id: str
    score: float
    source_id: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """As `core.feed.Candidate.keys`."""
        return frozenset({self.identity, self.link, self.digest_id})


@dataclass(frozen=True, slots=True)
class Announcement:
    """`day` is the subscription's local date. `about`: the feed that was given up, else empty.

    `reply`, `tried_by` and `tried_at` as in `core.places.Delivery`. A "nothing" of which nobody
    wants to hear is kept as well, since the morning is over with it; `silent` says so.
    """

    id: str
    subscription_id: str
    kind: AnnouncementKind
    day: date
    made_at: datetime
    posted: tuple[Posted, ...] = ()
    about: str = ""
    silent: bool = False
    reply: str | None = None
    tried_by: str | None = None
    tried_at: datetime | None = None


def morning_id(subscription_id: str, day: date) -> str:
    """32 hex digits, the same in every process."""
    return _id("morning", subscription_id, day.isoformat())


def gone_id(subscription_id: str, source_id: str, since: datetime | None) -> str:
    """`since`: when the feed last worked. One that comes back and goes again is news again."""
    return _id("gone", subscription_id, source_id, "" if since is None else since.isoformat())


def posted_of(candidate: Candidate) -> Posted:
    entry, record = candidate.entry, candidate.record
    return Posted(
        identity=entry.identity,
        link=entry.link,
        title=record.article.title or entry.title,
        source=candidate.source,
        digest_id=record.id,
        score=record.digest.difficulty_level.score,
        source_id=entry.source_id,
    )


def _id(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
