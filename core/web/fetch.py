"""The page behind a link: bounded, polite, and never from where it must not be.

    link → robots.txt → address checked → that address dialled → body decoded up to the cap

`SafeWeb` is the port's side towards the internet. Every request, a redirect's and the one for
robots.txt included, goes through `CheckedTransport`, which connects to exactly the address
that was judged while TLS and the Host header keep the name. One clock runs over all of it.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from core.article import Page
from core.errors import (
    BadLink,
    FeedGone,
    FetchFailed,
    FetchTimedOut,
    NotFound,
    PageTooLarge,
    RobotsRefused,
    SiteUnavailable,
    TooManyRedirects,
)
from core.links import followable, readable_address
from core.settings import WebSettings
from core.web.addresses import AddressGuard, Resolver, literal, system_resolver
from core.web.answers import Answer, failure_of, kind_of, max_age, must_be_readable
from core.web.decoding import decoder_of
from core.web.robots import Robots

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/markdown,text/plain;q=0.9,*/*;q=0.1"
_ACCEPT_FEED = (
    "application/atom+xml,application/rss+xml,application/feed+json,application/rdf+xml;q=0.9,"
    "application/xml;q=0.8,text/xml;q=0.8,application/json;q=0.7,*/*;q=0.1"
)
_VALIDATOR = 1000  # characters; a longer one is not sent back
_LASTING = frozenset({301, 308})
ROBOTS_BYTES = 512 * 1024  # what RFC 9309 asks to be read at least
_ROBOTS_SECONDS = 5.0
_FAILED_BODY_BYTES = 64 * 1024  # enough to tell a bot check from a plain refusal

# Whose turn it is at a host: entered for every single request to it.
Turns = Callable[[str], AbstractAsyncContextManager[object]]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Dials the address that the guard has passed, and no other.

    Connections are not kept: one to an address must not serve another name at that address,
    whose certificate nobody has looked at.
    """

    def __init__(self, guard: AddressGuard, context: ssl.SSLContext, connections: int = 20) -> None:
        self._guard = guard
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await self._guard.addresses(host, port)
        extensions = dict(request.extensions)
        if _is_name(host):
            extensions["sni_hostname"] = host
        failed: httpx.ConnectError | None = None
        for address in addresses:
            dialled = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
            try:
                return await self._inner.handle_async_request(dialled)
            except httpx.ConnectError as error:
                failed = error
        assert failed is not None  # noqa: S101 - the guard never returns an empty list
        raise failed

    async def aclose(self) -> None:
        await self._inner.aclose()


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates of the world, read once for all: that takes 35 ms."""
    return httpx.create_ssl_context(trust_env=False)


class SafeWeb:
    """Pages of the open internet, and of the hosts a person allowed."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
        connections: int = 20,
    ) -> None:
        self._settings = settings
        context = ssl_context or _trusted()
        guard = AddressGuard(settings.allow_hosts, resolver)
        self._transport = CheckedTransport(guard, context, connections)
        self._robots = Robots(settings.user_agent, self._read_robots)

    async def fetch(self, url: str) -> Page:
        """The page behind a link, all redirects and robots.txt included in one time limit."""
        return await self._in_time(url, None)

    async def save(self, url: str, file: BinaryIO) -> Page:
        """The same with its body written to `file` as it comes, 64 KiB at most in memory; the
        page that is returned has none."""
        return await self._in_time(url, file)

    async def _in_time(self, url: str, file: BinaryIO | None) -> Page:
        link = followable(url)
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._fetch_bare_or_page(link, file)
        except TimeoutError as error:
            raise FetchTimedOut(url, f"no whole answer in {self._settings.timeout:g} s") from error

    async def ask(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        turn: Turns | None = None,
    ) -> Answer:
        """A feed, or 304 where nothing has changed since it sent these validators.

        robots.txt is not asked: it is for crawlers, and a feed is published to be polled. Raises
        BadLink, FetchFailed and its kin, FeedGone for a 410.
        """
        link = followable(url)
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._answer(link, _validators(etag, last_modified), turn)
        except TimeoutError as error:
            raise FetchTimedOut(url, f"no whole answer in {self._settings.timeout:g} s") from error

    async def _answer(self, link: str, known: dict[str, str], turn: Turns | None) -> Answer:
        async with self._client(_ACCEPT_FEED) as client:
            url = lasting = link
            for _ in range(self._settings.max_redirects + 1):
                async with (
                    nullcontext() if turn is None else turn(urlsplit(url).netloc),
                    _answer(client, url, known) as response,
                ):
                    if "moved_to" not in response.extensions:
                        return await self._read(url, lasting, response)
                    moved = _target(url, response.extensions["moved_to"])
                    if lasting == url and response.status_code in _LASTING:
                        lasting = moved
                    url = moved
        raise TooManyRedirects(link, f"more than {self._settings.max_redirects}")

    async def _read(self, url: str, lasting: str, response: httpx.Response) -> Answer:
        headers, unchanged = response.headers, response.status_code == 304
        if response.status_code == 410:
            raise FeedGone(url, "the site answered 410")
        if not (response.is_success or unchanged):
            start = await _start_of(response)
            raise failure_of(url, response.status_code, headers, start)
        return Answer(
            status=response.status_code,
            url=url,
            lasting=lasting,
            body=b"" if unchanged else await _body(url, response, self._settings.max_bytes),
            content_type=headers.get("content-type", ""),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            max_age=max_age(headers),
        )

    async def close(self) -> None:
        await self._transport.aclose()

    def _client(self, accept: str) -> httpx.AsyncClient:
        # A client a page: cookies live as long as its redirects and are never seen again.
        return httpx.AsyncClient(
            transport=_Shared(self._transport),
            trust_env=False,
            follow_redirects=False,
            timeout=self._settings.timeout,
            headers={
                "User-Agent": self._settings.user_agent,
                "Accept": accept,
                "Accept-Language": "ko,en;q=0.8",
                "Accept-Encoding": "gzip, deflate",
            },
        )

    async def _fetch_bare_or_page(self, link: str, file: BinaryIO | None) -> Page:
        bare = readable_address(link)
        if bare != link:
            # Not every repository has its README where most have it; then the page must do.
            with suppress(NotFound):
                return await self._follow(bare, file)
        return await self._follow(link, file)

    async def _follow(self, link: str, file: BinaryIO | None) -> Page:
        async with self._client(_ACCEPT) as client:
            url = link
            for _ in range(self._settings.max_redirects + 1):
                await self._ask_robots(url)
                page = await self._one_hop(client, url, file)
                if isinstance(page, Page):
                    return page
                url = page
        raise TooManyRedirects(link, f"more than {self._settings.max_redirects}")

    async def _ask_robots(self, url: str) -> None:
        if self._settings.respect_robots and not await self._robots.allow(url):
            raise RobotsRefused(url, "robots.txt forbids it")

    async def _one_hop(
        self, client: httpx.AsyncClient, url: str, file: BinaryIO | None
    ) -> Page | str:
        """The page, or the address it has moved to."""
        async with _answer(client, url) as response:
            if "moved_to" in response.extensions:
                return _target(url, response.extensions["moved_to"])
            if not response.is_success:
                start = await _start_of(response)
                raise failure_of(url, response.status_code, response.headers, start)
            return await self._page(url, response, file)

    async def _page(self, url: str, response: httpx.Response, file: BinaryIO | None) -> Page:
        headers = response.headers
        must_be_readable(url, headers.get("content-type", ""))
        body = await _body(url, response, self._settings.max_bytes, file)
        kind = kind_of(url, headers.get("content-type", ""), body[:4096] or _first_of(file))
        return Page(
            url=url,
            body=body,
            content_type=kind,
            charset=response.charset_encoding,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
        )

    async def _read_robots(self, url: str) -> str | None:
        """The text of a robots.txt; None where there is none to be had."""
        client = httpx.AsyncClient(
            transport=_Shared(self._transport),
            trust_env=False,
            follow_redirects=False,
            timeout=_ROBOTS_SECONDS,
            headers={"User-Agent": self._settings.user_agent, "Accept-Encoding": "gzip, deflate"},
        )
        async with client:
            try:
                async with asyncio.timeout(_ROBOTS_SECONDS):
                    return await self._robots_text(client, url)
            except (TimeoutError, FetchFailed, BadLink):
                return None

    async def _robots_text(self, client: httpx.AsyncClient, url: str) -> str | None:
        for _ in range(self._settings.max_redirects + 1):
            async with _answer(client, url) as response:
                if "moved_to" in response.extensions:
                    url = _target(url, response.extensions["moved_to"])
                    continue
                if not response.is_success:
                    return None
                return (await _body(url, response, ROBOTS_BYTES)).decode("utf-8", "replace")
        return None


