"""Whether something that failed is tried again, and when: a pure decision.

A site that says 404 is never asked again; one that says 503 is, later each time, and no sooner
than it wishes (Retry-After). A chat is more patient with itself than a reader is with a site:
an accepted link is answered even when the platform was away for hours.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ChatUnavailable, DigestError, EngineFailed, SiteUnavailable


@dataclass(frozen=True, slots=True)
class Patience:
    """`attempts` in all; waits of `first` · `factor`ⁿ seconds, at most `longest`.

    A wish of the other side (Retry-After) is granted up to `longest_wish` seconds; one that
    asks for more is not waited for, so that people hear of it instead.
    """

    attempts: int
    first: float
    factor: float
    longest: float
    longest_wish: float


# Readers wait: after about two minutes an honest "the site is not answering" helps them more.
SITE = Patience(attempts=4, first=2.0, factor=4.0, longest=60.0, longest_wish=300.0)
# The model's own line is full or it was slow: soon again, not often.
ENGINE = Patience(attempts=5, first=1.0, factor=3.0, longest=30.0, longest_wish=30.0)
# A platform may be away for hours; about a day in all.
CHAT = Patience(attempts=160, first=1.0, factor=2.0, longest=600.0, longest_wish=3600.0)


def patience_for(error: DigestError) -> Patience:
    if isinstance(error, ChatUnavailable):
        return CHAT
    return ENGINE if isinstance(error, EngineFailed) else SITE


def delay(error: DigestError, attempt: int, spread: float = 0.0) -> float | None:
    """Seconds until the next attempt, None: there is none. `attempt` counts from 1.

    `spread` (0-1, random) spreads those apart that failed together, by up to a quarter.
    """
    patience = patience_for(error)
    if not error.retryable or attempt >= patience.attempts:
        return None
    growing = min(patience.first * patience.factor ** (attempt - 1), patience.longest)
    wish = error.retry_after if isinstance(error, SiteUnavailable | ChatUnavailable) else None
    if wish is not None and wish > patience.longest_wish:
        return None
    return max(growing, wish or 0.0) * (1.0 + spread / 4)
