"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from support.postgres import (
    PostgresMissing,
    PostgresServer,
    programs,
    programs_with_vectors,
    running,
)
from support.shared import FOLDER

from storage.database import FILE_NAME, database_url, open_database

# How long an example takes says more about the machine than about what is tested.
settings.register_profile("untimed", settings.default, deadline=None)
# `make check`: a fifth of the examples, unless a test says how many it needs.
settings.register_profile("quick", settings.get_profile("untimed"), max_examples=20)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: what is left at the end is short, so that no process of a
    run works on for long when the others have nothing left."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    from support.together import Together

    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def _shared_by_the_processes_of_a_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """See support/shared.py. A worker of pytest-xdist has its own folder in that of the run."""
    own = tmp_path_factory.getbasetemp()
    worker = "PYTEST_XDIST_WORKER" in os.environ
    os.environ[FOLDER] = str(own.parent if worker else own)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests; a test that stops it starts it again."""
    yield from _server(programs)


@pytest.fixture(scope="session")
def vector_server() -> Iterator[PostgresServer]:
    """Another one, with pgvector."""
    yield from _server(programs_with_vectors)


def _server(installed: Callable[[], Path]) -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running(installed=installed()))
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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database of the code's version, to be copied: migrating takes half a second."""
    folder = tmp_path_factory.mktemp("migrated")
    _migrated(database_url(None, folder))
    return folder / FILE_NAME


@pytest.fixture(scope="session")
def migrated_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same on PostgreSQL; one test after another has it."""
    return _migrated_in(postgres_server, tmp_path_factory)


def _migrated_in(server: PostgresServer, folders: pytest.TempPathFactory) -> str:
    url = server.create_database()
    _migrated(database_url(url, folders.mktemp("none")))
    return url


def _migrated(url: URL) -> None:
    async def migrate() -> None:
        async with open_database(url):
            pass

    # In a thread: the fixture that asks for it may run in a loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(migrate())).result()


@pytest.fixture
def sqlite_database(migrated_file: Path, tmp_path: Path) -> URL:
    """A migrated database that nobody else has."""
    shutil.copy(migrated_file, tmp_path / FILE_NAME)
    return database_url(None, tmp_path)


@pytest.fixture
def postgres_database(
    postgres_server: PostgresServer, migrated_postgres: str, tmp_path: Path
) -> Iterator[URL]:
    """The same on PostgreSQL: each test leaves it as empty as it was."""
    yield database_url(migrated_postgres, tmp_path)
    postgres_server.empty(migrated_postgres)


@pytest.fixture(scope="session")
def migrated_vectors(
    vector_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same on the server with pgvector."""
    return _migrated_in(vector_server, tmp_path_factory)


@pytest.fixture
def vector_database(
    vector_server: PostgresServer, migrated_vectors: str, tmp_path: Path
) -> Iterator[URL]:
    """A migrated database of a server with pgvector."""
    yield database_url(migrated_vectors, tmp_path)
    vector_server.empty(migrated_vectors)


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_database(request: pytest.FixtureRequest) -> URL:
    """The address of a migrated database of either kind."""
    found: URL = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(params=["fake", "sqlite", "postgres"])
async def keeper(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine | None]:
    """A migrated database of either kind; None where a contract test is to take its fake."""
    if request.param == "fake":
        yield None
        return
    async with open_database(request.getfixturevalue(f"{request.param}_database")) as engine:
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