class _Shared(httpx.AsyncBaseTransport):
    """A transport that outlives the client using it.

    Where a redirect leads is kept from the client, which would build a request of it and break
    on a hostile one; following is our affair.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        location = response.headers.pop("location", None)
        if location is not None and response.status_code in _REDIRECTS:
            response.extensions["moved_to"] = location
        return response


@asynccontextmanager
async def _answer(
    client: httpx.AsyncClient, url: str, headers: dict[str, str] | None = None
) -> AsyncIterator[httpx.Response]:
    """One answer, body unread; the client's troubles as ours."""
    try:
        async with client.stream("GET", url, headers=headers) as response:
            yield response
    except httpx.TimeoutException as error:
        raise FetchTimedOut(url, "the site stopped answering") from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise SiteUnavailable(url, _said(error)) from error


def _validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """What a site sent is sent back as it was, unless it could not stand in a header."""
    given = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {
        name: value
        for name, value in given.items()
        if value and len(value) <= _VALIDATOR and value.isascii() and value.isprintable()
    }


def _said(error: Exception) -> str:
    if "CERTIFICATE" in str(error).upper():
        return "its certificate cannot be trusted"
    if isinstance(error, httpx.ConnectError):
        return "it does not accept connections"
    return "the connection broke off"


async def _body(
    url: str, response: httpx.Response, max_bytes: int, file: BinaryIO | None = None
) -> bytes:
    """The decoded body, in the file or held once; refused as soon as it is known to be too large."""
    encoding = response.headers.get("content-encoding", "")
    decoder = decoder_of(url, encoding, max_bytes, file=file)
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise PageTooLarge(url, f"{announced} bytes; at most {max_bytes} are read")
    async for chunk in response.aiter_raw():
        decoder.feed(chunk)
    return decoder.finish()


def _first_of(file: BinaryIO | None) -> bytes:
    if file is None:
        return b""
    file.seek(0)
    return file.read(4096)


async def _start_of(response: httpx.Response) -> bytes:
    """The first bytes of a failed answer, whatever happens after them."""
    decoder = decoder_of(
        "", response.headers.get("content-encoding", ""), _FAILED_BODY_BYTES, cut=True
    )
    with suppress(httpx.HTTPError, FetchFailed):
        async for chunk in response.aiter_raw():
            decoder.feed(chunk)
            if decoder.full:
                break
    return decoder.finish()


def _target(url: str, location: str) -> str:
    try:
        return followable(urljoin(url, location))
    except (BadLink, ValueError) as error:
        raise BadLink(url, "it leads on to something that is not a link") from error


def _is_name(host: str) -> bool:
    try:
        return literal(host) is None
    except ValueError:
        return True
