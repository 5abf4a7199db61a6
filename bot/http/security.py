"""Who may speak to the page and the API, decided before anything else runs.

The service is made for one person on one machine: bound to loopback, no password. What could
still reach it is another site in the same browser (cross-site requests, DNS rebinding), so the
Host and Origin headers are checked. Bound to anything else, a token is required.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.http.problems import HttpProblem, problem_response
from core.errors import SettingsError
from core.settings import HttpSettings, Settings

# Nothing is loaded from elsewhere, nothing runs inline, and no string becomes markup:
# with trusted types no script can reach innerHTML and its kin, ours included.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_PROTECTED = ("/v1/", "/metrics")
# A chat platform comes through somebody's public address. Its events are signed, which the
# adapter checks before it reads them; the page of an installation is public by nature.
_OF_CHATS = ("/slack/",)


def is_loopback(host: str) -> bool:
    """Whether a host to bind to, or a host name in a header, is this machine and nothing else."""
    name = host.strip().strip("[]").lower().rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """Raises SettingsError when the service would be open to others without a token."""
    http = settings.http
    if not is_loopback(http.host) and not _token_of(http):
        raise SettingsError(
            [
                f"http.token: a token is required because http.host is {http.host!r} and others "
                "could reach the service; set SMARTDEVDIGEST_HTTP__TOKEN or bind to 127.0.0.1"
            ]
        )


def refusal(method: str, path: str, headers: Headers, http: HttpSettings) -> HttpProblem | None:
    """Why a request is not let in, or None."""
    if path.startswith(_OF_CHATS):
        return None
    host = headers.get("host", "")
    if is_loopback(http.host) and not is_loopback(_name_of(host)):
        return HttpProblem(403, "forbidden_host", host)
    if method not in _READING and not _same_origin(headers, host):
        return HttpProblem(403, "forbidden_origin", headers.get("origin", "another site"))
    token = _token_of(http)
    if token and path.startswith(_PROTECTED) and not _bears(headers, token):
        return HttpProblem(401, "unauthorized", path, headers={"WWW-Authenticate": "Bearer"})
    return None


def _token_of(http: HttpSettings) -> str:
    return http.token.get_secret_value().strip() if http.token is not None else ""


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Programs send neither header; browsers send at least one of them with every POST."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower() != ""


def _bears(headers: Headers, token: str) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return scheme.lower() == "bearer" and same


class Guard:
    """The middleware: refuses, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, http: HttpSettings) -> None:
        self.app = app
        self.http = http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        problem = refusal(scope["method"], scope["path"], Headers(scope=scope), self.http)
        answer = self.app if problem is None else problem_response(problem)
        await answer(scope, receive, send_guarded)
