"""How the test's Slack fails on demand, and how it paces posts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class SlackRefused(Exception):
    """`ok: false` with this error; what else Slack says stands in `more`."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True)
class RateLimited:
    """HTTP 429; nothing was done."""

    seconds: int = 1


@dataclass(frozen=True)
class HttpError:
    """A 5xx with a page of HTML. `after_write`: it was done all the same."""

    status: int = 502
    after_write: bool = False


@dataclass(frozen=True)
class Refused:
    """HTTP 200 with `ok: false`, such as internal_error. `after_write`: it was done all the same."""

    error: str = "internal_error"
    after_write: bool = False


@dataclass(frozen=True)
class Dropped:
    """The connection ends without an answer; `after_write`: it was done all the same."""

    after_write: bool = True


@dataclass(frozen=True)
class Delayed:
    """The answer comes, so many seconds later."""

    seconds: float


Fault = RateLimited | HttpError | Refused | Dropped | Delayed


@dataclass
class Faults:
    """Scripted troubles by method; `*` meets whatever is called next."""

    waiting: dict[str, list[Fault]] = field(default_factory=dict)

    def add(self, method: str, times: int, fault: Fault) -> None:
        self.waiting.setdefault(method, []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        for name in (method, "*"):
            if self.waiting.get(name):
                return self.waiting[name].pop(0)
        return None


@dataclass
class Pacing:
    """About `per_second` posts a second and channel, with `burst` at once; a 429 costs nothing."""

    per_second: float = 1.0
    burst: float = 5.0
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def refuses(self, channel: str) -> int | None:
        """The seconds to wait, whole as in Retry-After; None when the post may go."""
        now = time.monotonic()
        left, since = self._left.get(channel, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.per_second)
        if left < 1.0:
            self._left[channel] = (left, now)
            return max(1, round((1.0 - left) / self.per_second))
        self._left[channel] = (left - 1.0, now)
        return None
