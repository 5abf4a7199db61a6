"""Fixtures of the tests that run the command, and of those of durable work."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from support.command import Command

from storage.database import database_url, workflow_database


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    command = Command(tmp_path)
    yield command
    command.end_all()


@pytest.fixture(scope="session")
def used_workflows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file in which workflows were remembered before, to be copied: to make its tables
    takes a third of a second, and a new queue is seen after one. Whole bots make theirs themselves
    (test_chaos.py)."""
    url = database_url(None, tmp_path_factory.mktemp("workflows"))
    with ThreadPoolExecutor(1) as thread:  # the fixture that asks for it may run in a loop already
        return thread.submit(_with_queues, url).result()


def _with_queues(url: URL) -> Path:
    from dbos import DBOS, DBOSClient

    own = asyncio.run(workflow_database(url))
    DBOS.migrate(own)
    client = DBOSClient(system_database_url=own)
    for name in ("links-slack", "links-local", "digests", "entries"):
        client.register_queue(name, polling_interval_sec=0.05, application_name="smartdevdigest")
    client.destroy()
    return Path(own.removeprefix("sqlite:///"))


@pytest.fixture
def with_workflows(sqlite_database: URL, used_workflows: Path, tmp_path: Path) -> URL:
    """A migrated SQLite database that nobody else has, with room for workflows beside it."""
    shutil.copy(used_workflows, tmp_path)
    return sqlite_database
