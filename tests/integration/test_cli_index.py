"""`smartdevdigest index` as people run it, and its rebuilding killed on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.command import Command
from support.shelf import Shelves

from storage.database import database_url, open_database

pytestmark = pytest.mark.slow


async def keep(folder: Path, count: int) -> None:
    async with open_database(database_url(None, folder / "data")) as engine:
        shelves = Shelves(engine)
        for number in range(count):
            await shelves.keep(f"Connection pools {number}", f"Pool {number} keeps connections.")


async def indexed(folder: Path) -> int:
    async with open_database(database_url(None, folder / "data")) as engine:
        return (await Shelves(engine).library.state()).indexed


async def test_the_index_is_shown_and_made_anew(command: Command, tmp_path: Path) -> None:
    await keep(tmp_path, 3)
    behind = await command("index", "status")
    assert (behind.code, behind.err) == (0, "")
    assert "0 of 3 digests are in the index" in behind.out
    made = await command("--ui", "ko", "index", "rebuild")
    assert made.code == 0, made.err
    assert "색인이 온전합니다: 다이제스트 3개, 구절 3개." in made.out
    assert "색인에 넣는 중: 3/3" in made.err
    again = await command("index", "rebuild", "--missing")
    assert "The index is complete: 3 digests" in again.out


async def test_a_rebuilding_that_is_killed_goes_on_where_it_was(
    command: Command, tmp_path: Path
) -> None:
    await keep(tmp_path, 40)
    process = await command.start("index", "rebuild")
    assert process.stderr is not None
    first = await asyncio.wait_for(process.stderr.readuntil(b"8/40"), 300)
    assert b"0/40" in first
    process.kill()
    await process.wait()
    some = await indexed(tmp_path)
    assert 8 <= some <= 40
    rest = await command("index", "rebuild", "--missing")
    assert f"Putting into the index: 0/{40 - some}" in rest.err
    assert "The index is complete: 40 digests, 40 passages." in rest.out
