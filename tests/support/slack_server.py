"""A strict Slack on this machine: Web API, Socket Mode and signed HTTP, for real slack-bolt.

    async with slack_server() as slack:
        channel = slack.channel("C1")
        # … the app connects with slack.api_url, slack.bot_token, slack.app_token
        await slack.connected()
        ts = await slack.say(channel, user="U1", text="<https://example.com/a>")
        await slack.until(lambda: slack.answers(channel, ts))

It behaves as Slack is known to, and refuses what Slack refuses. A mistake inside it is no
answer to a test: it is raised when the block ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.web_exceptions import HTTPException
from support.slack_api import METHODS, Call, need_scope
from support.slack_faults import (
    Delayed,
    Dropped,
    Fault,
    HttpError,
    RateLimited,
    Refused,
    SlackRefused,
)
from support.slack_more_api import exchange_code
from support.slack_people import SlackPeople
from support.slack_world import Json, Workspace

STRUCTURED = ("blocks", "attachments", "metadata", "view")  # JSON inside of forms
PACED = ("chat.postMessage", "chat.postEphemeral")
HTML = "<!DOCTYPE html><html><body>Server Error</body></html>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SlackServer(SlackPeople):
    """The network side; what people do is in SlackPeople, what happens then in SlackCore."""

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._watch])
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link/", self.sockets.handle)
        app.router.add_post("/response/{id}", self.response_urls.handle)
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (HTTPException, ConnectionError):
            raise
        except Exception as error:
            self.surprised(error)
            raise

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        arguments = await _arguments(request)
        call = Call(name, arguments, _token(request, arguments))
        self.calls_made.append(call)
        fault = self.faults.take(name)
        if isinstance(fault, Delayed):
            await asyncio.sleep(fault.seconds)
        elif fault is not None and not getattr(fault, "after_write", False):
            return self._failed(request, call, fault)
        answer = self._answer(call, _client(request))
        if fault is not None and not isinstance(fault, Delayed):
            return self._failed(request, call, fault)
        return self._told(call, answer)

    def _told(self, call: Call, answer: Json) -> web.Response:
        call.answer, call.status, call.answered_at = answer, 200, time.monotonic()
        headers = {}
        if answer.get("error") == "ratelimited":
            call.status = 429
            headers["Retry-After"] = str(answer.pop("retry_after"))
        workspace = self._workspace_of(call)
        if workspace is not None:
            headers["x-oauth-scopes"] = ",".join(sorted(workspace.scopes))
        self.changed()
        return web.json_response(answer, status=call.status, headers=headers)

    def _failed(self, request: web.Request, call: Call, fault: Fault) -> web.Response:
        match fault:
            case RateLimited(seconds):
                return self._told(
                    call, {"ok": False, "error": "ratelimited", "retry_after": seconds}
                )
            case Refused(error):
                return self._told(call, {"ok": False, "error": error})
            case HttpError(status):
                call.status = status
                self.changed()
                return web.Response(status=status, text=HTML, content_type="text/html")
            case Dropped():
                if request.transport is not None:
                    request.transport.abort()
        self.changed()
        return web.Response()

    def _answer(self, call: Call, client: tuple[str, str] | None) -> Json:
        try:
            return {"ok": True, **self._result(call, client)}
        except SlackRefused as refused:
            return {"ok": False, "error": refused.error, **refused.more}

    def _result(self, call: Call, client: tuple[str, str] | None) -> Json:
        if call.method == "oauth.v2.access":
            return exchange_code(self, call, client)
        if call.method == "apps.connections.open":
            self._check_app_token(call)
            ticket = self.sockets.ticket()
            return {"url": f"ws://127.0.0.1:{self.port}/link/?ticket={ticket}&app_id={self.app_id}"}
        if call.method not in METHODS:
            raise SlackRefused("unknown_method", req_method=call.method)
        workspace = self._authenticated(call)
        need_scope(workspace, call.method, call)
        if self.pacing is not None and call.method in PACED:
            pause = self.pacing.refuses(str(call.arguments.get("channel")))
            if pause is not None:
                raise SlackRefused("ratelimited", retry_after=pause)
        return METHODS[call.method](self, workspace, call)

    def _check_app_token(self, call: Call) -> None:
        if not call.token:
            raise SlackRefused("not_authed")
        if self._workspace_of(call) is not None:
            raise SlackRefused("not_allowed_token_type")
        if call.token != self.app_token:
            raise SlackRefused("invalid_auth")

    def _authenticated(self, call: Call) -> Workspace:
        if not call.token:
            raise SlackRefused("not_authed")
        if call.token == self.app_token:
            raise SlackRefused("not_allowed_token_type")
        workspace = self._workspace_of(call)
        if workspace is None:
            raise SlackRefused("invalid_auth")
        if workspace.revoked:
            raise SlackRefused(workspace.revoked)
        return workspace

    def _workspace_of(self, call: Call) -> Workspace | None:
        for workspace in self.workspaces.values():
            if call.token == workspace.bot_token:
                return workspace
        return None


async def _arguments(request: web.Request) -> Json:
    """From the query, a form, or JSON, as slack_sdk sends them."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        arguments.update(json.loads(text) if text else {})
    else:
        arguments.update(await request.post())
    for name in STRUCTURED:
        if isinstance(arguments.get(name), str) and arguments[name]:
            arguments[name] = _structure(arguments[name])
    return arguments


def _structure(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # refused by whoever needs it


def _token(request: web.Request, arguments: Json) -> str | None:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ")
    given = arguments.pop("token", None)
    return str(given) if given else None


def _client(request: web.Request) -> tuple[str, str] | None:
    header = request.headers.get("Authorization", "")
    if not header.startswith("Basic "):
        return None
    name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return name, secret


@asynccontextmanager
async def slack_server() -> AsyncIterator[SlackServer]:
    """Listens while the block runs; raises its own mistakes, if it made any, at the end."""
    slack = SlackServer()
    assert slack.team.id == "T1"
    runner = web.AppRunner(slack.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as slack.http:
        try:
            yield slack
        finally:
            await _end(slack, runner)
    if slack.surprises:
        raise ExceptionGroup("the test's Slack made mistakes", slack.surprises)


async def _end(slack: SlackServer, runner: web.AppRunner) -> None:
    waiting = list(slack.deliveries.running)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    slack.sockets.reset()
    await runner.cleanup()
