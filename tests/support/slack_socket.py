"""Socket Mode: tickets that work once, hello, envelopes, acks, and sockets that misbehave."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from support.slack_delivery import Attempt
from support.slack_faults import SlackRefused

MAX_SOCKETS = 10


@dataclass(eq=False)
class Socket:
    """One open connection; a draining one gets no new envelopes, a silent one answers nothing."""

    id: str
    wire: web.WebSocketResponse
    request: web.Request
    draining: bool = False
    silent: bool = False
    open: dict[str, Attempt] = field(default_factory=dict)  # sent, not acked

    @property
    def usable(self) -> bool:
        return not self.draining and not self.wire.closed

    def abort(self) -> None:
        """The connection is gone at once, without a closing handshake."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass
class Sockets:
    """Slack's side of Socket Mode for one app."""

    changed: Callable[[], None]
    surprised: Callable[[Exception], None]
    ticket_seconds: float = 30.0
    open: list[Socket] = field(default_factory=list)
    opened: int = 0  # handshakes that succeeded, ever
    refused: int = 0  # handshakes refused, ever
    refusing: int | None = None  # while set: every handshake gets this HTTP status
    disabled: bool = False  # Socket Mode is switched off: no tickets
    strange: list[str] = field(default_factory=list)  # frames that no app should send
    _tickets: dict[str, float] = field(default_factory=dict)
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    # --- the app connects

    def ticket(self) -> str:
        """Good once, and for `ticket_seconds`."""
        if self.disabled:
            raise SlackRefused("socket_mode_disabled")
        new = secrets.token_hex(8)
        self._tickets[new] = time.monotonic() + self.ticket_seconds
        return new

    def expire_tickets(self) -> None:
        """What was handed out and not used is worthless from now on."""
        self._tickets = dict.fromkeys(self._tickets, 0.0)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        expires = self._tickets.pop(request.query.get("ticket", ""), None)
        status = self.refusing or self._refusal(expires)
        if status is not None:
            self.refused += 1
            self.changed()
            return web.Response(status=status, text="no such connection")
        wire = web.WebSocketResponse(autoping=False)
        await wire.prepare(request)
        socket = Socket(f"socket-{self.opened + 1}", wire, request)
        self.open.append(socket)
        self.opened += 1
        await self._hello(socket)
        self.changed()
        try:
            await self._listen(socket)
        finally:
            self._lost(socket)
        return wire

    def _refusal(self, expires: float | None) -> int | None:
        if expires is None:
            return 404
        if time.monotonic() > expires:
            return 401
        return 429 if len(self.open) >= MAX_SOCKETS else None

    async def _hello(self, socket: Socket) -> None:
        hello = {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {"host": "applink-1", "approximate_connection_time": 18060},
            "connection_info": {"app_id": "A0SMART"},
        }
        await socket.wire.send_json(hello)

    async def _listen(self, socket: Socket) -> None:
        async for frame in socket.wire:
            if socket.silent:
                continue
            if frame.type == WSMsgType.PING:
                await socket.wire.pong(frame.data)
            elif frame.type == WSMsgType.TEXT:
                self._acked(socket, frame.data)

    def _acked(self, socket: Socket, text: str) -> None:
        try:
            said = json.loads(text)
            attempt = socket.open.pop(said["envelope_id"], None)
        except (ValueError, KeyError, TypeError):
            self.strange.append(text)
            return
        if attempt is None:
            self.strange.append(text)
        else:
            attempt.ack(said.get("payload"))
        self.changed()

    def _lost(self, socket: Socket) -> None:
        self.open.remove(socket)
        for attempt in socket.open.values():
            attempt.done.set()  # nobody will ack it any more
        socket.open.clear()
        self.changed()

    # --- Slack sends

    async def send(self, attempt: Attempt, *, within: float, avoid: str) -> str:
        """On one of the open sockets, on another one than `avoid` if there is one."""
        usable = [socket for socket in self.open if socket.usable]
        others = [socket for socket in usable if socket.id != avoid] or usable
        if not others:
            attempt.sent_at = time.monotonic()
            return "no_connection"
        return await self.send_on(others[next(self._turn) % len(others)], attempt, within)

    async def send_on(self, socket: Socket, attempt: Attempt, within: float) -> str:
        attempt.via, attempt.sent_at = socket.id, time.monotonic()
        socket.open[attempt.id] = attempt
        try:
            await socket.wire.send_json(attempt.envelope())
        except ConnectionError:
            socket.open.pop(attempt.id, None)
            return "connection_failed"
        try:
            async with asyncio.timeout(within):
                await attempt.done.wait()
        except TimeoutError:
            # a later ack counts for nothing, but it is no strange frame either
            return "timeout"
        return "" if attempt.acked else "connection_failed"

    # --- Slack misbehaves

    async def disconnect(
        self, reason: str = "refresh_requested", *, close_after: float = 1.0
    ) -> None:
        """A `disconnect` frame to every open socket; closed by us if the app does not.

        Args:
            reason: warning, refresh_requested, link_disabled or too_many_websockets.
            close_after: seconds; `warning` alone closes nothing.
        """
        told = [socket for socket in self.open if socket.usable]
        for socket in told:
            socket.draining = reason != "warning"
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
            await socket.wire.send_json(frame)
        if reason == "link_disabled":
            self.disabled = True
        if reason != "warning":
            await asyncio.sleep(close_after)
            await self.close(told)

    async def close(self, sockets: list[Socket] | None = None) -> None:
        for socket in list(self.open if sockets is None else sockets):
            if socket in self.open:
                await socket.wire.close()

    def reset(self) -> None:
        """Every connection breaks at once."""
        for socket in list(self.open):
            socket.abort()

    def fall_silent(self) -> None:
        """The sockets stay open; nothing is answered and no ack is read any more."""
        for socket in self.open:
            socket.silent = socket.draining = True
