"""Links accepted at the same time share a transaction: the disk is waited for once.

While one transaction is on its way, those who come meanwhile gather for the next. Each of them
hears of its own fate: a row that the database does not take spoils nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import StorageUnavailable
from storage.short import write

_MOST = 100  # rows in one transaction

Kept = tuple[Row[Any] | None, bool]
Keep = Callable[[Connection, Mapping[str, Any]], Kept]


@dataclass(frozen=True, eq=False)
class _Waiting:
    values: Mapping[str, Any]
    told: asyncio.Future[Kept]


class Accepting:
    def __init__(self, engine: AsyncEngine, keep: Keep) -> None:
        self._engine = engine
        self._keep = keep
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def add(self, values: Mapping[str, Any]) -> Kept:
        """What `keep` returns, once it is durable. Raises StorageUnavailable."""
        told: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(values, told))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await told

    async def _run(self) -> None:
        try:
            while self._waiting:
                several, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                if not await self._kept(several):
                    for one in several:
                        await self._kept([one])
        finally:
            self._running = None

    async def _kept(self, several: Sequence[_Waiting]) -> bool:
        """False: it was not the database's fault, and each may try alone."""
        rows = [one.values for one in several]
        try:
            kept = await write(
                self._engine, lambda one: [self._keep(one, row) for row in rows], urgent=True
            )
        except StorageUnavailable as error:
            _fail(several, error)
        except Exception as error:  # noqa: BLE001 - handed to those who wait for it
            if len(several) > 1:
                return False
            _fail(several, error)
        else:
            for one, found in zip(several, kept, strict=True):
                if not one.told.done():
                    one.told.set_result(found)
        return True


def _fail(several: Sequence[_Waiting], error: Exception) -> None:
    for one in several:
        if not one.told.done():
            one.told.set_exception(error)
