"""bot.discord.budget: no second holds more requests than Discord takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.discord.budget import Budget


class Clock:
    """Time passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_of_many_at_once_no_second_has_more_than_the_limit() -> None:
    clock = Clock()
    budget = Budget(10, clock=clock, sleep=clock.sleep)
    for _ in range(100):
        await budget.take()
    begun = sorted([0.0] * (100 - len(clock.waits)) + clock.waits)
    fullest = max(sum(start <= one < start + 1.0 for one in begun) for start in begun)
    assert fullest <= 15
    assert begun[-1] == pytest.approx(9.5)


async def test_a_silence_is_not_saved_up() -> None:
    clock = Clock()
    budget = Budget(10, clock=clock, sleep=clock.sleep)
    await budget.take()
    clock.now += 3600
    for _ in range(20):
        await budget.take()
    assert len(clock.waits) == 15


async def test_a_machine_that_has_just_been_started_gets_its_first_ones_at_once() -> None:
    clock = Clock()
    clock.now = 2.0
    budget = Budget(0.001, clock=clock, sleep=clock.sleep)
    for _ in range(6):
        await budget.take()
    assert clock.waits == [1000.0]


async def test_one_now_and_then_never_waits() -> None:
    clock = Clock()
    budget = Budget(10, clock=clock, sleep=clock.sleep)
    for _ in range(50):
        await budget.take()
        clock.now += 0.1
    assert clock.waits == []


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    server = TestServer(app)
    async with server:
        yield server


async def test_an_answer_to_an_interaction_goes_at_once_while_messages_wait(
    server: TestServer,
) -> None:
    held = asyncio.Event()

    async def sleep(_: float) -> None:
        await held.wait()

    budget = Budget(0.001, sleep=sleep)
    for _ in range(5):
        await budget.take()
    async with aiohttp.ClientSession(trace_configs=[budget.trace()]) as session:
        message = asyncio.create_task(session.post(server.make_url("/api/v10/channels/1/messages")))
        callback = server.make_url("/api/v10/interactions/1/token/callback")
        edit = server.make_url("/api/v10/webhooks/1/token/messages/@original")
        for answer in (callback, edit):
            async with session.post(answer) as answered:
                assert answered.status == 200
        assert not message.done()
        held.set()
        async with await message as sent:
            assert sent.status == 200
