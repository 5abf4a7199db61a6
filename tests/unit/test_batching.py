"""The waiting line, with a worker that the test holds in its hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager

import pytest

from core.engine.batching import Request, WaitingLine
from core.errors import EngineBusy, EngineFailed, EngineOutOfMemory


class Desk:
    """A worker that notes each batch and finishes it when it is told to."""

    def __init__(self, *, open_at_once: bool = True) -> None:
        self.batches: list[list[str]] = []
        self.go_on = threading.Event()
        if open_at_once:
            self.go_on.set()

    def __call__(self, batch: Sequence[Named]) -> None:
        self.batches.append([request.name for request in batch])
        self.go_on.wait(10)
        for request in batch:
            request.wrote(request.name[:1])
            request.finish(request.name)


class Named(Request):
    def __init__(self, name: str, kind: Hashable | None = "same") -> None:
        super().__init__(kind)
        self.name = name


@asynccontextmanager
async def a_line(
    desk: Desk, *, workers: int = 1, max_waiting: int = 9, max_batch: int = 1
) -> AsyncIterator[WaitingLine[Named]]:
    line: WaitingLine[Named] = WaitingLine(
        desk, name="desk", workers=workers, max_waiting=max_waiting, max_batch=max_batch
    )
    try:
        yield line
    finally:
        desk.go_on.set()
        await line.close()


async def until(it_is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not it_is_so():
            await asyncio.sleep(0.005)


async def test_who_comes_first_is_served_first() -> None:
    desk = Desk()
    async with a_line(desk) as line:
        requests = [Named(name) for name in ("ant", "bee", "cat")]
        for request in requests:
            line.join(request)
        answers = [await request.answer() for request in requests]
    assert answers == ["ant", "bee", "cat"]
    assert desk.batches == [["ant"], ["bee"], ["cat"]]


async def test_what_waits_and_is_of_one_kind_goes_together() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk, max_batch=3) as line:
        requests = [
            Named("first"),
            Named("red", "r"),
            Named("blue", "b"),
            Named("rose", "r"),
            Named("ruby", "r"),
            Named("rust", "r"),
        ]
        for request in requests:
            line.join(request)
        desk.go_on.set()
        for request in requests:
            await request.answer()
    assert desk.batches == [["first"], ["red", "rose", "ruby"], ["blue"], ["rust"]]


async def test_a_batch_leaves_the_other_workers_their_share() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk, workers=2, max_batch=8) as line:
        busy = [Named("left", "l"), Named("right", "r")]
        alike = [Named(name) for name in ("a", "b", "c", "d")]
        for request in (*busy, *alike):
            line.join(request)
        desk.go_on.set()
        for request in alike:
            await request.answer()
    assert sorted(len(batch) for batch in desk.batches) == [1, 1, 1, 1, 2]


async def test_a_request_without_a_kind_runs_alone() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk, max_batch=8) as line:
        requests = [Named("first"), Named("one", None), Named("two", None)]
        for request in requests:
            line.join(request)
        desk.go_on.set()
        for request in requests:
            await request.answer()
    assert desk.batches == [["first"], ["one"], ["two"]]


async def test_a_full_line_says_so_and_has_room_again_later() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk, max_waiting=2) as line:
        line.join(Named("served"))
        for name in ("one", "two"):
            line.join(Named(name))
        with pytest.raises(EngineBusy):
            line.join(Named("three"))
        desk.go_on.set()
        await until(lambda: line.waiting < 2)
        late = Named("late")
        line.join(late)
        assert await late.answer() == "late"


async def test_who_leaves_the_line_is_never_served() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk) as line:
        first, gone, last = Named("first"), Named("gone"), Named("last")
        for request in (first, gone, last):
            line.join(request)
        line.leave(gone)
        desk.go_on.set()
        assert await last.answer() == "last"
    assert desk.batches == [["first"], ["last"]]
    assert gone.abandoned


async def test_two_workers_work_at_the_same_time() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk, workers=2) as line:
        requests = [Named("left"), Named("right")]
        for request in requests:
            line.join(request)
        await until(lambda: len(desk.batches) == 2)
        assert line.running == 2
        assert line.waiting == 0


async def test_pieces_come_before_the_end() -> None:
    async with a_line(Desk()) as line:
        request = Named("word")
        line.join(request)
        assert await request.next_piece() == "w"
        assert await request.next_piece() is None


async def test_what_breaks_in_the_worker_reaches_each_who_waits() -> None:
    def breaks(batch: Sequence[Named]) -> None:
        raise RuntimeError("out of paper")

    line: WaitingLine[Named] = WaitingLine(
        breaks, name="desk", workers=1, max_waiting=9, max_batch=4
    )
    requests = [Named("one"), Named("two")]
    for request in requests:
        line.join(request)
    for request in requests:
        with pytest.raises(EngineFailed, match="out of paper"):
            await request.answer()
    with pytest.raises(EngineFailed, match="out of paper"):
        await requests[0].next_piece()
    await line.close()


async def test_a_surprise_in_the_worker_leaves_nobody_waiting() -> None:
    def surprises(batch: Sequence[Named]) -> None:
        raise KeyError("what?")

    line: WaitingLine[Named] = WaitingLine(
        surprises, name="desk", workers=1, max_waiting=9, max_batch=4
    )
    request = Named("one")
    line.join(request)
    async with asyncio.timeout(5):
        with pytest.raises(EngineFailed):
            await request.answer()
    again = Named("two")
    line.join(again)  # the worker is free again
    with pytest.raises(EngineFailed):
        await again.answer()
    await line.close()


async def test_closing_fails_what_waits_and_refuses_what_comes() -> None:
    desk = Desk(open_at_once=False)
    async with a_line(desk) as line:
        runs, waits = Named("runs"), Named("waits")
        line.join(runs)
        line.join(waits)
        await until(lambda: len(desk.batches) == 1)
        threading.Timer(0.05, desk.go_on.set).start()
        await line.close()
        for request in (runs, waits):
            with pytest.raises(EngineFailed, match="closed"):
                await request.answer()
        with pytest.raises(EngineFailed, match="closed"):
            line.join(Named("late"))


class SmallDesk(Desk):
    """One that has room for two at a time."""

    def __init__(self, trouble: Exception, *, room: int = 2) -> None:
        super().__init__()
        self.trouble = trouble
        self.room = room

    def __call__(self, batch: Sequence[Named]) -> None:
        if len(batch) > self.room:
            self.batches.append([request.name for request in batch])
            raise self.trouble
        super().__call__(batch)


@pytest.mark.parametrize(
    "trouble",
    [
        EngineOutOfMemory("desk"),
        RuntimeError("CUDA failed with error out of memory"),
        MemoryError(),
    ],
)
async def test_a_batch_that_does_not_fit_is_done_in_halves(trouble: Exception) -> None:
    desk = SmallDesk(trouble)
    desk.go_on.clear()
    async with a_line(desk, max_batch=8) as line:
        asked = [Named(name) for name in "abcdef"]
        for request in asked:
            line.join(request)
        desk.go_on.set()
        answers = await asyncio.gather(*(request.answer() for request in asked))
        assert answers == list("abcdef")
        desk.batches.clear()
        again = [Named(name) for name in "ghijkl"]
        for request in again:
            line.join(request)
        await asyncio.gather(*(request.answer() for request in again))
    assert max(len(batch) for batch in desk.batches) <= 3, "it has learnt what fits"


async def test_one_request_that_does_not_fit_alone_fails_as_what_it_is() -> None:
    desk = SmallDesk(MemoryError("too little"), room=0)
    async with a_line(desk) as line:
        request = Named("a")
        line.join(request)
        with pytest.raises(EngineOutOfMemory):
            await request.answer()
    assert desk.batches == [["a"]]
