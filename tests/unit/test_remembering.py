"""Profiles at hand: asked for once, and never older than they may be."""

from __future__ import annotations

import asyncio

import pytest
from support.fakes import FakeProfiles

from bot.remembering import RememberedProfiles
from core.errors import StorageUnavailable
from core.places import ChannelProfile, Place

PLACE = Place("slack", "T1", "C1")
OFF = ChannelProfile(mode="off")


class Shelf(FakeProfiles):
    """Counts how often it is asked; holds answers back while `going` is not set."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.failing = False
        self.going = asyncio.Event()
        self.going.set()

    async def get(self, place: Place) -> ChannelProfile:
        self.asked += 1
        found = await super().get(place)
        await self.going.wait()
        return found

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None:
        await super().put(place, profile, by=by)
        if self.failing:
            raise StorageUnavailable("database", "the answer got lost")


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def profiles(shelf: Shelf, clock: Clock) -> RememberedProfiles:
    return RememberedProfiles(shelf, seconds=10, clock=clock)


async def test_a_channel_is_asked_for_once_whatever_the_thread(
    profiles: RememberedProfiles, shelf: Shelf
) -> None:
    for thread in (None, "1.0", "2.0"):
        assert await profiles.get(Place("slack", "T1", "C1", thread)) == ChannelProfile()
    assert shelf.asked == 1
    await profiles.get(Place("slack", "T1", "C2"))
    assert shelf.asked == 2


async def test_what_is_set_here_counts_at_once(profiles: RememberedProfiles) -> None:
    await profiles.get(PLACE)
    await profiles.put(PLACE, OFF, by="U1")
    assert await profiles.get(PLACE) == OFF


async def test_what_another_process_sets_counts_before_long(
    profiles: RememberedProfiles, shelf: Shelf, clock: Clock
) -> None:
    await profiles.get(PLACE)
    await shelf.put(PLACE, OFF, by="U1")
    clock.at = 9.9
    assert await profiles.get(PLACE) == ChannelProfile()
    clock.at = 10.0
    assert await profiles.get(PLACE) == OFF


async def test_what_was_read_before_a_change_is_not_remembered_after_it(
    profiles: RememberedProfiles, shelf: Shelf
) -> None:
    shelf.going.clear()
    reading = asyncio.create_task(profiles.get(PLACE))
    while not shelf.asked:
        await asyncio.sleep(0)
    await profiles.put(PLACE, OFF, by="U1")
    shelf.going.set()
    assert await reading == ChannelProfile()
    assert await profiles.get(PLACE) == OFF


async def test_a_change_that_may_have_failed_is_looked_up(
    profiles: RememberedProfiles, shelf: Shelf
) -> None:
    await profiles.get(PLACE)
    shelf.failing = True
    with pytest.raises(StorageUnavailable):
        await profiles.put(PLACE, OFF, by="U1")
    assert await profiles.get(PLACE) == OFF
