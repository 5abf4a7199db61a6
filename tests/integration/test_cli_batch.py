"""`digest --jsonl` as its own process: broken rows, killed runs, a second run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from support.builders import CONTENT
from support.command import Command, until

from core.digest import Digest

pytestmark = pytest.mark.slow

ROWS = 60


def rows(folder: Path, count: int, broken: int | None = None) -> Path:
    """Articles of their own content each; line `broken` (from 1) is cut off."""
    file = folder / "in.jsonl"
    lines = [
        json.dumps({"id": f"row-{n}", "content": f"Measurement number {n}.\n\n{CONTENT}"})
        for n in range(1, count + 1)
    ]
    if broken is not None:
        lines[broken - 1] = lines[broken - 1][:40]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def ids(file: Path) -> list[str]:
    return [json.loads(line)["id"] for line in file.read_text(encoding="utf-8").splitlines()]


async def test_a_broken_row_is_told_with_its_number_and_the_rest_goes_on(
    command: Command, tmp_path: Path
) -> None:
    rows(tmp_path, 4, broken=3)
    ended = await command("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    assert (ended.code, ended.out) == (1, "")
    assert "line 3: This is not an article in the expected form" in ended.err
    assert "3 rows done (1 failed" in ended.err
    assert ids(tmp_path / "out.jsonl") == ["row-1", "row-2", "row-4"]
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        values = json.loads(line)
        assert list(values) == ["id", *Digest.model_fields]
    (failure,) = (tmp_path / "out.jsonl.errors.jsonl").read_text().splitlines()
    assert json.loads(failure) == {"line": 3, "code": "bad_article", "reason": "is not valid JSON"}


async def test_a_killed_run_goes_on_where_it_stopped(command: Command, tmp_path: Path) -> None:
    rows(tmp_path, ROWS)
    out = tmp_path / "out.jsonl"
    process = await command.start("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    await until(lambda: _lines(out) > 3)
    process.kill()
    await process.communicate()
    before = _lines(out)
    assert 3 < before < ROWS
    with out.open("ab") as file:  # as if it had died in the middle of a line
        file.write(b'{"id": "row-9999", "summ')

    ended = await command("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    assert ended.code == 0, ended.err
    assert ids(out) == [f"row-{n}" for n in range(1, ROWS + 1)]
    assert (
        f"{ROWS - before} rows done" in ended.err or f"{ROWS - before + 1} rows done" in ended.err
    )

    nothing = await command("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    assert nothing.code == 0
    assert f"0 rows done (0 failed, {ROWS} were done before)" in nothing.err


async def test_an_interrupted_run_says_how_to_go_on(command: Command, tmp_path: Path) -> None:
    rows(tmp_path, ROWS)
    process = await command.start("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    await until(lambda: _lines(tmp_path / "out.jsonl") > 1)
    process.send_signal(2)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"the same command goes on from here" in err
    assert b"Traceback" not in err


async def test_a_file_that_is_not_ours_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    rows(tmp_path, 1)
    (tmp_path / "out.jsonl").write_text("notes\n")
    ended = await command("digest", "--jsonl", "in.jsonl", "--out", "out.jsonl")
    assert ended.code == 2
    assert (tmp_path / "out.jsonl").read_text() == "notes\n"
    assert (await command("digest", "--jsonl", "in.jsonl", "--out", "in.jsonl")).code == 2


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0
