"""Signs of life: who is at work, who has died, and who goes on with what the dead had begun.

Every process says from time to time that it is there. One that says nothing for a lease is dead,
and so at once is one of this machine whose number belongs to nobody or to somebody else; its
begun work is adopted by whoever notices first. Then what was accepted and never queued is queued.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, Protocol

import psutil

from core.errors import DigestError, StorageUnavailable
from core.places import Delivery, Process
from core.ports import Deliveries, Processes

log = logging.getLogger(__name__)

Standing = Literal["missing", "going", "answered", "broken"]
_PAGE = 500
_BUSY_LEASES = 6
# Between two looks for what was accepted and not queued while nobody died (the queue was away).
_FORGOTTEN_SECONDS = 60.0


class Work(Protocol):
    """What presence needs of `bot/durable/workflows.py`."""

    async def adopt(self, executors: Sequence[str]) -> int: ...

    async def enqueue(self, delivery: Delivery) -> None: ...

    async def standing(self, deliveries: Sequence[Delivery]) -> Mapping[str, Standing]:
        """How it stands with the workflow of each, by the delivery's id."""

    async def give_up(self, delivery: Delivery) -> None:
        """Its workflow ended without an answer, and will again: people are told."""


def this_process(kind: str) -> Process:
    """A new identity: a process started again is another one, even with the same number."""
    pid = os.getpid()
    host = socket.gethostname()
    return Process(
        id=f"{host}-{pid}-{secrets.token_hex(4)}",
        host=host,
        pid=pid,
        born=psutil.Process(pid).create_time(),
        kind=kind,
    )


def died_here(process: Process, host: str) -> bool:
    """Whether it was a process of this machine that is certainly gone."""
    if process.host != host:
        return False
    try:
        return bool(abs(psutil.Process(process.pid).create_time() - process.born) > 1.0)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


class Presence:
    """Runs beside the work, until it is stopped."""

    def __init__(
        self,
        me: Process,
        processes: Processes,
        deliveries: Deliveries,
        work: Work,
        *,
        lease: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.me = me
        self._processes = processes
        self._deliveries = deliveries
        self._work = work
        self._lease = lease
        self._clock = clock
        self._last_beat: float | None = None
        self._trust_from = 0.0
        self._forgotten_at = 0.0

    async def begin(self) -> None:
        """The first sign of life, before any work is taken; then what was left lying."""
        await self.beat()
        await self.look_after()
        await self.queue_forgotten()

    async def run(self) -> None:
        """Goes on until cancelled. A database that is away is waited for."""
        while True:
            await asyncio.sleep(self._lease / 4)
            with suppress(StorageUnavailable):
                await self._logged(self.beat)
                await self._logged(self.look_after)
                await self._logged(self._now_and_then)

    async def leave(self) -> None:
        """Others may go on with what we had begun, at once."""
        with suppress(StorageUnavailable):
            await self._processes.retire(self.me.id)

    async def beat(self) -> None:
        await self._processes.beat(self.me)
        now = self._clock()
        if self._last_beat is not None and now - self._last_beat > self._lease / 2:
            # We could not speak for a while, so perhaps nobody could: let them speak first.
            self._trust_from = now + self._lease
        self._last_beat = now

    async def look_after(self) -> None:
        """The work of the dead is adopted."""
        dead = await self.dead()
        if not dead:
            return
        adopted = await self._work.adopt(dead)
        for process in dead:
            await self._processes.forget(process)
        log.info("%s ended without finishing; %d workflows are adopted", ", ".join(dead), adopted)
        await self.queue_forgotten()

    async def dead(self) -> list[str]:
        others = [one for one in await self._processes.all() if one.id != self.me.id]
        gone = {one.id for one in others if died_here(one, self.me.host)}
        if self._clock() < self._trust_from:
            return sorted(gone)
        # One of this machine is seen to live: it may be busy, and is given more time.
        near = {one.id for one in others if one.host == self.me.host} - gone
        silent = set(await self._processes.dead(self._lease)) - near
        stuck = near & set(await self._processes.dead(self._lease * _BUSY_LEASES))
        return sorted((gone | silent | stuck) - {self.me.id})

    async def queue_forgotten(self) -> None:
        """What was accepted, but never queued; and what can never be answered."""
        self._forgotten_at = self._clock()
        before, after = datetime.now(UTC), ""
        while page := await self._deliveries.unanswered(before, _PAGE, after=after):
            standing = await self._work.standing(page)
            for delivery in page:
                # Queueing twice is queueing once, so whoever is about to do it is not disturbed.
                if standing[delivery.id] == "missing":
                    await self._work.enqueue(delivery)
                elif standing[delivery.id] == "broken":
                    await self._work.give_up(delivery)
            after = page[-1].id

    async def _now_and_then(self) -> None:
        if self._clock() - self._forgotten_at > _FORGOTTEN_SECONDS:
            await self.queue_forgotten()

    async def _logged(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except StorageUnavailable as error:
            log.warning("no sign of life could be given: %s", error)
            raise
        except DigestError as error:
            log.warning("looking after the dead failed: %s", error)
