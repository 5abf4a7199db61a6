"""Feeds measured: how many of feedparser's own assertions hold, and what polling costs.

python tests/benchmarks/bench_feeds.py parse --data ../shared/data/feeds
python tests/benchmarks/bench_feeds.py poll --feeds 100 1000 10000 --hours 3
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import feedparser  # noqa: E402
import psutil  # noqa: E402
from sqlalchemy import insert  # noqa: E402
from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: E402
from support.feed_hosts import host_of, serving_hosts  # noqa: E402

from bot.polling import Poller  # noqa: E402
from core.errors import DigestError  # noqa: E402
from core.feed import Source  # noqa: E402
from core.settings import WebSettings  # noqa: E402
from core.web.feed_text import read  # noqa: E402
from core.web.feeds import parse  # noqa: E402
from core.web.fetch import SafeWeb  # noqa: E402
from storage.articles import hash_of  # noqa: E402
from storage.database import database_url, open_database  # noqa: E402
from storage.feeds import SqlFeeds  # noqa: E402
from storage.polled import source_values  # noqa: E402
from storage.tables import FeedRow  # noqa: E402

START = datetime(2026, 11, 25, 9, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    parsing = commands.add_parser("parse")
    parsing.add_argument("--data", type=Path, default=ROOT / "../shared/data/feeds")
    polling = commands.add_parser("poll")
    polling.add_argument("--feeds", type=int, nargs="+", default=[100, 1000, 10_000])
    polling.add_argument("--hours", type=float, default=3.0, help="of simulated schedule")
    polling.add_argument("--at-once", type=int, default=32)
    polling.add_argument("--timeout", type=float, default=20.0, help="real seconds for a feed")
    given = parser.parse_args()
    if given.command == "parse":
        bench_parse(given.data)
    else:
        for count in given.feeds:
            asyncio.run(bench_poll(count, given.hours, given.at_once, given.timeout))


# --- parsing


def bench_parse(data: Path) -> None:
    rows = [json.loads(line) for line in (data / "index.jsonl").read_text("utf-8").splitlines()]
    asserted = [row for row in rows if row["expect"]]
    held: dict[str, int] = {}
    for name, reader in (("feedparser alone", _feedparser), ("ours", _ours)):
        broken = [row for row in asserted if not _holds(reader, data / row["file"], row["expect"])]
        held[name] = len(asserted) - len(broken)
        print(f"{name}: {held[name]} of {len(asserted)} assertions hold")
        for row in broken:
            print(f"    {row['file']}: {row['expect'][:100]}")
    print("files without an assertion:")
    for row in rows:
        if row["expect"]:
            continue
        body = (data / row["file"]).read_bytes()
        alone = len(feedparser.parse(body).entries)
        feed = parse(body, url="https://example.com/feed")
        print(f"    {row['file']}: {len(feed.announced)} entries with a link ({alone} feedparser)")
    took, entries, refused = time.process_time(), 0, 0
    for row in rows:
        try:
            found = parse((data / row["file"]).read_bytes(), url="https://example.com/feed")
            entries += len(found.announced)
        except DigestError:
            refused += 1
    took = time.process_time() - took
    print(f"all {len(rows)} read in {took:.2f} s of CPU; {entries} entries with a link, "
          f"{refused} files with nothing to announce")  # fmt: skip


def _feedparser(body: bytes) -> dict[str, Any]:
    """Without chardet, which it uses where somebody else has installed it."""
    known = feedparser.encodings.lazy_chardet_encoding
    feedparser.encodings.lazy_chardet_encoding = None
    try:
        return dict(feedparser.parse(body))
    finally:
        feedparser.encodings.lazy_chardet_encoding = known


def _ours(body: bytes) -> dict[str, Any]:
    return dict(read(body, markup=True))


def _holds(reader: Any, file: Path, expect: str) -> bool:
    found = reader(file.read_bytes())
    try:
        return bool(eval(expect, {"__builtins__": {"ord": ord, "len": len}}, found))  # noqa: S307
    except (LookupError, AttributeError, TypeError):
        return False


# --- polling


@dataclass
class Clock:
    """Ours and the server's, moved together."""

    shared: Any
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, to: datetime) -> None:
        self.at = to
        self.shared.value = to.timestamp()


