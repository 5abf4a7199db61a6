"""Socket Mode that heals: a connection that is dead or deaf is replaced, by us and in time.

slack_sdk's own way back has two holes: it looks only once in a ping interval, and an address
whose ticket is spent it tries again for ever. So its own is switched off, and a watch does it.
"""

from __future__ import annotations

import asyncio
import logging
import time

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from bot.slack.api import library_log

log = logging.getLogger(__name__)

LOOKS = 0.25  # seconds between two looks at the connection
STUCK = 5.0  # seconds after which an address that does not take us is given up
_LONGEST_PAUSE = 30.0  # seconds between attempts while Slack hands out no address


class Socket:
    """`start` inside the running loop: the library starts tasks when it is made."""

    def __init__(self, app: AsyncApp, app_token: str, ping_interval: float) -> None:
        self._app = app
        self._app_token = app_token
        self._ping_interval = ping_interval
        self._handler: AsyncSocketModeHandler | None = None
        self._watching: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._up.is_set()

    async def start(self, address: str) -> None:
        """Connects to an address that Slack gave us just now. Returns when events can come in."""
        self._handler = AsyncSocketModeHandler(
            self._app,
            self._app_token,
            logger=library_log,
            ping_interval=self._ping_interval,
        )
        client = self._handler.client
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        client.wss_uri = address
        self._connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
        self._watching = asyncio.create_task(self._watch(self._handler))
        await self._up.wait()

    def take_no_more(self) -> None:
        """What arrives from now on is left to another process, or to Slack's next attempt."""
        if self._handler is not None:
            self._handler.client.socket_mode_request_listeners.clear()

    async def close(self) -> None:
        self._up.clear()
        tasks = [task for task in (self._watching, self._connecting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._handler is not None:
            await self._close(self._handler)

    async def _close(self, handler: AsyncSocketModeHandler) -> None:
        client = handler.client
        own = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await handler.close_async()  # type: ignore[no-untyped-call]
        # It cancels its tasks and leaves them to their fate.
        await asyncio.gather(*(one for one in own if one is not None), return_exceptions=True)

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        client = handler.client
        lost: float | None = None
        failures, again_at = 0, 0.0
        while True:
            now = time.monotonic()
            if await client.is_connected():
                self._rise()
                lost, failures = None, 0
            else:
                lost = now if lost is None else lost
                self._lose()
                if self._failed():
                    failures += 1
                    again_at = now + min(_LONGEST_PAUSE, 2.0 ** (failures - 1))
                if self._connecting is None and now >= again_at:
                    # What the dead connection owed us must not count against the new one.
                    client.last_ping_pong_time = None
                    self._connecting = asyncio.create_task(client.connect_to_new_endpoint())
                elif now - lost > STUCK:
                    log.warning("no connection with Slack for %.0f s: a new address", now - lost)
                    client.wss_uri, lost = None, now
            await self._pause()

    async def _pause(self) -> None:
        """Until the next look: soon, or as soon as an attempt to connect has ended."""
        connecting = self._connecting
        if connecting is None or connecting.done():
            await asyncio.sleep(LOOKS)
        else:
            await asyncio.wait([connecting], timeout=LOOKS)

    def _rise(self) -> None:
        self._failed()
        if not self._up.is_set():
            log.info("connected with Slack")
            self._up.set()

    def _lose(self) -> None:
        if self._up.is_set():
            log.warning("the connection with Slack is lost")
            self._up.clear()

    def _failed(self) -> bool:
        """Whether the last attempt has ended with an error; a new one may begin."""
        task = self._connecting
        if task is None or not task.done():
            return False
        self._connecting = None
        error = None if task.cancelled() else task.exception()
        if error is None:
            return False
        if not isinstance(error, SlackClientError | aiohttp.ClientError | OSError):
            log.error("connecting with Slack: a surprise", exc_info=error)
        else:
            log.warning("Slack gives no address to connect to: %s", type(error).__name__)
        return True
