"""A small messenger of our own, as a server: what a bot cannot talk itself out of.

It hands events to bots and takes one back that is not acknowledged; it keeps every message ever
posted. Bots are other processes, so that they can be killed; what was said twice is counted here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

REDELIVERED_AFTER = 2.0  # seconds without an acknowledgement

PARAGRAPHS = (
    "A connection pool keeps database connections open and hands them to requests. Opening a "
    "connection costs a handshake and an authentication round trip. Article {n} measured it.",
    "A pool that is too large overloads the database server. The team of article {n} started with "
    "two connections per core and raised the number while throughput grew.",
    "Requests wait in a queue when every connection is busy. A timeout bounds the time they wait, "
    "and number {n} of this series explains how to choose it for a service of your own.",
)


@dataclass
class Posted:
    """A message as people see it."""

    name: str
    channel: str
    key: str
    link: str
    said: list[str]
    first: float = field(default_factory=time.monotonic)


class Messenger:
    """`link(n)` is the address of an article that this server serves itself."""

    def __init__(self) -> None:
        self.address = ""
        self.waiting: deque[dict[str, Any]] = deque()
        self.unacknowledged: dict[str, asyncio.TimerHandle] = {}
        self.acknowledged: dict[str, float] = {}
        self.messages: dict[str, Posted] = {}
        self.accepting: list[float] = []  # seconds from handing an event out to its acknowledgement
        self.fetched: Counter[str] = Counter()
        self._handed: dict[str, float] = {}
        self._event = asyncio.Event()
        self._changed = asyncio.Event()

    # --- what a test does

    def link(self, number: int | str) -> str:
        return f"{self.address}/articles/{number}"

    def share(self, number: int | str, *, channel: str = "C", message: str | None = None) -> str:
        """Somebody shares article `number`; returns the event's id."""
        event = f"e{len(self.acknowledged) + len(self.waiting) + len(self.unacknowledged)}-{number}"
        self.waiting.append(
            {
                "id": event,
                "link": self.link(number),
                "channel": channel,
                "message": message or event,
            }
        )
        self._event.set()
        return event

    def answered(self) -> list[Posted]:
        return [one for one in self.messages.values() if one.said[-1] != "waiting"]

    def doubled(self) -> list[str]:
        """Keys of deliveries that were answered by more than one message."""
        keys = Counter(message.key for message in self.messages.values())
        return [key for key, count in keys.items() if count > 1]

    async def until(self, it_is_so: Callable[[], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not it_is_so():
                self._changed.clear()
                await self._changed.wait()

    # --- what bots do

    async def next_event(self, _request: web.Request) -> web.Response:
        while not self.waiting:
            self._event.clear()
            try:
                async with asyncio.timeout(5):
                    await self._event.wait()
            except TimeoutError:
                return web.json_response(None)
        event = self.waiting.popleft()
        back = asyncio.get_running_loop().call_later(REDELIVERED_AFTER, self._back, event)
        self.unacknowledged[event["id"]] = back
        self._handed[event["id"]] = time.monotonic()
        return web.json_response(event)

    async def acknowledge(self, request: web.Request) -> web.Response:
        event = (await request.json())["id"]
        back = self.unacknowledged.pop(event, None)
        if back is not None:
            back.cancel()
        if event not in self.acknowledged:
            self.accepting.append(time.monotonic() - self._handed[event])
        self.acknowledged.setdefault(event, time.monotonic())
        self._tell()
        return web.json_response({})

    async def post(self, request: web.Request) -> web.Response:
        said = await request.json()
        name = f"m{len(self.messages)}"
        self.messages[name] = Posted(
            name, said["channel"], said["key"], said["link"], [said["text"]]
        )
        self._tell()
        # The message is there; its poster may die before it hears so.
        await asyncio.sleep(0.02)
        return web.json_response({"name": name})

    async def edit(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.messages[said["name"]].said.append(said["text"])
        self._tell()
        return web.json_response({})

    async def find(self, request: web.Request) -> web.Response:
        key = request.query["key"]
        found = next((one.name for one in self.messages.values() if one.key == key), None)
        return web.json_response({"name": found})

    async def article(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        self.fetched[number] += 1
        text = "".join(f"<p>{paragraph.format(n=number)}</p>" for paragraph in PARAGRAPHS)
        html = f"<html lang=en><title>Pools, part {number}</title><article><h1>Pools, part {number}</h1>{text}</article>"
        return web.Response(text=html, content_type="text/html")

    def _back(self, event: dict[str, Any]) -> None:
        self.unacknowledged.pop(event["id"], None)
        self.waiting.append(event)
        self._event.set()

    def _tell(self) -> None:
        self._changed.set()


@asynccontextmanager
async def messenger() -> AsyncIterator[Messenger]:
    """The server on a free port of this machine."""
    server = Messenger()
    app = web.Application()
    app.add_routes(
        [
            web.get("/event", server.next_event),
            web.post("/ack", server.acknowledge),
            web.post("/post", server.post),
            web.post("/edit", server.edit),
            web.get("/find", server.find),
            web.get("/articles/{number}", server.article),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.address = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
