"""An ASGI application on loopback that comes and goes without waiting for a clock.

uvicorn looks ten times a second whether it is to end, and then waits a tenth of a second more; with
a server for each test that would be most of what the tests of pages take.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

GRACE = 2.0  # seconds for answers that are under way when the server is told to end


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening, self.told = asyncio.Event(), asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self.listening.set()
        await self.told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.001)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of the application, on a free port."""
    with socket.socket() as socket_:
        socket_.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        serving = asyncio.create_task(server._serve(sockets=[socket_]))
        try:
            async with asyncio.timeout(10):
                await server.listening.wait()
            yield f"http://127.0.0.1:{socket_.getsockname()[1]}"
        finally:
            server.told.set()
            await serving
