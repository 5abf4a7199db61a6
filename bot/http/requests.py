"""Each HTTP request has an id: in its answer, and in every log line that it causes."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.tracing import about, request_id, span

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
# Asked for every few seconds by machines: their lines would hide all others.
_SILENT = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestIds:
    """Pure ASGI, so that a streamed answer is streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = request_id(Headers(scope=scope).get(HEADER, ""))
        began, status = time.monotonic(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = known
            await send(message)

        path = scope["path"]
        with about(known), span("http", method=scope["method"], path=path):
            await self._app(scope, receive, named)
            if path not in _SILENT and not path.startswith("/page/"):
                took = time.monotonic() - began
                log.info("%s %s %d in %.3f s", scope["method"], path, status, took)
