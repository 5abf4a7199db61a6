"""Of which code and which libraries something was made: for manifests and reports."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def commit(*, whole: bool = False) -> str:
    """The checkout's commit, abbreviated unless `whole`; "" where this is no checkout."""
    command = ["git", "rev-parse", *([] if whole else ["--short"]), "HEAD"]
    try:
        asked = subprocess.run(  # noqa: S603 - our own words
            command,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()


def version_of(name: str) -> str:
    """A library's version; "" where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
