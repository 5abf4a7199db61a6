"""Rate limits as Discord states them, and troubles that a test orders.

A bucket belongs to a route and its major parameter (channel, webhook token); its headers are
what discord.py learns from. Source: discord/discord-api-docs, `developers/topics/rate-limits.mdx`.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from support.discord_entities import Json

POST_MESSAGE = "POST /channels/{channel}/messages"
GET_MESSAGES = "GET /channels/{channel}/messages"
PATCH_MESSAGE = "PATCH /channels/{channel}/messages/{message}"
DELETE_MESSAGE = "DELETE /channels/{channel}/messages/{message}"
START_THREAD = "POST /channels/{channel}/messages/{message}/threads"
CALLBACK = "POST /interactions/{interaction}/{token}/callback"
FOLLOW_UP = "POST /webhooks/{application}/{token}"
EDIT_ANSWER = "PATCH /webhooks/{application}/{token}/messages/{message}"

Trouble = Literal[403, 429, 500, 502, 503, 504, "reset", "reset_after_write", "lost_answer"]
"""`reset`: the connection breaks and nothing was done; `reset_after_write`: it was done, then
the connection breaks; `lost_answer`: it was done, the connection is closed without an answer."""


@dataclass
class Bucket:
    limit: int
    seconds: float
    used_at: deque[float] = field(default_factory=deque)

    def take(self) -> float:
        """0 if the request may pass, otherwise the seconds to wait."""
        moment = time.monotonic()
        while self.used_at and moment - self.used_at[0] >= self.seconds:
            self.used_at.popleft()
        if len(self.used_at) >= self.limit:
            return self.used_at[0] + self.seconds - moment
        self.used_at.append(moment)
        return 0.0

    def headers(self, name: str) -> dict[str, str]:
        oldest = self.used_at[0] if self.used_at else time.monotonic()
        wait = max(0.0, oldest + self.seconds - time.monotonic())
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - len(self.used_at)),
            "X-RateLimit-Reset": f"{time.time() + wait:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": name,
        }


class RateLimits:
    """`per_route` is (requests, seconds); `enabled = False` lets everything pass."""

    def __init__(self) -> None:
        self.enabled = True
        self.per_route: dict[str, tuple[int, float]] = {
            POST_MESSAGE: (5, 5.0),
            PATCH_MESSAGE: (5, 5.0),
            FOLLOW_UP: (5, 2.0),
            EDIT_ANSWER: (5, 2.0),
        }
        self.usual = (50, 1.0)
        self.everything = Bucket(50, 1.0)
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def messages(self, requests: int, seconds: float) -> None:
        """Posting and editing in one channel; Discord's own: about 5 in 5 s."""
        self.per_route[POST_MESSAGE] = self.per_route[PATCH_MESSAGE] = (requests, seconds)
        self._buckets.clear()

    def bucket(self, route: str, major: str) -> Bucket:
        limit, seconds = self.per_route.get(route, self.usual)
        return self._buckets.setdefault((route, major), Bucket(limit, seconds))

    def check(self, route: str, major: str) -> tuple[dict[str, str], Json | None]:
        """The headers of the answer, and the body of a 429 if there has to be one."""
        if not self.enabled:
            return {}, None
        name = hashlib.sha256(route.encode()).hexdigest()[:32]
        if route != CALLBACK and (wait := self.everything.take()):
            return too_many(wait, scope="global")
        bucket = self.bucket(route, major)
        wait = bucket.take()
        headers = bucket.headers(name)
        if not wait:
            return headers, None
        more, body = too_many(wait, scope="user")
        return headers | more, body


def too_many(
    wait: float, *, scope: Literal["user", "global", "shared"]
) -> tuple[dict[str, str], Json]:
    """Headers and body of a 429; without `Via` discord.py takes it for Cloudflare's."""
    headers = {
        "Via": "1.1 google",
        "Retry-After": str(math.ceil(wait)),
        "X-RateLimit-Scope": scope,
    }
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    body = {"message": "You are being rate limited.", "retry_after": round(wait, 3)}
    return headers, body | {"global": scope == "global"}


@dataclass
class Fault:
    trouble: Trouble
    retry_after: float


class Faults:
    """Troubles in the order in which they were asked for, by route."""

    def __init__(self) -> None:
        self.known_routes: set[str] = set()
        self._waiting: dict[str, deque[Fault]] = {}

    def add(self, route: str, times: int, with_: Trouble, retry_after: float) -> None:
        """Raises LookupError for a route that the server does not have."""
        if route not in self.known_routes:
            raise LookupError(f"{route} is none of {sorted(self.known_routes)}")
        queue = self._waiting.setdefault(route, deque())
        queue.extend(Fault(with_, retry_after) for _ in range(times))

    def take(self, route: str) -> Fault | None:
        queue = self._waiting.get(route)
        return queue.popleft() if queue else None

    def left(self) -> dict[str, int]:
        """Troubles that nobody has run into yet."""
        return {route: len(queue) for route, queue in self._waiting.items() if queue}
