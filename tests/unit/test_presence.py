"""Who is alive, who is not, and what becomes of what the dead had begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from support.fakes import FakeDeliveries, FakeProcesses

from bot.presence import Presence, Standing, died_here, this_process
from core.places import Delivery, Place, Process, SharedLink

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ELSEWHERE = Process("other-1", "another-host", 7, 1_000.0, "bot")


class FakeWork:
    def __init__(self) -> None:
        self.adopted: list[str] = []
        self.queued: list[str] = []
        self.given_up: list[str] = []
        self.stands: dict[str, Standing] = {}

    async def adopt(self, executors: Sequence[str]) -> int:
        self.adopted.extend(executors)
        return len(executors)

    async def enqueue(self, delivery: Delivery) -> None:
        self.queued.append(delivery.id)

    async def standing(self, deliveries: Sequence[Delivery]) -> Mapping[str, Standing]:
        return {one.id: self.stands.get(one.id, "missing") for one in deliveries}

    async def give_up(self, delivery: Delivery) -> None:
        self.given_up.append(delivery.id)


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.processes = FakeProcesses(now=lambda: EPOCH + timedelta(seconds=self.now))
        self.deliveries = FakeDeliveries()
        self.work = FakeWork()
        self.presence = Presence(
            this_process("bot"),
            self.processes,
            self.deliveries,
            self.work,
            lease=20.0,
            clock=lambda: self.now,
        )

    async def accepted(self, message: str = "1.0") -> Delivery:
        place = Place("slack", "T1", "C1")
        delivery, _ = await self.deliveries.accept(
            SharedLink("https://a.example/post", place, message, "U1")
        )
        return delivery


@pytest.fixture
def world() -> World:
    return World()


async def test_who_is_silent_for_a_lease_is_dead_and_adopted_once(world: World) -> None:
    await world.processes.beat(ELSEWHERE)
    await world.presence.beat()
    for second in range(5, 30, 5):
        world.now = float(second)
        await world.presence.beat()
        await world.presence.look_after()
    assert world.work.adopted == ["other-1"]
    assert [one.id for one in await world.processes.all()] == [world.presence.me.id]


async def test_who_speaks_is_left_alone(world: World) -> None:
    for second in range(0, 60, 5):
        world.now = float(second)
        await world.processes.beat(ELSEWHERE)
        await world.presence.beat()
        await world.presence.look_after()
    assert world.work.adopted == []


async def test_after_a_silence_of_our_own_the_others_may_speak_first(world: World) -> None:
    await world.processes.beat(ELSEWHERE)
    await world.presence.beat()
    world.now = 40.0  # the database was away for everybody
    await world.presence.beat()
    await world.presence.look_after()
    assert world.work.adopted == []
    await world.processes.beat(ELSEWHERE)
    for second in (45, 50, 55, 59):
        world.now = float(second)
        await world.presence.beat()
        await world.presence.look_after()
    assert world.work.adopted == [], "it was only the database"


async def test_a_process_of_this_machine_that_is_gone_is_dead_at_once(world: World) -> None:
    me = world.presence.me
    gone = replace(me, id="gone", pid=_unused_pid())
    await world.processes.beat(gone)
    await world.presence.begin()
    assert world.work.adopted == ["gone"]


async def test_a_process_of_this_machine_that_lives_may_be_busy_for_longer(world: World) -> None:
    busy = replace(world.presence.me, id="busy")
    await world.processes.beat(busy)
    await world.presence.beat()
    for second in range(5, 130, 5):
        world.now = float(second)
        await world.presence.beat()
        await world.presence.look_after()
        assert world.work.adopted == ([] if second < 120 else ["busy"])


async def test_who_has_stopped_by_itself_is_adopted_at_once(world: World) -> None:
    await world.processes.beat(ELSEWHERE)
    await world.processes.retire(ELSEWHERE.id)
    await world.presence.begin()
    assert world.work.adopted == ["other-1"]


async def test_leaving_says_so(world: World) -> None:
    await world.presence.begin()
    await world.presence.leave()
    assert await world.processes.dead(20.0) == [world.presence.me.id]


async def test_what_was_accepted_and_never_queued_is_queued(world: World) -> None:
    forgotten, going = await world.accepted("1.0"), await world.accepted("2.0")
    world.work.stands[going.id] = "going"
    await world.presence.begin()
    assert world.work.queued == [forgotten.id]


async def test_what_can_never_be_answered_is_given_up(world: World) -> None:
    broken = await world.accepted()
    world.work.stands[broken.id] = "broken"
    await world.presence.begin()
    assert (world.work.queued, world.work.given_up) == ([], [broken.id])


async def test_more_than_a_page_of_forgotten_ones_is_queued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.presence._PAGE", 50)
    accepted = {(await world.accepted(f"{number}.0")).id for number in range(110)}
    await world.presence.begin()
    assert set(world.work.queued) == accepted
    assert len(world.work.queued) == 110


def test_a_number_that_belongs_to_another_process_now_is_a_death() -> None:
    me = this_process("bot")
    assert not died_here(me, me.host)
    assert died_here(replace(me, born=me.born - 3600), me.host)
    assert died_here(replace(me, pid=_unused_pid()), me.host)


def test_of_another_machine_nothing_is_known() -> None:
    me = this_process("bot")
    assert not died_here(replace(me, pid=_unused_pid()), "another-host")


def test_a_process_started_again_is_another_one() -> None:
    assert this_process("bot").id != this_process("bot").id


def _unused_pid() -> int:
    return next(number for number in range(400_000, 500_000) if not psutil.pid_exists(number))
