"""Files of JSON lines, read as streams and gone on with; and the bar that says how far it is."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import BadArticle, SettingsError


def read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their line numbers, streamed, gzipped or not. Raises BadArticle, which names file
    and line, for a line that is no JSON object, and SettingsError where the file cannot be read."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise BadArticle(f"{path}:{number}", f"no JSON ({error})") from error
                if not isinstance(row, dict):
                    raise BadArticle(f"{path}:{number}", "must be a JSON object")
                yield number, row
    except FileNotFoundError as error:
        raise SettingsError([f"{path}: there is no such file"]) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read ({error})"]) from error


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Each row, as it comes. Raises what `read` does."""
    return (row for _, row in read(path))


def may_ship(row: Mapping[str, Any]) -> bool:
    """Whether what is learned from the row may be given to others. XNLI is for non-commercial
    use, whatever its translation says."""
    words = re.split(r"[\W_]", str(row.get("license")).upper())
    return not {"NC", "XNLI"} & set(words)


def leave(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """The whole file, its folder made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(lines + "\n", encoding="utf-8")


def remembered(path: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a run left as JSON; None where there is none or its "key" (its settings) is another."""
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found if found["key"] == key else None


def written(path: Path) -> list[bytes]:
    """The lines of a file that is added to; what a killed run left half is cut off."""
    if not path.exists():
        return []
    body = path.read_bytes()
    end = body.rfind(b"\n") + 1
    if end < len(body):
        with path.open("r+b") as file:
            file.truncate(end)
    return body[:end].splitlines()


def bar() -> Progress:
    """On stderr: a program's output is its own."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*parts, TimeRemainingColumn(), console=Console(stderr=True))
