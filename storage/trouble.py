"""Trouble with the database becomes StorageUnavailable, at this one place.

What time may heal is trouble: a server that is away, a connection that broke, a lock held too
long, a full disk. What only a programmer can heal (a missing table, a violated constraint)
travels on as it is.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.errors import StorageUnavailable

_writers: WeakKeyDictionary[Engine, _Turns] = WeakKeyDictionary()


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to look things up with."""
    with spoken():
        async with engine.connect() as connection:
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine, *, urgent: bool = False) -> AsyncIterator[AsyncConnection]:
    """A transaction, durable when the block has ended; nothing of it is kept after an error."""
    async with AsyncExitStack() as stack:
        stack.enter_context(spoken())
        if engine.dialect.name == "sqlite":
            await stack.enter_async_context(writers_turn(engine, urgent=urgent))
        plain = await stack.enter_async_context(engine.connect())
        # IMMEDIATE: who reads before writing must not find that somebody else wrote in between.
        connection = await plain.execution_options(begin="IMMEDIATE")
        await stack.enter_async_context(connection.begin())
        yield connection


@contextmanager
def spoken() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, psycopg.Error, sqlite3.Error, OSError) as error:
        if not is_trouble(error):
            raise
        raise StorageUnavailable("database", _first_line(error)) from error


def is_trouble(error: BaseException) -> bool:
    if isinstance(error, PoolTimeout | OSError | InterfaceError):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig
        if isinstance(cause, sqlite3.Error | psycopg.Error):
            return is_trouble(cause)
        return isinstance(error, OperationalError)
    if isinstance(error, sqlite3.OperationalError):
        # SQLITE_ERROR stands for everything wrong with a statement itself.
        code = getattr(error, "sqlite_errorcode", None)
        return code is None or code & 0xFF != sqlite3.SQLITE_ERROR
    if isinstance(error, psycopg.InterfaceError):
        return True
    # Class 54: a statement beyond the server's limits; it will never be within them.
    return isinstance(error, psycopg.OperationalError) and not (error.sqlstate or "").startswith(
        "54"
    )


@asynccontextmanager
async def writers_turn(engine: AsyncEngine, *, urgent: bool = False) -> AsyncIterator[None]:
    """SQLite has one writer at a time and lets the others poll for their turn, up to 100 ms
    between two looks. Those of one process queue here instead: the urgent ones first, else in
    their order."""
    turns = _writers.setdefault(engine.sync_engine, _Turns())
    await turns.take(urgent=urgent)
    try:
        yield
    finally:
        turns.pass_on()


class _Turns:
    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool) -> None:
        if not self._taken:
            self._taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._patient).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.pass_on()  # it had become ours in the same moment
            raise

    def pass_on(self) -> None:
        for line in (self._urgent, self._patient):
            while line:
                next_one = line.popleft()
                if not next_one.done():
                    next_one.set_result(None)
                    return
        self._taken = False


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
