"""Work whose reader may walk away: server-sent events, and plain answers that take a while.

When the client is gone the work is cancelled, so that nobody waits behind a digest that
nobody will read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS = 10.0
_END = object()

T = TypeVar("T")

Named = tuple[str, dict[str, Any]]


def frame(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event. JSON holds no line feed, so one data line is enough."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; raises ClientDisconnect, the work cancelled, when the client left."""
    return await _race(work, request.receive)


async def _race(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        leaving.cancel()
        # Waiting here is what makes a cancelled generator run its own finally before we return.
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """An answer of server-sent events, with comments as heartbeat while nothing happens."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[Named, None], *, heartbeat: float = HEARTBEAT_SECONDS
    ) -> None:
        self.events = events
        self.heartbeat = heartbeat
        self.status_code = 200
        self.background = None
        # A length would be a lie, and a proxy that buffers would hide the progress.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        try:
            await _race(self._send_all(send), receive)
        except ClientDisconnect:
            return

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._frames()) as frames:
            async for piece in frames:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _frames(self) -> AsyncGenerator[bytes, None]:
        yield b": welcome\n\n"
        # Unbounded, since a digest is small and finite, so that the end always finds room.
        queue: asyncio.Queue[Any] = asyncio.Queue()
        pump = asyncio.ensure_future(_pump(self.events, queue))
        try:
            while True:
                try:
                    item = await asyncio.wait_for(queue.get(), self.heartbeat)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if item is _END:
                    break
                yield frame(*item)
            await pump
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)


async def _pump(events: AsyncGenerator[Named, None], queue: asyncio.Queue[Any]) -> None:
    """One task walks the whole iterator: what is inside may hold scopes that belong to a task."""
    try:
        async with aclosing(events) as inner:
            async for event in inner:
                queue.put_nowait(event)
    finally:
        queue.put_nowait(_END)
