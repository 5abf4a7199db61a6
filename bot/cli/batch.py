"""Many articles in a file, one digest a line out: streamed, and resumed where it stopped.

Beside OUT stand `OUT.errors.jsonl` (rows that failed, with their line numbers) and
`OUT.progress`: for every finished input line its number, its hash and how long the two
outputs were after it. A run that was killed cuts the outputs back to the last finished line,
checks that the input is still the same, and goes on. Results come in the order of the input.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from bot.sources import article_of
from core.article import Article
from core.digest import Digest
from core.errors import BadArticle, DigestError, ModelNotReady, SettingsError

MAX_LINE = 32 * 1024 * 1024
_NO_ID = object()


@dataclass(frozen=True)
class Line:
    """A line of the input; `text` is None for one that is too long to be an article."""

    number: int
    text: bytes | None
    sha256: str
    end: int


@dataclass(frozen=True)
class Tally:
    done: int
    failed: int
    before: int


Digesting = Callable[[Article], Awaitable[Digest]]
Failed = Callable[[int, DigestError], None]
Advanced = Callable[[Line], None]


async def digest_rows(
    source: Path,
    results: Results,
    digest: Digesting,
    *,
    on_failure: Failed,
    on_line: Advanced,
    at_once: int = 1,
) -> Tally:
    """Every row of `source` that `results` does not hold yet, `at_once` of them side by side."""
    done = failed = 0

    async def settle(line: Line, task: asyncio.Task[dict[str, Any]]) -> None:
        nonlocal done, failed
        try:
            row = await task
        except ModelNotReady:
            raise  # no row can succeed
        except DigestError as error:
            failed += 1
            on_failure(line.number, error)
            results.add_failure(line, error)
        else:
            done += 1
            results.add(line, row)
        on_line(line)

    waiting: deque[tuple[Line, asyncio.Task[dict[str, Any]]]] = deque()
    try:
        for line in lines_of(source):
            if results.has(line):
                on_line(line)
                continue
            waiting.append((line, asyncio.create_task(_digested(line, digest))))
            if len(waiting) >= at_once:
                await settle(*waiting.popleft())
        while waiting:
            await settle(*waiting.popleft())
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    results.all_matched()
    return Tally(done, results.failed_before + failed, results.before)


async def _digested(line: Line, digest: Digesting) -> dict[str, Any]:
    row_id, article = row_of(line)
    found = (await digest(article)).model_dump(mode="json")
    return found if row_id is _NO_ID else {"id": row_id, **found}


def row_of(line: Line) -> tuple[object, Article]:
    """A row's own `id`, if it has one, and its article. Raises BadArticle."""
    subject = f"line {line.number}"
    if line.text is None:
        raise BadArticle(subject, f"is longer than {MAX_LINE} bytes")
    try:
        values = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        raise BadArticle(subject, "is not valid JSON") from error
    if not isinstance(values, dict):
        raise BadArticle(subject, "is not an object with fields")
    row_id = values.pop("id", _NO_ID)
    return row_id, article_of(values, subject)


def lines_of(source: Path, longest: int = MAX_LINE) -> Iterator[Line]:
    """The lines that hold something, numbered from 1, one in memory at a time."""
    number = 0
    with source.open("rb") as file:
        while chunk := file.readline(longest):
            number += 1
            digest = hashlib.sha256(chunk)
            text: bytes | None = chunk
            while len(chunk) == longest and not chunk.endswith(b"\n"):
                chunk = file.readline(longest)
                if chunk:
                    digest.update(chunk)
                    text = None
            if text is None or text.strip():
                yield Line(number, text, digest.hexdigest()[:16], file.tell())


