"""Checkpoints: each step's result is kept, so that whoever goes on begins behind the last."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from core.errors import ChatUnavailable, DigestError, StorageUnavailable, as_plain, from_plain
from core.retrying import delay

log = logging.getLogger(__name__)

# A database that is away for longer than this has somebody's attention; work then waits for the
# next start of a process.
_STORAGE_PATIENCE = 3600.0
# A platform waits seconds for "we have it", a reader minutes for a digest: while links come in,
# work stands back, a moment at a time.
_STAND_BACK_SECONDS = 0.1
_MOST_STANDING_BACK = 20

Plain = dict[str, Any]


class Steps:
    """`busy` says whether links are just coming in."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        # While the chats are being connected, what is to be said waits instead of failing.
        self.connected = asyncio.Event()
        self.connected.set()

    async def take(self, name: str, act: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        """A checkpoint. Our own errors are results, so that they come back as what they are."""

        async def run() -> Plain:
            try:
                return {"value": await _despite_storage(act, *given)}
            except DigestError as error:
                return {"error": as_plain(error)}

        await self._stand_back()
        return unfolded(await DBOS.run_step_async({"name": name}, run))

    async def say(
        self, name: str, delivery_id: str, say: Callable[..., Awaitable[Any]], *said: Any
    ) -> None:
        """Says it, however long the platform is away (see core/retrying.py)."""
        attempt = 0
        while True:
            attempt += 1
            await self.connected.wait()
            try:
                await self.take(name, say, delivery_id, *said)
                return
            except ChatUnavailable as error:
                await self.wait_after(error, attempt)

    async def wait_after(self, error: DigestError, attempt: int) -> None:
        """Waits for the next attempt, or raises the error where there is none."""
        # Not random across a recovery: the engine remembers the sleep it began.
        wait = delay(error, attempt, random.random())  # noqa: S311 - spreads, hides nothing
        if wait is None:
            raise error
        log.info("attempt %d failed, the next in %.1f s: %s", attempt, wait, error)
        await self.sleep(wait)

    async def sleep(self, seconds: float) -> None:
        """Remembered: a process that goes on waits for the rest only."""
        await DBOS.sleep_async(seconds)

    async def _stand_back(self) -> None:
        for _ in range(_MOST_STANDING_BACK):
            if not self._busy():
                return
            await asyncio.sleep(_STAND_BACK_SECONDS)


async def _despite_storage(act: Callable[..., Awaitable[Any]], *given: Any) -> Any:
    """A database that is away is waited for, in place: nothing could be checkpointed either."""
    patient = AsyncRetrying(
        retry=retry_if_exception_type(StorageUnavailable),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        stop=stop_after_delay(_STORAGE_PATIENCE),
        reraise=True,
    )
    return await patient(act, *given)


def unfolded(result: Plain) -> Any:
    """The value of a result. Raises the error that it is instead."""
    if "error" in result:
        raise from_plain(result["error"])
    return result["value"]
