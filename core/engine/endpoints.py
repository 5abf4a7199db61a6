"""Several servers of one model: which is asked, how many requests each is sent, who is well.

The one with the fewest requests of ours is asked. One that fails is left alone until it answers
again: from then on it is looked at every few seconds, by its list of models.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from core.engine.openai_wire import Kind, kind_of, served_models
from core.errors import EngineBusy, EngineFailed

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
_LOOK_TIMEOUT = 5.0


@dataclass(eq=False)
class Endpoint:
    """`url` without a slash at the end. `structured`: it has not refused a JSON schema."""

    url: str
    kind: Kind = "other"
    models: dict[str, int | None] = field(default_factory=dict)
    well: bool = False
    structured: bool = True
    busy: int = 0


class Endpoints:
    """`limit`: requests at once for each; `max_waiting`: how many may wait for their turn."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        urls: Collection[str],
        *,
        name: str,
        limit: int,
        max_waiting: int,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.all = [Endpoint(url) for url in dict.fromkeys(urls)]
        self.served = ""
        self._client = client
        self._name = name
        self._limit = limit
        self._max_waiting = max_waiting
        self._look_seconds = look_seconds
        self._change = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False
        self.waiting = 0

    @property
    def running(self) -> int:
        return sum(one.busy for one in self.all)

    async def begin(self) -> None:
        """Looks at all of them once; those that do not answer are looked at again later."""
        await asyncio.gather(*(self._look(one) for one in self.all))
        self._looking = asyncio.create_task(self._look_after())

    async def close(self) -> None:
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._changed()

    @asynccontextmanager
    async def one(self, avoid: Collection[Endpoint] = ()) -> AsyncIterator[Endpoint]:
        """The least busy one that is well, counted as busy while it is held; rather not one of
        `avoid`. Raises EngineBusy where too many wait, or none is well."""
        endpoint = await self._taken(avoid)
        try:
            yield endpoint
        finally:
            endpoint.busy -= 1
            self._changed()

    def fell_ill(self, endpoint: Endpoint, why: str) -> None:
        if endpoint.well:
            log.warning("%s does not answer (%s); it is looked at again", endpoint.url, why)
        endpoint.well = False

    async def _taken(self, avoid: Collection[Endpoint]) -> Endpoint:
        if self.waiting >= self._max_waiting:
            raise EngineBusy(self._name, f"{self.waiting} requests are waiting already")
        self.waiting += 1
        try:
            while (found := self._best(avoid)) is None:
                await self._change.wait()
            found.busy += 1
            return found
        finally:
            self.waiting -= 1

    def _changed(self) -> None:
        """All who wait look again, not the first alone: it may have been cancelled meanwhile, or
        wait for another server than the one that is free now."""
        self._change.set()
        self._change = asyncio.Event()

    def _best(self, avoid: Collection[Endpoint]) -> Endpoint | None:
        """None: all are busy. Raises where waiting helps nobody."""
        if self._closed:
            raise EngineFailed(self._name, "the engine is closed")
        well = [one for one in self.all if one.well]
        if not well:
            raise EngineBusy(self._name, "no server answers at present")
        others = [one for one in well if one not in avoid] or well
        free = [one for one in others if one.busy < self._limit]
        return min(free, key=lambda one: one.busy, default=None)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            ill = [one for one in self.all if not one.well]
            await asyncio.gather(*(self._look(one) for one in ill))

    async def _look(self, endpoint: Endpoint) -> None:
        try:
            answer = await self._client.get(f"{endpoint.url}/models", timeout=_LOOK_TIMEOUT)
            answer.raise_for_status()
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            log.debug("%s: %s", endpoint.url, error)
            return
        endpoint.kind, endpoint.models = kind_of(said), served_models(said)
        if self.served and self.served not in endpoint.models:
            log.warning("%s does not serve %s", endpoint.url, self.served)
            return
        endpoint.well, endpoint.structured = True, True
        self._changed()
