"""Lanes: one message after another, no faster than allowed, the urgent first."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.pacing import Lanes


async def test_a_burst_goes_at_once_and_then_a_turn_at_a_time() -> None:
    lanes = Lanes(per_second=10.0, burst=3.0)
    began = time.monotonic()
    times = []
    for _ in range(6):
        async with lanes.turn("a"):
            times.append(time.monotonic() - began)
    assert times[2] < 0.1
    assert times[5] >= 3 / 10 - 0.005


async def test_a_lane_is_for_one_at_a_time() -> None:
    lanes, inside, most = Lanes(1000.0, 1000.0), 0, 0

    async def go() -> None:
        nonlocal inside, most
        async with lanes.turn("a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(go() for _ in range(50)))
    assert most == 1


async def test_lanes_do_not_wait_for_each_other() -> None:
    lanes = Lanes(1000.0, 10.0)
    async with lanes.turn("a"), asyncio.timeout(1), lanes.turn("b"):
        pass


async def test_the_urgent_goes_first_and_the_rest_in_order() -> None:
    lanes = Lanes(1000.0, 100.0)
    order: list[str] = []

    async def say(word: str, urgency: int) -> None:
        async with lanes.turn("a", urgency=urgency):
            order.append(word)

    async with lanes.turn("a"):
        waiting = []
        for word, urgency in (("late", 2), ("first", 1), ("second", 1), ("urgent", 0)):
            waiting.append(asyncio.create_task(say(word, urgency)))
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["urgent", "first", "second", "late"]


async def test_a_held_lane_lets_nobody_through_before_its_time() -> None:
    lanes = Lanes(1000.0, 10.0)
    lanes.hold("a", 0.05)
    began = time.monotonic()
    async with lanes.turn("a"):
        assert time.monotonic() - began >= 0.045


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    lanes = Lanes(1000.0, 10.0)

    async def wait() -> None:
        async with lanes.turn("a"):
            pytest.fail("it had given up")

    async with lanes.turn("a"):
        given_up = asyncio.create_task(wait())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
    async with asyncio.timeout(1), lanes.turn("a"):
        pass


async def test_who_fails_in_a_turn_ends_it() -> None:
    lanes = Lanes(1000.0, 10.0)
    with pytest.raises(RuntimeError):
        async with lanes.turn("a"):
            raise RuntimeError
    async with asyncio.timeout(1), lanes.turn("a"):
        pass


async def test_idle_lanes_are_forgotten() -> None:
    lanes = Lanes(1e9, 1.0)
    for number in range(1500):
        async with lanes.turn(str(number)):
            pass
    assert len(lanes._lanes) <= 1001
