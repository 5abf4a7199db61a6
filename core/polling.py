"""When a feed is asked again, and how long it is believed in: rules from values to values.

A feed that changes often is asked often, a quiet one seldom, between 15 minutes and a day; what
it wishes itself (ttl, Cache-Control, Retry-After, skipHours) counts when it is later. One that
fails is asked after 5, 10, 20 … minutes, and given up in the end, with a word to its readers.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from core.article import Language
from core.errors import FeedGone, SiteUnavailable
from core.feed import Announced, Source

SHORTEST = 15 * 60.0
LONGEST = 24 * 3600.0
BACKOFF = 5 * 60.0
GIVEN_UP = 20  # failures in a row: with the pauses above about two weeks
LONGEST_WISH = 7 * 24 * 3600.0  # a Retry-After beyond it is a mistake, or a joke
_DATES = 10  # so many gaps between the newest entries say how often a feed changes
_SPREAD = 0.1  # share of a pause by which feeds that were added together drift apart
_PER_GAP = 2.0  # looks between two entries
_SLOWER, _FASTER = 1.5, 0.5  # where there are no dates to go by


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a feed says of itself: its title, and how often it wants to be asked.

    `ttl` in seconds. `skip_hours` are hours of UTC, `skip_days` days of the week (0: Monday).
    """

    title: str = ""
    site: str = ""
    language: Language | None = None
    ttl: float = 0.0
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How asking a feed went.

    `error` is a code of core.errors, "" where it answered usefully; then `wishes` is None where
    there was nothing to read anew (304, or the same body). `url`: where it is now for good.
    `wish`, `max_age`: seconds, from Retry-After and Cache-Control.
    """

    url: str
    error: str = ""
    gone: bool = False
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str = ""
    wish: float | None = None
    max_age: float | None = None
    wishes: Wishes | None = None
    announced: tuple[Announced, ...] = field(default=(), repr=False)


def after(source: Source, outcome: Outcome, now: datetime) -> Source:
    """The source as it is kept after it was asked."""
    if outcome.error:
        return _failed(source, outcome, now)
    worked = replace(
        source,
        url=outcome.url or source.url,
        etag=outcome.etag,
        last_modified=outcome.last_modified,
        body_hash=outcome.body_hash or source.body_hash,
        polled_at=now,
        worked_at=now,
        failures=0,
        error="",
    )
    if outcome.wishes is None:
        worked = replace(worked, interval=_bounded(source.interval * _SLOWER))
    else:
        worked = _read(worked, outcome.wishes, outcome.announced, now)
    pause = max(_spread(worked), worked.ttl, min(outcome.max_age or 0.0, LONGEST))
    return replace(worked, next_at=_not_skipped(now + timedelta(seconds=pause), worked))


def _read(source: Source, wishes: Wishes, announced: Sequence[Announced], now: datetime) -> Source:
    return replace(
        source,
        title=wishes.title or source.title,
        site=wishes.site or source.site,
        language=wishes.language or source.language,
        ttl=min(max(wishes.ttl, 0.0), LONGEST),
        skip_hours=wishes.skip_hours,
        skip_days=wishes.skip_days,
        interval=interval_of(announced, source.interval, now),
        changed_at=now,
    )


def interval_of(announced: Sequence[Announced], before: float, now: datetime) -> float:
    """Seconds between two looks at a feed that has just changed.

    Half the usual gap between its newest entries; a feed that has been quiet for longer than
    that is quiet now. Without dates: more often than before.
    """
    known = {one.published_at for one in announced if one.published_at is not None}
    dates = sorted((at for at in known if at <= now), reverse=True)[: _DATES + 1]
    if len(dates) < 2:
        return _bounded(before * _FASTER)
    gaps = [(later - earlier).total_seconds() for later, earlier in itertools.pairwise(dates)]
    return _bounded(max(median(gaps), (now - dates[0]).total_seconds()) / _PER_GAP)


def _failed(source: Source, outcome: Outcome, now: datetime) -> Source:
    failures = source.failures + 1
    pause = max(backoff(source.failures), min(outcome.wish or 0.0, LONGEST_WISH))
    gone = outcome.gone or failures >= GIVEN_UP
    return replace(
        source,
        state="gone" if gone else source.state,
        polled_at=now,
        next_at=None if gone else now + timedelta(seconds=pause),
        failures=failures,
        error=FeedGone.code if outcome.gone else outcome.error or SiteUnavailable.code,
    )


def backoff(failures: int) -> float:
    """Seconds until a feed is asked again that had failed so often in a row before: 5·2ⁿ minutes,
    at most a day."""
    return min(BACKOFF * 2.0 ** min(failures, 16), LONGEST)


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST), LONGEST)


def _spread(source: Source) -> float:
    """The interval and a little more, always the same for a feed."""
    share = int(hashlib.sha256(source.id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return _bounded(source.interval * (1.0 + _SPREAD * share))


def _not_skipped(at: datetime, source: Source) -> datetime:
    """The first moment from then on that the feed does not want to be left alone in."""
    at = at.astimezone(UTC)
    for hours in range(8 * 24):
        there = at if hours == 0 else _hour(at) + timedelta(hours=hours)
        if there.hour not in source.skip_hours and there.weekday() not in source.skip_days:
            return there
    return at  # it never wants to be asked: that is no wish but a mistake


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
