"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.postgres import PostgresMissing, PostgresServer, running

from storage.database import database_url, open_database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests; a test that stops it starts it again."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except PostgresMissing as missing:
            if os.environ.get("CI"):
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh database: `postgresql+psycopg://…`."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """The address of a database that nobody has opened yet, of either kind."""
    if request.param == "sqlite":
        return database_url(None, tmp_path)
    return database_url(request.getfixturevalue("postgres_url"), tmp_path)


@pytest.fixture(params=["fake", "sqlite", "postgres"])
async def keeper(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AsyncEngine | None]:
    """A migrated database of either kind; None where a contract test is to take its fake."""
    if request.param == "fake":
        yield None
        return
    given = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    async with open_database(database_url(given, tmp_path)) as engine:
        yield engine


@pytest.fixture(autouse=True)
def _discord_is_where_it_was() -> Iterator[None]:
    """discord.py keeps its addresses in class attributes, which a surface under test sets."""
    http, gateway = sys.modules.get("discord.http"), sys.modules.get("discord.gateway")
    if http is None or gateway is None:
        yield
        return
    kept = http.Route.BASE, gateway.DiscordWebSocket.DEFAULT_GATEWAY
    yield
    http.Route.BASE, gateway.DiscordWebSocket.DEFAULT_GATEWAY = kept
