"""Nothing is lost: processes are killed while links are in flight, and the receiving end counts.

    python tests/benchmarks/bench_durability.py chaos              # SQLite, one process
    python tests/benchmarks/bench_durability.py chaos --postgres   # PostgreSQL, three processes
    python tests/benchmarks/bench_durability.py queue              # 10,000 links, null engine
    python tests/benchmarks/bench_durability.py queue --postgres
    python tests/benchmarks/bench_durability.py away --postgres    # the database away for 30 s

Real processes of the whole bot in a small messenger of our own (tests/support/messenger.py);
the model is left out (`echo`). Prints a table; exits with 1 where a link was lost or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psutil  # noqa: E402
from support import bot_process  # noqa: E402
from support.messenger import Messenger, messenger  # noqa: E402
from support.postgres import running  # noqa: E402

from bot.durable.store import WorkflowStore  # noqa: E402
from bot.durable.workflows import Workflows  # noqa: E402
from bot.making import Maker  # noqa: E402
from bot.receiving import Heard, Receiver  # noqa: E402
from core.places import Place  # noqa: E402
from core.settings import LimitSettings, QueueSettings  # noqa: E402
from storage.database import database_url, open_database, workflow_database  # noqa: E402
from storage.deliveries import SqlDeliveries  # noqa: E402
from storage.profiles import SqlProfiles  # noqa: E402

Processes = list[subprocess.Popen[bytes]]


class Bots:
    """Processes of the bot that share one database."""

    def __init__(self, address: str, data: Path, database: str | None) -> None:
        self.address, self.data, self.database = address, data, database
        self.processes: Processes = []

    def start(self) -> None:
        self.processes.append(bot_process.start(self.address, self.data, database=self.database))

    def kill_one(self) -> None:
        victim = random.choice(self.processes)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.processes.remove(victim)

    def stop(self) -> float:
        """Seconds until the last has stopped by itself."""
        started = time.monotonic()
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(30)
        return time.monotonic() - started

    def memory(self) -> float:
        """MiB of all of them."""
        return sum(psutil.Process(one.pid).memory_info().rss for one in self.processes) / 2**20


@contextlib.contextmanager
def database(postgres: bool) -> Iterator[tuple[str | None, object]]:
    if not postgres:
        yield None, None
        return
    with running(fsync=True) as server:
        yield server.create_database(), server


async def chaos(options: argparse.Namespace) -> bool:
    """`--kills` kill -9 at random moments while `--flight` links are in flight."""
    random.seed(options.seed)
    count = 3 if options.postgres else 1
    with database(options.postgres) as (url, _), tempfile.TemporaryDirectory() as data:
        async with messenger() as chat:
            bots = Bots(chat.address, Path(data), url)
            for _ in range(count):
                bots.start()
            shared, began = 0, time.monotonic()
            for kill in range(options.kills):
                while shared - len(chat.answered()) < options.flight:
                    chat.share(shared, channel=f"C{shared % 10}")
                    shared += 1
                await _some_moment(chat, options.between)
                bots.kill_one()
                bots.start()
                print(
                    f"kill {kill + 1}: {shared} shared, {len(chat.answered())} answered, "
                    f"{len(chat.doubled())} doubled",
                    flush=True,
                )
            killed = time.monotonic() - began
            lost = await _settled(chat, shared, options.patience)
            stopped = bots.stop()
            return _judged(
                chat,
                shared,
                lost,
                [
                    ("processes", str(count)),
                    ("kill -9", f"{options.kills} in {killed:.0f} s"),
                    ("graceful stop", f"{stopped:.1f} s"),
                ],
            )


async def away(options: argparse.Namespace) -> bool:
    """The database is taken away for `--seconds` while links are in flight."""
    with running(fsync=True) as server, tempfile.TemporaryDirectory() as data:
        url = server.create_database()
        async with messenger() as chat:
            bots = Bots(chat.address, Path(data), url)
            for _ in range(2):
                bots.start()
            for number in range(options.flight):
                chat.share(number, channel=f"C{number % 10}")
            await chat.until(lambda: len(chat.answered()) > options.flight // 10, 120)
            await asyncio.to_thread(server.stop)
            before = len(chat.answered())
            await asyncio.sleep(options.seconds)
            during = len(chat.answered()) - before
            alive = sum(process.poll() is None for process in bots.processes)
            back = time.monotonic()
            await asyncio.to_thread(server.start)
            await chat.until(lambda: len(chat.answered()) > before + during + 1, 180)
            resumed = time.monotonic() - back
            lost = await _settled(chat, options.flight, options.patience)
            bots.stop()
            rows = [
                ("database away", f"{options.seconds:.0f} s, {alive} of 2 processes lived on"),
                ("first answer after it was back", f"{resumed:.1f} s"),
            ]
            return _judged(chat, options.flight, lost, rows) and alive == 2


async def queue(options: argparse.Namespace) -> bool:
    """`--links` links are accepted while nobody works; then processes work on them."""
    good = True
    for count in options.processes:
        with database(options.postgres) as (url, _), tempfile.TemporaryDirectory() as data:
            async with messenger() as chat:
                accepting, grown = await _fill(chat, url, Path(data), options.links)
                bots = Bots(chat.address, Path(data), url)
                for _ in range(count):
                    bots.start()
                await chat.until(lambda: len(chat.answered()) > 20, 180)
                memory = [bots.memory()]
                measured, before = time.monotonic(), len(chat.answered())
                wanted = min(options.links, before + options.answers)
                while len(chat.answered()) < wanted:
                    await asyncio.sleep(0.5)
                    memory.append(bots.memory())
                answered = time.monotonic() - measured
                done = len(chat.answered()) - before
                stopped = await asyncio.to_thread(bots.stop)
                rows = [
                    ("processes", str(count)),
                    ("accepting one, p50 / p99", _percentiles(accepting)),
                    ("… memory while the queue grew", f"{grown:+.1f} MiB"),
                    ("answered", f"{done / answered:.1f} links/s"),
                    (
                        "memory, at first / most / at last",
                        f"{memory[0]:.0f} / {max(memory):.0f} / {memory[-1]:.0f} MiB",
                    ),
                    ("graceful stop", f"{stopped:.1f} s"),
                ]
                good &= _judged(chat, options.links, None, rows)
    return good


async def _fill(
    chat: Messenger, url: str | None, data: Path, links: int
) -> tuple[list[float], float]:
    """Seconds for each link to be kept and queued, and how much memory grew in MiB, by a process
    (this one) that only accepts."""
    address = database_url(url, data)
    async with open_database(address) as opened:
        deliveries = SqlDeliveries(opened)
        workflows = Workflows(
            deliveries,
            cast("Maker", None),  # nobody works here
            {},
            QueueSettings(digests=0),
            store=WorkflowStore(await workflow_database(address)),
            executor="filling",
        )
        limits = LimitSettings(user_per_hour=10**6, channel_per_hour=10**6)
        receiver = Receiver(deliveries, SqlProfiles(opened), workflows, limits)
        seconds: list[float] = []
        memory = [0.0, 0.0]
        async with workflows.open():
            for number in range(links):
                place = Place("slack", "T", f"C{number % 100}")
                # Few articles, so that the queue is measured and not the reading of pages.
                heard = Heard(place, f"m{number}", f"U{number % 50}", [chat.link(number % 20)])
                began = time.monotonic()
                await receiver.hear(heard)
                seconds.append(time.monotonic() - began)
                if number in (links // 10, links - 1):
                    memory.append(psutil.Process().memory_info().rss / 2**20)
    return seconds, memory[-1] - memory[-2]


def _percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"{middle * 1e3:.0f} / {late * 1e3:.0f} ms"


async def _some_moment(chat: Messenger, between: tuple[float, float]) -> None:
    """As likely while a process starts and adopts as in the middle of answering."""
    if random.random() < 0.3:
        await asyncio.sleep(random.uniform(*between))
        return
    wanted = len(chat.answered()) + random.randint(1, 60)
    with contextlib.suppress(TimeoutError):
        await chat.until(lambda: len(chat.answered()) >= wanted, 30)
    await asyncio.sleep(random.uniform(0, 0.3))


async def _settled(chat: Messenger, shared: int, patience: float) -> int:
    """Links that are not answered although nothing was killed for so long."""
    with contextlib.suppress(TimeoutError):
        await chat.until(lambda: len(chat.answered()) >= shared, patience)
    return shared - len(chat.answered())


def _judged(chat: Messenger, shared: int, lost: int | None, rows: list[tuple[str, str]]) -> bool:
    doubled = chat.doubled()
    troubled = [one for one in chat.answered() if one.said[-1].startswith("trouble")]
    table = [
        *rows,
        ("links shared", str(shared)),
        ("answered", str(len(chat.answered()))),
        ("lost", "not waited for" if lost is None else str(lost)),
        ("answered twice", str(len(doubled))),
        ("answered with trouble", str(len(troubled))),
        ("fetches of the most fetched article", str(max(chat.fetched.values(), default=0))),
    ]
    print("\n| | |\n|---|---|")
    for name, value in table:
        print(f"| {name} | {value} |")
    print(flush=True)
    return not lost and not doubled and not troubled


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["chaos", "queue", "away"])
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--flight", type=int, default=200, help="links in flight")
    parser.add_argument("--between", type=float, nargs=2, default=(0.5, 5.0), metavar="SECONDS")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds to settle")
    parser.add_argument("--seconds", type=float, default=30.0, help="the database is away")
    parser.add_argument("--links", type=int, default=10_000)
    parser.add_argument(
        "--answers", type=int, default=1_000, help="queue: stop after so many more answers"
    )
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # killed clients break off
    run = {"chaos": chaos, "queue": queue, "away": away}[options.what]
    return 0 if asyncio.run(run(options)) else 1


if __name__ == "__main__":
    sys.exit(main())
