"""A child that prepares models, started as the service starts it, and what it says on the way."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(command: list[str], data: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, "--data-dir", str(data), *more],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def wait_for(process: subprocess.Popen[str], stage: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("stage", "").startswith(stage):
            return
    pytest.fail(f"the child ended before it said {stage!r}")
