"""Whose turn it is before several servers: nobody is forgotten in the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from core.engine.endpoints import Endpoint, Endpoints
from core.errors import EngineBusy, EngineFailed


@asynccontextmanager
async def servers(count: int, *, limit: int = 1) -> AsyncIterator[Endpoints]:
    async with httpx.AsyncClient() as client:  # nothing is sent: they are well from the beginning
        urls = [f"http://server{number}/v1" for number in range(count)]
        found = Endpoints(client, urls, name="test", limit=limit, max_waiting=99)
        for one in found.all:
            one.well = True
        yield found
        await found.close()


async def held(line: Endpoints, *avoid: Endpoint) -> Endpoint:
    async with line.one(avoid) as endpoint:
        return endpoint


async def waiting(line: Endpoints, count: int) -> None:
    async with asyncio.timeout(5):
        while line.waiting != count:
            await asyncio.sleep(0)


def busy(endpoints: Collection[Endpoint]) -> list[int]:
    return [one.busy for one in endpoints]


async def test_who_is_cancelled_at_the_moment_of_its_turn_does_not_keep_it() -> None:
    async with servers(1) as line:
        async with line.one():
            first, second = (asyncio.create_task(held(line)) for _ in range(2))
            await waiting(line, 2)
        first.cancel()  # told that there is a place, but not yet there to take it
        async with asyncio.timeout(5):
            await second
        assert first.cancelled()
        assert busy(line.all) == [0]


async def test_who_waits_for_another_server_leaves_the_free_one_to_others() -> None:
    async with servers(2) as line:
        one, other = line.all
        async with AsyncExitStack() as stack:
            other_is_held = await stack.enter_async_context(line.one([one]))
            assert other_is_held is other
            async with line.one():
                choosy = asyncio.create_task(held(line, one))
                await waiting(line, 1)
                anyone = asyncio.create_task(held(line))
                await waiting(line, 2)
            async with asyncio.timeout(5):
                assert await anyone is one
            assert not choosy.done()
        assert await choosy is other


async def test_when_the_last_server_falls_ill_all_who_wait_hear_of_it() -> None:
    async with servers(1) as line:
        (only,) = line.all
        async with line.one():
            asked = [asyncio.create_task(held(line)) for _ in range(3)]
            await waiting(line, 3)
            line.fell_ill(only, "gone")
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(end) for end in ends] == [EngineBusy] * 3


async def test_closing_ends_the_waiting() -> None:
    async with servers(1) as line:
        async with line.one():
            task = asyncio.create_task(held(line))
            await waiting(line, 1)
            await line.close()
            with pytest.raises(EngineFailed, match="closed"):
                await task
        assert line.waiting == 0
