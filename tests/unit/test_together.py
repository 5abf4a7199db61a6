"""Files that share a process of a test run are named as they are called."""

from __future__ import annotations

from pathlib import Path

from support.together import GROUPS

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_named_is_there() -> None:
    assert [file for file in GROUPS if not (ROOT / file).is_file()] == []
