"""What `python -m training` has left in `data`, line by line."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files


def lines(name: str) -> Iterator[str]:
    """Of a gzipped text file, without their ends."""
    path = files("core.judging") / "data" / name
    with path.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8") as found:
        for line in found:
            yield line.rstrip("\n")
