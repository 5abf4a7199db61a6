"""Slack over HTTP: signed events, and the pages of the installation.

Nobody but Slack gets past the signature: it is checked here, before a library parses a byte.
"""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

EVENTS = "/slack/events"
INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"

_LARGEST = 1024 * 1024  # bytes; Slack's own payloads are far smaller


class SlackHttp:
    """`app` answers None until the surface has started."""

    def __init__(self, app: Callable[[], AsyncApp | None], signing_secret: str) -> None:
        self._app = app
        self._secret = signing_secret

    def events_route(self) -> Route:
        return Route(EVENTS, self._events, methods=["POST"])

    def install_routes(self) -> list[Route]:
        return [
            Route(INSTALL, self._installation, methods=["GET"]),
            Route(REDIRECT, self._installation, methods=["GET"]),
        ]

    async def _events(self, request: Request) -> Response:
        # The library raises ValueError for a timestamp that is no number.
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 20:
            return Response("not signed", status_code=401)
        body = await _read(request)
        if body is None:
            return Response("too large", status_code=413)
        if not self._signed(body, timestamp, signature):
            return Response("not signed", status_code=401)
        return await self._handled(request)

    def _signed(self, body: bytes, timestamp: str, signature: str) -> bool:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        return bool(SignatureVerifier(self._secret).is_valid(text, timestamp, signature))

    async def _installation(self, request: Request) -> Response:
        return await self._handled(request)

    async def _handled(self, request: Request) -> Response:
        app = self._app()
        if app is None:
            return Response("starting", status_code=503)
        return await AsyncSlackRequestHandler(app).handle(request)


async def _read(request: Request) -> bytes | None:
    """The body, kept for whoever reads it again; None for one larger than we read."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > _LARGEST:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            return None
    request._body = bytes(body)  # as Request.body() does
    return request._body
