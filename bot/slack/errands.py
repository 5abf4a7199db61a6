"""What is done after Slack was answered: kept in sight until it ends, and said once where once
is enough."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from core.errors import DigestError

log = logging.getLogger(__name__)

_QUIET = 300.0  # seconds in which a person does not hear the same notice again
_MOST = 10_000


class Errands:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(self._run(what, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Waits for what is begun; what takes longer is given up."""
        running = [*self._running]
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, what: str, work: Awaitable[object]) -> None:
        try:
            await work
        except DigestError as error:
            log.warning("%s: %s", what, error)
        except Exception:
            # The one place for surprises of listeners; Slack has had its answer already.
            log.exception("%s: a surprise", what)


class Notices:
    """Whether a person has heard a notice lately."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def may_say(self, *about: str) -> bool:
        """True once in a few minutes for the same words."""
        now = self._clock()
        if now - self._said.get(about, -_QUIET) < _QUIET:
            return False
        self._said[about] = now
        self._said.move_to_end(about)
        if len(self._said) > _MOST:
            self._said.popitem(last=False)
        return True
