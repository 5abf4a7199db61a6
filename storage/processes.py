"""Signs of life of the processes that share the work: `core.ports.Processes` on SQLAlchemy.

On PostgreSQL the server's own clock dates and judges them, so that the clocks of several
machines need not agree. SQLite is for one machine, and has its clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.places import Process
from storage import statements
from storage.statements import utc_now
from storage.tables import ProcessRow
from storage.trouble import reading, writing


class SqlProcesses:
    """`now` counts on SQLite only."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def beat(self, process: Process) -> None:
        values = {**asdict(process), "seen_at": self._clock(), "retired": False}
        async with writing(self._engine) as connection:
            await statements.put(connection, ProcessRow, values)

    async def retire(self, process_id: str) -> None:
        change = update(ProcessRow).where(ProcessRow.id == process_id).values(retired=True)
        async with writing(self._engine) as connection:
            await connection.execute(change)

    async def dead(self, lease: float) -> list[str]:
        silent = ProcessRow.seen_at <= self._clock() - timedelta(seconds=lease)
        wanted = select(ProcessRow.id).where(or_(silent, ProcessRow.retired))
        async with reading(self._engine) as connection:
            return list((await connection.execute(wanted.order_by(ProcessRow.id))).scalars())

    async def all(self) -> list[Process]:
        wanted = select(
            ProcessRow.id, ProcessRow.host, ProcessRow.pid, ProcessRow.born, ProcessRow.kind
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted.order_by(ProcessRow.id))).all()
        return [Process(*row) for row in rows]

    async def forget(self, process_id: str) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(delete(ProcessRow).where(ProcessRow.id == process_id))

    def _clock(self) -> Any:
        if self._engine.dialect.name == "postgresql":
            return func.clock_timestamp(type_=DateTime(timezone=True))
        return self._now()