@dataclass
class Course:
    """What was measured on the way."""

    rows: list[str] = field(default_factory=list)

    def note(self, what: str, polls: int, cpu: float, wall: float) -> None:
        rss = psutil.Process().memory_info().rss / 2**20
        each = f"{1000 * cpu / max(polls, 1):6.2f} ms CPU, {1000 * wall / max(polls, 1):6.2f} ms"
        print(
            f"  {what:<22} {polls:>7} polls  {each} a poll  {wall:7.1f} s  {rss:6.1f} MB",
            flush=True,
        )


async def bench_poll(count: int, hours: float, at_once: int, patience: float) -> None:
    print(f"{count} feeds, {hours:g} h of simulated schedule, {at_once} at once")
    names = [host_of(number) for number in range(count)]

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with (
        tempfile.TemporaryDirectory() as folder,
        serving_hosts(START.timestamp()) as (port, shared),
    ):
        settings = WebSettings(
            allow_hosts=tuple(f"{name}:{port}" for name in (*names, "shared.example")),
            timeout=patience,
        )
        clock, course = Clock(shared), Course()
        web = SafeWeb(settings, resolver=resolve, connections=at_once)
        async with open_database(database_url(None, Path(folder))) as engine:
            feeds = SqlFeeds(engine, clock)
            await _add_all(engine, [f"http://{name}:{port}/feed" for name in names])
            new: list[int] = []
            poller = Poller(
                feeds, web, "bench", at_once=at_once,
                told=lambda entries: new.append(len(entries)), now=clock,
            )  # fmt: skip
            await _first_look(poller, course, count)
            end, quarter = START + timedelta(hours=hours), 0
            began = _now()
            polls = poller.counts.total()
            while (at := await feeds.next_due()) is not None and at <= end:
                # As if looked at every five minutes: what has become due meanwhile.
                clock.move(max(at, clock.at + timedelta(minutes=5)))
                await poller.catch_up()
                if (clock.at - START) / (end - START) * 4 >= quarter + 1:
                    quarter += 1
                    done = poller.counts.total() - polls
                    course.note(f"schedule to {clock.at - START}", done, *_since(began))
                    began, polls = _now(), poller.counts.total()
            await web.close()
            print(f"  came of it: {dict(sorted(poller.counts.items()))}; new entries: {sum(new)}")
        _report(await _seen(port))


async def _add_all(engine: AsyncEngine, urls: Sequence[str]) -> None:
    rows = [source_values(Source(hash_of(url), url), START) | {"told": False} for url in urls]
    async with engine.begin() as connection:
        await connection.execute(insert(FeedRow), rows)


async def _first_look(poller: Poller, course: Course, count: int) -> None:
    """With figures on the way: the hundredth feed must not cost less than the ten thousandth."""
    looking = asyncio.create_task(poller.catch_up())
    began, done = _now(), 0
    for goal in (*(goal for goal in (100, 1000, 2500, 5000, 7500) if goal < count), count):
        while poller.counts.total() < goal and not looking.done():
            await asyncio.sleep(0.05)
        polls = poller.counts.total() - done
        course.note(f"first look, to {done + polls}", polls, *_since(began))
        began, done = _now(), done + polls
    await looking


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.process_time() - began[0], time.perf_counter() - began[1]


async def _seen(port: int) -> dict[str, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /-/seen HTTP/1.1\r\nHost: f00000.example\r\n\r\n")
    answer = await reader.read()
    writer.close()
    found: dict[str, int] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def _report(seen: dict[str, int]) -> None:
    unchanged, answered = seen.get("unchanged", 0), seen.get("unchanged_304", 0)
    print(f"  the server saw {seen['requests']} requests at {seen['hosts']} hosts, "
          f"at most {seen['most_at_once']} at once at a host; of {unchanged} for an unchanged feed "
          f"{answered} ({100 * answered / max(1, unchanged):.1f}%) were answered by 304")  # fmt: skip


if __name__ == "__main__":
    main()
