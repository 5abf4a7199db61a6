"""Plain text for M1 and the tokenizer: the licensed sets, streamed, with a part held out by site."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import SettingsError
from training.lines import may_ship, read

# One document in so many is never learned from: it tells what was learned.
HELD_ONE_IN = 20


def texts(root: Path, names: Sequence[str], *, held: bool) -> Iterator[str]:
    """Title and content of each document once. Raises BadArticle, SettingsError."""
    seen: set[bytes] = set()
    for name in names:
        path = root / f"{name}.jsonl.gz"
        if not path.is_file():
            path = root / f"{name}.jsonl"
        if not path.is_file():
            raise SettingsError([f"{root}/{name}.jsonl.gz: there is no such file"])
        for _, row in read(path):
            text = _text(row)
            mark = hashlib.sha256(text.encode()).digest()
            if not text or mark in seen or not may_ship(row):
                continue
            seen.add(mark)
            if (mark[0] % HELD_ONE_IN == 0) == held:
                yield text


def _text(row: dict[str, object]) -> str:
    content = str(row.get("content") or row.get("full") or row.get("text") or "").strip()
    title = str(row.get("title") or row.get("term") or "").strip()
    return f"# {title}\n\n{content}" if title and content else content
