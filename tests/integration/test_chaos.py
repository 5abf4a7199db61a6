"""Whole processes are killed while links are in flight; the receiving end counts.

The same with 50 kills and 200 links: tests/benchmarks/bench_durability.py.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import pytest
from support import bot_process
from support.forks import Forked
from support.messenger import Messenger, messenger
from support.postgres import PostgresServer

pytestmark = pytest.mark.slow


@pytest.fixture
async def chat() -> AsyncIterator[Messenger]:
    async with messenger() as running:
        yield running


class Bots:
    def __init__(self, address: str, data: Path, database: str | None) -> None:
        self.address, self.data, self.database = address, data, database
        self.processes: list[Forked] = []

    def start(self, kind: Literal["bot", "worker"] = "bot", **environ: str) -> None:
        started = bot_process.start_quickly(
            self.address, self.data, database=self.database, kind=kind, environ=environ
        )
        self.processes.append(started)

    def kill(self, which: int = 0) -> None:
        process = self.processes.pop(which)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def ask_to_stop(self, seconds: float) -> list[int]:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(seconds) for process in self.processes]


@pytest.fixture
def bots(request: pytest.FixtureRequest, chat: Messenger, tmp_path: Path) -> Iterator[Bots]:
    kind = getattr(request, "param", "sqlite")
    database = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    running = Bots(chat.address, tmp_path, database)
    yield running
    for process in running.processes:
        process.kill()
        process.wait()


def said_once(chat: Messenger, links: int) -> bool:
    answers = chat.answered()
    assert chat.doubled() == []
    assert {one.link for one in answers} == {chat.link(number) for number in range(links)}
    assert [one.said for one in answers if not one.said[-1].startswith("digest")] == []
    return True


@pytest.mark.parametrize("bots", ["sqlite", "postgres"], indirect=True)
async def test_killed_again_and_again_every_link_is_answered_once(
    chat: Messenger, bots: Bots, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(17)  # noqa: S311 - moments, not secrets
    links, kills = (24, 2) if bots.database is None else (16, 1)
    for _ in range(1 if bots.database is None else 2):
        bots.start()  # at once: on an empty database all of them come up
    for number in range(links):
        chat.share(number, channel=f"C{number % 4}")
    for kill in range(kills):
        await chat.until(lambda kill=kill: len(chat.answered()) >= 4 + 8 * kill, 60)  # type: ignore[misc]
        await asyncio.sleep(chance.uniform(0, 0.2))
        bots.kill(chance.randrange(len(bots.processes)))
        bots.start()
    await chat.until(lambda: len(chat.answered()) >= links, 90)
    assert said_once(chat, links)
    assert set(bots.ask_to_stop(10)) <= {0, -signal.SIGTERM}, "one may still have been starting"


async def test_asked_to_stop_in_the_middle_it_stops_in_time_and_the_next_one_goes_on(
    chat: Messenger, bots: Bots
) -> None:
    links = 15
    for number in range(links):
        chat.share(number)
    bots.start(SMARTDEVDIGEST_QUEUE__GRACE="1")
    await chat.until(lambda: len(chat.messages) >= 5, 60)
    # half a minute is what most supervisors give; the grace of work in progress is far shorter
    assert bots.ask_to_stop(30) == [0]
    bots.processes.clear()
    bots.start()
    await chat.until(lambda: len(chat.answered()) >= links, 90)
    assert said_once(chat, links)


@pytest.mark.parametrize("bots", ["postgres"], indirect=True)
async def test_a_bot_without_a_model_leaves_digests_to_a_worker(
    chat: Messenger, bots: Bots
) -> None:
    links = 4
    bots.start(SMARTDEVDIGEST_QUEUE__DIGESTS="0")
    for number in range(links):
        chat.share(number)
    await chat.until(lambda: len(chat.messages) == links, 60)
    assert chat.answered() == []
    bots.start("worker")
    await chat.until(lambda: len(chat.answered()) >= links, 60)
    assert said_once(chat, links)


async def test_a_database_that_is_away_for_a_while_costs_nobody_an_answer(
    chat: Messenger, tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    links = 15
    bots = Bots(chat.address, tmp_path, postgres_url)
    try:
        bots.start()
        for number in range(links):
            chat.share(number)
        await chat.until(lambda: len(chat.messages) >= 5, 60)
        await asyncio.to_thread(postgres_server.stop)
        chat.share(links)
        await asyncio.sleep(1)
        assert bots.processes[0].poll() is None, "it lives on"
        await asyncio.to_thread(postgres_server.start)
        await chat.until(lambda: len(chat.answered()) >= links + 1, 120)
        assert said_once(chat, links + 1)
    finally:
        for process in bots.processes:
            process.kill()
            process.wait()
        await asyncio.to_thread(postgres_server.start)
