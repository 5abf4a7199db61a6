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
def migrated_workflows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file in which workflows can be remembered, to be copied: to make it takes a third
    of a second. Whole bots (test_chaos.py) make theirs themselves."""
    from dbos import DBOS

    url = database_url(None, tmp_path_factory.mktemp("workflows"))
    with ThreadPoolExecutor(1) as thread:
        own = thread.submit(lambda: asyncio.run(workflow_database(url))).result()
        thread.submit(DBOS.migrate, own).result()
    return Path(own.removeprefix("sqlite:///"))


@pytest.fixture
def with_workflows(sqlite_database: URL, migrated_workflows: Path, tmp_path: Path) -> URL:
    """A migrated SQLite database that nobody else has, with room for workflows beside it."""
    shutil.copy(migrated_workflows, tmp_path)
    return sqlite_database
