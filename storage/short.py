"""Short work for the database: a plain function with a plain connection, handed over once.

The asynchronous driver of SQLite goes to a thread and back for every step: begin, execute, fetch,
commit. In a busy process each of these ten ways waits for its turn at the interpreter, and a
platform waits for all of them. Here a whole transaction is one way, to a thread with a connection
of its own. PostgreSQL is spoken to without threads, by the same functions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Executable, event
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import plain_engine, sqlite_file
from storage.trouble import spoken, writers_turn, writing

Result = TypeVar("Result")
Act = Callable[[Connection], Result]

_threads: WeakKeyDictionary[Engine, _Threads] = WeakKeyDictionary()


async def read(engine: AsyncEngine, act: Act[Result]) -> Result:
    """What `act` finds. Raises StorageUnavailable."""
    with spoken():
        threads = _threads_of(engine)
        if threads is not None:
            return await threads.read(act)
        async with engine.connect() as connection:
            return await connection.run_sync(act)


async def write(engine: AsyncEngine, act: Act[Result], *, urgent: bool = False) -> Result:
    """What `act` does is durable when this returns, or undone. Raises StorageUnavailable.

    `urgent`: somebody outside is waiting for it, so it goes before what is not.
    """
    threads = _threads_of(engine)
    if threads is None:
        async with writing(engine, urgent=urgent) as connection:
            return await connection.run_sync(act)
    with spoken():
        async with writers_turn(engine, urgent=urgent):
            return await threads.write(act)


async def execute(engine: AsyncEngine, *statements: Executable) -> None:
    """All of them in one transaction, of which nobody needs a result. Raises StorageUnavailable."""

    def act(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await write(engine, act)


class _Threads:
    """One that writes and one that reads: neither waits for the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = ThreadPoolExecutor(1, "storage-reads")
        self._writer = ThreadPoolExecutor(1, "storage-writes")

    async def read(self, act: Act[Result]) -> Result:
        def run() -> Result:
            with self._engine.connect() as connection:
                return act(connection)

        return await asyncio.get_running_loop().run_in_executor(self._reader, run)

    async def write(self, act: Act[Result]) -> Result:
        def run() -> Result:
            plain = self._engine.connect()
            with plain.execution_options(begin="IMMEDIATE") as connection, connection.begin():
                return act(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    def close(self) -> None:
        self._reader.shutdown()
        self._writer.shutdown()
        self._engine.dispose()


def _threads_of(engine: AsyncEngine) -> _Threads | None:
    """None where there is no file that a second connection could open."""
    if sqlite_file(engine.url) is None:
        return None
    found = _threads.get(engine.sync_engine)
    if found is None:
        found = _threads[engine.sync_engine] = _Threads(plain_engine(engine.url))
        event.listen(engine.sync_engine, "engine_disposed", _closed, once=True)
    return found


def _closed(engine: Engine) -> None:
    threads = _threads.pop(engine, None)
    if threads is not None:
        threads.close()
