"""How a REST request is received: authorised, limited, troubled on order, answered, recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from support.discord_gateway import reset
from support.discord_limits import Fault, Faults, RateLimits, too_many
from support.discord_world import Refused, World

PREFIX = "/api/v10"


@dataclass(eq=False)
class Call:
    """One request of the bot; `form` is its JSON body, `status` None where none was sent."""

    route: str
    path: str
    values: dict[str, str]
    query: dict[str, str]
    form: Any
    files: list[str] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)
    status: int | None = None
    answer: Any = None

    def id(self, name: str) -> int:
        """A snowflake of the path. Raises Refused as Discord does for other text."""
        text = self.values[name]
        if not text.isdecimal():
            mistake = {"code": "NUMBER_TYPE_COERCE", "message": f'Value "{text}" is not snowflake.'}
            raise Refused(400, 50035, "Invalid Form Body", {name: {"_errors": [mistake]}})
        return int(text)


Handler = Callable[[Call], Any]


class Rest:
    """The door: handlers raise Refused or return what becomes JSON (None: 204)."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.limits = RateLimits()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.surprises: list[BaseException] = []
        self.down = False

    def add(self, app: web.Application, route: str, handler: Handler) -> None:
        method, path = route.split(" ", 1)
        self.faults.known_routes.add(route)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, route, handler)

        app.router.add_route(method, PREFIX + path, answer)

    async def refuse_unknown(self, request: web.Request) -> web.StreamResponse:
        """A route that we do not speak is a hole in this server, so the test has to fail."""
        self.surprises.append(LookupError(f"no such route: {request.method} {request.path}"))
        return answer_json(404, {"message": "404: Not Found", "code": 0})

    async def _answer(
        self, request: web.Request, route: str, handler: Handler
    ) -> web.StreamResponse:
        form, files = await body_of(request)
        call = Call(route, request.path, dict(request.match_info), dict(request.query), form, files)
        self.calls.append(call)
        try:
            return await self._respond(request, call, handler)
        finally:
            self.world.changed()

    async def _respond(
        self, request: web.Request, call: Call, handler: Handler
    ) -> web.StreamResponse:
        fault = self.faults.take(call.route)
        if self.down:
            fault = Fault(503, 0)
        if fault is not None and fault.trouble not in {"reset_after_write", "lost_answer"}:
            return self._troubled(request, call, fault)
        headers, excess = self.limits.check(call.route, major_of(call))
        if excess is not None:
            call.status, call.answer = 429, excess
            return answer_json(429, excess, headers)
        call.status, call.answer = self._handled(request, call, handler)
        if fault is not None:
            call.status = None
            return self._cut(request, hard=fault.trouble == "reset_after_write")
        return answer_json(call.status, call.answer, headers)

    def _handled(self, request: web.Request, call: Call, handler: Handler) -> tuple[int, Any]:
        try:
            self._authorise(request, call.route)
            if call.form is BROKEN:
                raise Refused(400, 50109, "The request body contains invalid JSON.")
            body = handler(call)
        except Refused as refused:
            return refused.status, refused.body
        except Exception as surprise:  # noqa: BLE001 - kept: the test fails of it at its end
            self.surprises.append(surprise)
            return 500, {"message": "Internal Server Error", "code": 0}
        return (204, None) if body is None else (200, body)

    def _authorise(self, request: web.Request, route: str) -> None:
        """Interactions and their webhooks carry their token in the path."""
        if "/interactions/" in route or "/webhooks/" in route:
            return
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise Refused(401, 0, "401: Unauthorized")

    def _troubled(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.trouble == "reset":
            return self._cut(request, hard=True)
        assert isinstance(fault.trouble, int)
        call.status = fault.trouble
        if fault.trouble == 429:
            headers, body = too_many(fault.retry_after, scope="shared")
            return answer_json(429, body, headers)
        return answer_json(fault.trouble, {"message": "upstream connect error", "code": 0})

    @staticmethod
    def _cut(request: web.Request, *, hard: bool) -> web.StreamResponse:
        if request.transport is not None:
            if hard:
                reset(request.transport)
            else:
                request.transport.close()
        return web.Response(status=500)


BROKEN = object()


async def body_of(request: web.Request) -> tuple[Any, list[str]]:
    """The JSON of a request and the names of the files that came with it."""
    if request.content_type == "multipart/form-data":
        parts = await request.post()
        files = [part.filename for part in parts.values() if isinstance(part, web.FileField)]
        return parsed(str(parts.get("payload_json", "{}"))), files
    text = await request.text()
    if text and request.content_type != "application/json":
        return BROKEN, []
    return (parsed(text) if text else {}), []


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return BROKEN


def major_of(call: Call) -> str:
    for name in ("channel", "token", "guild"):
        if name in call.values:
            return call.values[name]
    return ""


def answer_json(
    status: int, body: Any, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """discord.py compares the Content-Type literally, so there must be no charset."""
    if body is None:
        return web.Response(status=status, headers=headers)
    encoded = json.dumps(body).encode()
    return web.Response(
        status=status, body=encoded, content_type="application/json", headers=headers
    )
