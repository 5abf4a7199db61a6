"""The waiting line before a model: who goes next, and who goes together.

Requests are served first come, first served. When a worker is free it takes the one that has
waited longest and, with it, those behind it that may share its batch. A request that nobody
waits for any more leaves the line. The line knows nothing of models: `run` does the work, in a
thread, and answers each request by `Request.finish`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar

from core.errors import EngineBusy, EngineFailed, EngineOutOfMemory

log = logging.getLogger(__name__)


class News:
    """What a worker's thread has to tell, told to each loop at once: every single waking of a loop
    costs two changes of threads, a millisecond where both of them want Python's lock."""

    def __init__(self) -> None:
        self._letters: dict[asyncio.AbstractEventLoop, list[tuple[Callable[..., None], Any]]] = {}

    def add(
        self, loop: asyncio.AbstractEventLoop, act: Callable[..., None], *values: object
    ) -> None:
        self._letters.setdefault(loop, []).append((act, values))

    def tell(self) -> None:
        letters, self._letters = self._letters, {}
        for loop, acts in letters.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_all, acts)


def _all(acts: Sequence[tuple[Callable[..., None], Any]]) -> None:
    for act, values in acts:
        act(*values)


class Request:
    """One answer to come. The loop makes and reads it, a worker's thread fills it.

    Requests of equal `kind` may run in one batch; None always runs alone.
    """

    def __init__(self, kind: Hashable | None) -> None:
        self.kind = kind
        self.others: tuple[str, ...] = ()  # what a search found besides
        self.abandoned = False  # a plain flag: written by the loop, read by the worker
        self.news: News | None = None  # where the worker gathers what it has to tell
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._answer: asyncio.Future[str] = self._loop.create_future()

    def wrote(self, piece: str) -> None:
        """A piece of text is there. Called in the worker's thread."""
        self._tell(self._pieces.put_nowait, piece)

    def finish(self, text: str) -> None:
        """The whole answer is there. Called in the worker's thread."""
        self._tell(self._settle, text, None)

    def fail(self, error: Exception) -> None:
        self._tell(self._settle, "", error)

    async def answer(self) -> str:
        return await asyncio.shield(self._answer)

    async def next_piece(self) -> str | None:
        """The next piece; None after the last. Raises what went wrong."""
        piece = await self._pieces.get()
        if piece is None:
            self._answer.result()
        return piece

    def _settle(self, text: str, error: Exception | None) -> None:
        if self._answer.done():
            return
        if error is None:
            self._answer.set_result(text)
        else:
            self._answer.set_exception(error)
            self._answer.exception()  # seen: a caller who left must not cause a warning
        self._pieces.put_nowait(None)

    def _tell(self, act: Callable[..., None], *values: object) -> None:
        news = self.news or News()
        news.add(self._loop, act, *values)
        if self.news is None:
            news.tell()


R = TypeVar("R", bound=Request)


class WaitingLine(Generic[R]):
    """A bounded line before `workers` threads, each of which runs one batch at a time."""

    def __init__(
        self,
        run: Callable[[Sequence[R]], None],
        *,
        name: str,
        workers: int,
        max_waiting: int,
        max_batch: int,
    ) -> None:
        self._run = run
        self._name = name
        self._workers = workers
        self._free = workers
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._waiting: deque[R] = deque()
        self._running: dict[asyncio.Task[None], list[R]] = {}
        self._closed = False
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        return sum(len(batch) for batch in self._running.values())

    def join(self, request: R) -> None:
        """Raises EngineBusy when the line is full."""
        if self._closed:
            raise EngineFailed(self._name, "the engine is closed")
        if len(self._waiting) >= self._max_waiting:
            raise EngineBusy(self._name, f"{len(self._waiting)} requests are waiting already")
        self._waiting.append(request)
        self._start()

    def leave(self, request: R) -> None:
        """Nobody waits for this answer any more (or it has come)."""
        request.abandoned = True
        with suppress(ValueError):
            self._waiting.remove(request)

    async def close(self) -> None:
        """What waits or runs fails; returns when no thread works any more."""
        self._closed = True
        leaving = [*self._waiting, *(one for batch in self._running.values() for one in batch)]
        self._waiting.clear()
        for request in leaving:
            request.abandoned = True
            request.fail(EngineFailed(self._name, "the engine is closed"))
        if self._running:
            await asyncio.wait(self._running)
        self._threads.shutdown(wait=False)

    def _start(self) -> None:
        while self._free and self._waiting:
            batch = self._next_batch()
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._work(batch))
            self._running[task] = batch
            task.add_done_callback(self._worked)

    def _next_batch(self) -> list[R]:
        first = self._waiting.popleft()
        if first.kind is None:
            return [first]
        alike = [one for one in self._waiting if one.kind == first.kind]
        # Two side by side are faster than two in a batch: a batch takes only its worker's share.
        share = math.ceil((1 + len(alike)) / self._workers)
        batch = [first, *alike[: min(share, self._max_batch) - 1]]
        for request in batch[1:]:
            self._waiting.remove(request)
        return batch

    async def _work(self, batch: list[R]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._run, batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
            failed = self._failure(error)
        else:
            failed = EngineFailed(self._name, "no answer came")
        if isinstance(failed, EngineOutOfMemory) and len(batch) > 1:
            await self._in_halves(batch)
            return
        for request in batch:
            request.fail(failed)  # does nothing to those that were answered

    def _failure(self, error: Exception) -> EngineFailed:
        if isinstance(error, EngineFailed):
            return error
        said = str(error) or type(error).__name__
        # CTranslate2 says it in a RuntimeError, torch in a kind of its own; the words are the same.
        full = isinstance(error, MemoryError) or "out of memory" in said.lower()
        failed = (EngineOutOfMemory if full else EngineFailed)(self._name, said)
        failed.__cause__ = error
        return failed

    async def _in_halves(self, batch: list[R]) -> None:
        """What did not fit at once; from now on no batch of that size is tried any more."""
        half = math.ceil(len(batch) / 2)
        self._max_batch = max(1, min(self._max_batch, half))
        log.warning("%s: out of memory; at most %d requests together now", self._name, half)
        await self._work(batch[:half])
        await self._work(batch[half:])

    def _worked(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._free += 1
        self._start()
