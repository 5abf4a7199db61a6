"""How Slack hands things to the app: attempts, acks, retries; by socket or by signed HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from support.slack_world import Json

RETRY_SECONDS = (0.0, 60.0, 300.0)  # Slack: at once, after a minute, after five


@dataclass
class Attempt:
    """One hand-over to the app. Times are of `time.monotonic()`, in seconds."""

    id: str
    kind: str  # events_api, slash_commands, interactive
    payload: Json
    number: int = 0
    reason: str = ""
    via: str = ""  # the socket's id or the address
    sent_at: float | None = None
    acked_at: float | None = None
    answer: Any = None  # what the app put into the ack
    status: int = 0  # of HTTP
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def event_id(self) -> str | None:
        return self.payload.get("event_id")

    @property
    def acked(self) -> bool:
        return self.acked_at is not None

    @property
    def seconds(self) -> float:
        """From sending to the ack."""
        assert self.sent_at is not None
        assert self.acked_at is not None, f"{self.kind} {self.id} was never acknowledged"
        return self.acked_at - self.sent_at

    def ack(self, answer: Any) -> None:
        self.acked_at = time.monotonic()
        self.answer = answer
        self.done.set()

    def envelope(self) -> Json:
        return {
            "envelope_id": self.id,
            "type": self.kind,
            "accepts_response_payload": self.kind != "events_api",
            "payload": self.payload,
            "retry_attempt": self.number,
            "retry_reason": self.reason,
        }


class Road(Protocol):
    """A way to the app. `send` returns once the attempt is acked or failed; the reason or ''."""

    async def send(self, attempt: Attempt, *, within: float, avoid: str) -> str: ...


@dataclass
class Deliveries:
    """Everything on its way to the app, and what became of it."""

    ack_within: float = 3.0  # seconds
    retry_after: tuple[float, ...] = RETRY_SECONDS
    attempts: list[Attempt] = field(default_factory=list)
    running: set[asyncio.Task[Attempt]] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def attempt(self, kind: str, payload: Json, number: int = 0, reason: str = "") -> Attempt:
        new = Attempt(f"envelope-{next(self._numbers)}", kind, payload, number, reason)
        self.attempts.append(new)
        return new

    def start(
        self, road: Road, kind: str, payload: Json, *, after: float = 0.0
    ) -> asyncio.Task[Attempt]:
        task = asyncio.create_task(self.deliver(road, kind, payload, after=after))
        self.running.add(task)
        return task

    async def deliver(self, road: Road, kind: str, payload: Json, *, after: float = 0.0) -> Attempt:
        """Events are tried again; commands and presses are not: a person is waiting."""
        pauses = self.retry_after if kind == "events_api" else ()
        await asyncio.sleep(after)
        attempt = self.attempt(kind, payload)
        reason = await road.send(attempt, within=self.ack_within, avoid="")
        for number, pause in enumerate(pauses, start=1):
            if not reason:
                break
            await asyncio.sleep(pause)
            before = attempt.via
            attempt = self.attempt(kind, payload, number, reason)
            reason = await road.send(attempt, within=self.ack_within, avoid=before)
        return attempt


def signature(secret: str, timestamp: str, body: bytes) -> str:
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return "v0=" + signed.hexdigest()


def http_body(attempt: Attempt) -> tuple[bytes, str]:
    """The body and its content type, as Slack sends this kind of thing."""
    if attempt.kind == "events_api":
        return json.dumps(attempt.payload).encode(), "application/json"
    if attempt.kind == "slash_commands":
        return urlencode(attempt.payload).encode(), "application/x-www-form-urlencoded"
    form = urlencode({"payload": json.dumps(attempt.payload)})
    return form.encode(), "application/x-www-form-urlencoded"


@dataclass
class HttpRoad:
    """Signed requests to the app's address. Tests may break the signature or its time."""

    url: str
    secret: str
    client: aiohttp.ClientSession
    timestamp: str | None = None  # instead of the time of now
    signature: str | None = None  # instead of the right one

    async def send(self, attempt: Attempt, *, within: float, avoid: str) -> str:
        body, content_type = http_body(attempt)
        headers = self._headers(body, content_type)
        if attempt.number:
            headers["X-Slack-Retry-Num"] = str(attempt.number)
            headers["X-Slack-Retry-Reason"] = attempt.reason
        attempt.via, attempt.sent_at = self.url, time.monotonic()
        try:
            async with asyncio.timeout(within), self._post(body, headers) as answer:
                text = await answer.text()
        except TimeoutError:
            return "http_timeout"
        except aiohttp.ClientError:
            return "connection_failed"
        attempt.status = answer.status
        if answer.status != 200:
            attempt.answer = text
            return "http_error"
        attempt.ack(_read(text))
        return ""

    async def verify(self, challenge: str) -> tuple[int, str]:
        """Slack's url_verification: the status and the text of the answer."""
        body = json.dumps({"type": "url_verification", "challenge": challenge, "token": "old"})
        data = body.encode()
        async with self._post(data, self._headers(data, "application/json")) as answer:
            return answer.status, await answer.text()

    def _post(self, body: bytes, headers: dict[str, str]) -> Any:
        return self.client.post(self.url, data=body, headers=headers, allow_redirects=False)

    def _headers(self, body: bytes, content_type: str) -> dict[str, str]:
        timestamp = str(int(time.time())) if self.timestamp is None else self.timestamp
        signed = signature(self.secret, timestamp, body)
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signed if self.signature is None else self.signature,
        }


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
