"""Thousands of hosts with a feed each, on one port of this machine, in a process of their own.

Host `f00042.example` behaves by its number: most answer as they should, with validators; others
are slow, rate-limited, broken, moved or gone. The server judges the client: who asks twice at
once at a host, and who could have been answered with 304. What it saw is at `/-/seen`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from multiprocessing.sharedctypes import Synchronized
from typing import Literal

Manner = Literal[
    "good", "no_validators", "slow", "limited", "failing", "broken", "korean", "moved", "shared",
    "gone", "silent",
]  # fmt: skip
# Of a hundred hosts so many behave in that manner.
SHARES: dict[Manner, int] = {
    "good": 70, "no_validators": 4, "slow": 5, "limited": 4, "failing": 4, "broken": 3,
    "korean": 3, "moved": 3, "shared": 2, "gone": 1, "silent": 1,
}  # fmt: skip
_MANNERS = [manner for manner, share in SHARES.items() for _ in range(share)]
ENTRIES = 12
_SLOW = 0.4  # seconds
_PERIODS = (900, 3600, 4 * 3600, 12 * 3600, 48 * 3600, 7 * 86400)  # seconds between two entries


def manner_of(number: int) -> Manner:
    return _MANNERS[(number * 37) % len(_MANNERS)]


def host_of(number: int) -> str:
    return f"f{number:05d}.example"


@dataclass
class Host:
    """What the server remembers of one."""

    busy: int = 0
    most: int = 0
    asked: int = 0
    sent: int = -1  # the version that went out last


class FeedHosts:
    """`clock` holds simulated seconds since 1970; feeds change by it."""

    def __init__(self, clock: Synchronized[float]) -> None:
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self.seen: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:])
            }
            path = head[0].split(" ")[1]
            if path == "/-/seen":
                most = max((host.most for host in self._hosts.values()), default=0)
                told = {**self.seen, "most_at_once": most, "hosts": len(self._hosts)}
                await _send(writer, 200, {}, json.dumps(told).encode())
            else:
                await self._turn(path, headers, reader, writer)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def _turn(
        self,
        path: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        name = headers["host"].split(":")[0]
        host = self._hosts.setdefault(name, Host())
        host.busy += 1
        host.most = max(host.most, host.busy)
        host.asked += 1
        self.seen["requests"] += 1
        answering = asyncio.create_task(self._answer(name, host, path, headers, writer))
        hanging_up = asyncio.create_task(reader.read(1))
        try:
            # Who has hung up is not there any more, however slow we are.
            await asyncio.wait({answering, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, hanging_up):
                task.cancel()
            await asyncio.gather(answering, hanging_up, return_exceptions=True)
            host.busy -= 1

    async def _answer(
        self, name: str, host: Host, path: str, headers: dict[str, str],
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        number = int(path.rpartition("/")[2]) if name == "shared.example" else int(name[1:6])
        manner = manner_of(number)
        port = headers["host"].partition(":")[2]
        match manner:
            case "silent":
                await asyncio.sleep(60)
            case "gone":
                await _send(writer, 410, {})
            case "limited" if host.asked % 3 == 1:
                await _send(writer, 429, {"Retry-After": "1800"})
            case "failing" if host.asked % 2 == 1:
                await _send(writer, 500, {})
            case "moved" if path == "/feed":
                await _send(writer, 301, {"Location": "/moved/feed"})
            case "shared" if name != "shared.example":
                # All of them lead to one and the same host, as those of a large publisher do.
                await _send(writer, 302, {"Location": f"http://shared.example:{port}/{number}"})
            case _:
                if manner == "slow":
                    await asyncio.sleep(_SLOW)
                await self._feed(host, number, headers, writer)

    async def _feed(
        self, host: Host, number: int, headers: dict[str, str], writer: asyncio.StreamWriter
    ) -> None:
        period = _PERIODS[number % len(_PERIODS)]
        version = int(self._clock.value // period)
        manner = manner_of(number)
        etag = f'"{number}-{version}"'
        known = headers.get("if-none-match") == etag
        shared = manner == "shared"
        if not shared and host.sent == version:
            self.seen["unchanged"] += 1
            self.seen["unchanged_304"] += known
        if known:
            await _send(writer, 304, {"ETag": etag})
            return
        host.sent = version
        self.seen["sent_whole"] += 1
        given = {"Content-Type": "application/rss+xml", "Cache-Control": "max-age=300"}
        if manner != "no_validators":
            given |= {"ETag": etag, "Last-Modified": formatdate(version * period, usegmt=True)}
        await _send(writer, 200, given, feed(number, version, period, manner))


def feed(number: int, version: int, period: float, manner: Manner = "good") -> bytes:
    """An RSS feed whose newest entry is of that version, with texts of a usual length."""
    items = "".join(
        f"<item><title>Post {one} of blog {number} &amp; more</title>"
        f"<link>http://{host_of(number)}/posts/{one}</link><guid>{number}-{one}</guid>"
        f"<pubDate>{formatdate(one * period)}</pubDate>"
        f"<description><![CDATA[<p>{_words(number, one)}</p>]]></description></item>\n"
        for one in range(version, version - ENTRIES, -1)
    )
    title = "기술 블로그" if manner == "korean" else "Engineering"
    charset = "euc-kr" if manner == "korean" else "utf-8"
    whole = (
        f'<?xml version="1.0" encoding="{charset}"?><rss version="2.0"><channel>'
        f"<title>{title} {number}</title><link>http://{host_of(number)}/</link>"
        f"<ttl>10</ttl>{items}</channel></rss>"
    )
    if manner == "broken":
        whole = whole.replace("&amp;", "&", 3).replace("</channel></rss>", "")
    return whole.encode(charset)


def _words(number: int, one: int) -> str:
    return " ".join(
        f"Sentence {n} of {one}: the queue of blog {number} holds {n * one} writers."
        for n in range(40)
    )


async def _send(
    writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes = b""
) -> None:
    given = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status} Answer", *(f"{name}: {value}" for name, value in given.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


def _run(clock: Synchronized[float], port: Synchronized[int]) -> None:
    async def main() -> None:
        hosts = FeedHosts(clock)
        server = await asyncio.start_server(hosts.serve, "127.0.0.1", 0, backlog=1000)
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(main())


@contextmanager
def serving_hosts(at: float) -> Iterator[tuple[int, Synchronized[float]]]:
    """The port of a server in its own process, and its clock."""
    context = multiprocessing.get_context("spawn")
    clock, port = context.Value("d", at), context.Value("i", 0)
    process = context.Process(target=_run, args=(clock, port), daemon=True)
    process.start()
    try:
        while not port.value:
            process.join(0.05)
            if process.exitcode is not None:
                raise RuntimeError("the server of the feeds did not come up")
        yield port.value, clock
    finally:
        process.terminate()
        process.join()
