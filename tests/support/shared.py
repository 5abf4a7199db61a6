"""What one test run makes once, whichever of its processes needs it first."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

FOLDER = "TESTS_SHARED_FOLDER"  # set by tests/conftest.py; benchmarks have none


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name`, filled by `make`; the other processes wait until it is whole."""
    whole = _folder() / name
    with FileLock(f"{whole}.lock"):
        if not whole.exists():
            begun = Path(tempfile.mkdtemp(dir=whole.parent))
            make(begun)
            begun.rename(whole)
    return whole


@functools.cache
def _folder() -> Path:
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    own = tempfile.mkdtemp(prefix="tests-shared-")
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)
