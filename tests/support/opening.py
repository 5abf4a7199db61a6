"""What a process does that opens a database in which other processes are just beginning."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from support.builders import a_record

from storage.database import database_url, open_database
from storage.digests import SqlDigests


def open_and_add() -> None:
    """Called with the database's address and a digit that the digest is named after."""
    asyncio.run(_open_and_add(*sys.argv[1:]))


async def _open_and_add(url: str, number: str) -> None:
    async with open_database(database_url(url, Path())) as engine:
        for _ in range(5):
            await SqlDigests(engine).add(a_record(id=number * 24), content_hash="a" * 64)