class Results:
    """The three files beside each other, cut back to the last line that is whole in all."""

    def __init__(self, out: Path, how: dict[str, str], *, again: bool = False) -> None:
        """`how` says with what the digests are made; a run with another `how` is refused."""
        self.out = out
        self.errors = out.with_name(out.name + ".errors.jsonl")
        self.progress = out.with_name(out.name + ".progress")
        self._how = how
        self.before = 0
        self.failed_before = 0
        self._unmatched = 0
        self._stack = ExitStack()
        if again:
            for file in (self.out, self.errors, self.progress):
                file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            known = self._resume()
            self._unmatched = self.before
            self._known = opening.enter_context(known)
            self._out = opening.enter_context(self.out.open("ab"))
            self._errors = opening.enter_context(self.errors.open("ab"))
            self._progress = opening.enter_context(self.progress.open("ab"))
            if self._progress.tell() == 0:
                self._append(self._progress, {"made": self._how})
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self.errors.stat().st_size == 0:
            self.errors.unlink()

    def has(self, line: Line) -> bool:
        """Lines are asked for in order. Raises SettingsError when the input is another one."""
        if self._unmatched == 0:
            return False
        self._unmatched -= 1
        entry = _entry(self._known.readline())
        if entry is None or (entry["line"], entry["sha256"]) != (line.number, line.sha256):
            raise self._another_input(f"line {line.number} differs")
        return True

    def all_matched(self) -> None:
        if self._unmatched:
            raise self._another_input("it has fewer rows")

    def _another_input(self, how: str) -> SettingsError:
        return SettingsError(
            [
                f"{self.out}: was made from another input ({how}); "
                "name another --out, or begin anew with --again"
            ]
        )

    def add(self, line: Line, row: dict[str, Any]) -> None:
        self._append(self._out, row)
        self._finish(line)

    def add_failure(self, line: Line, error: DigestError) -> None:
        failure = {"line": line.number, "code": error.code, "reason": error.reason or str(error)}
        self._append(self._errors, failure)
        self._finish(line)

    def _finish(self, line: Line) -> None:
        self._append(
            self._progress,
            {
                "line": line.number,
                "sha256": line.sha256,
                "out": self._out.tell(),
                "errors": self._errors.tell(),
            },
        )

    @staticmethod
    def _append(file: BinaryIO, values: dict[str, Any]) -> None:
        file.write(
            json.dumps(values, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        )
        file.flush()

    def _resume(self) -> BinaryIO:
        """Cuts what is half written; gives the finished lines to read along with the input."""
        sizes = [_size(file) for file in (self.out, self.errors)]
        if not self.progress.exists():
            if any(sizes):
                raise SettingsError(
                    [f"{self.out}: exists already; name another --out, or begin anew with --again"]
                )
            self.progress.touch()
        end, last = self._whole_entries(sizes)
        _cut(self.progress, end)
        for file, name in ((self.out, "out"), (self.errors, "errors")):
            _cut(file, last[name])
        known = self.progress.open("rb")
        known.readline()  # how it was made
        return known

    def _whole_entries(self, sizes: list[int]) -> tuple[int, dict[str, int]]:
        """Up to where the progress is whole and the outputs reach it."""
        end, last = 0, {"out": 0, "errors": 0}
        with self.progress.open("rb") as file:
            header = _entry(file.readline())
            if header is None:
                return end, last
            if header.get("made") != self._how:
                raise SettingsError(
                    [
                        f"{self.out}: was begun with {header.get('made')}, not {self._how}; "
                        "name another --out, or begin anew with --again"
                    ]
                )
            end = file.tell()
            while entry := _entry(file.readline()):
                if entry["out"] > sizes[0] or entry["errors"] > sizes[1]:
                    break
                self.before += 1
                self.failed_before += entry["errors"] > last["errors"]
                end, last = file.tell(), entry
        return end, last


def _entry(raw: bytes) -> dict[str, Any] | None:
    """A line of the progress file; None for the end, or for one that was cut off."""
    if not raw.endswith(b"\n"):
        return None
    try:
        values = json.loads(raw)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _cut(file: Path, size: int) -> None:
    if _size(file) > size:
        with file.open("r+b") as opened:
            opened.truncate(size)
