"""A web server on this machine that misbehaves on demand.

    async with serving() as server:
        server.page("/a", "<p>…")
        server.redirect("/b", "/a")
        await web.fetch(server.url("/b"))

It speaks HTTP by hand on purpose: a well-behaved library would not let a test send a
truncated body, a lying header or one byte a second.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from core.settings import WebSettings

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WebServer:
    """Routes by path; `requests` is everything that was asked, in order."""

    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    sent: int = 0
    _routes: dict[str, Handler] = field(default_factory=dict)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def host(self) -> str:
        """The entry for `web.allow_hosts`."""
        return f"127.0.0.1:{self.port}"

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)

    # --- what it answers

    def page(
        self,
        path: str,
        body: str | bytes,
        content_type: str | None = HTML,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        given = {"Content-Length": str(len(data)), **(headers or {})}
        if content_type is not None:
            given["Content-Type"] = content_type

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            await self._send(writer, _head(status, given) + data)

        self._routes[path] = answer

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.page(path, b"", None, status=status, headers={"Location": to})

    def stream(
        self, path: str, chunks: Callable[[], Iterable[bytes]], headers: dict[str, str]
    ) -> None:
        """Chunks as fast as they are taken; the end of the connection ends the body."""

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            await self._send(writer, _head(200, headers))
            for chunk in chunks():
                await self._send(writer, chunk)

        self._routes[path] = answer

    def slow(self, path: str, *, seconds: float = 0.05, headers_too: bool = False) -> None:
        """A byte now and then, for ever: in the body, or already in the headers."""

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            end = b"" if headers_too else b"\r\n"
            await self._send(writer, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + end)
            while True:
                await self._send(writer, b"x")
                await asyncio.sleep(seconds)

        self._routes[path] = answer

    def raw(self, path: str, data: bytes) -> None:
        """Exactly these bytes, then the connection ends."""

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            await self._send(writer, data)

        self._routes[path] = answer

    # --- how it does it

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.sent += len(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await _read_request(reader)
            self.requests.append(request)
            handler = self._routes.get(request.path, self._nothing_here)
            await handler(request, writer)
        with suppress(ConnectionError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    async def _nothing_here(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._send(writer, _head(404, {"Content-Length": "0"}))


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in head[1:] if ":" in line)
    return Request(method, path, {name.lower(): value.strip() for name, value in pairs})


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[WebServer]:
    server = WebServer(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server.serve(reader, writer)
        finally:
            tasks.discard(task)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def web_settings(server: WebServer | None = None, **changes: object) -> WebSettings:
    """Settings that allow this one server and nothing else of this machine."""
    allowed = (server.host,) if server is not None else ()
    return WebSettings.model_validate({"allow_hosts": allowed, **changes})


def an_article(words: int = 200, title: str = "A title") -> str:
    """A page with an article of about so many words, no two sentences the same."""
    sentences = [
        f"Sentence number {n} says that a queue of length {n * 3} holds back the writers."
        for n in range(max(1, words // 14))
    ]
    paragraphs = [" ".join(sentences[n : n + 5]) for n in range(0, len(sentences), 5)]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html lang='en'><head><title>{title}</title></head>"
        f"<body><main><article><h1>{title}</h1>{body}</article></main></body></html>"
    )
