"""Predictions into a file, one a line, as they are made: an interrupted run goes on where it was.

Beside the file lies a note of what it holds (`.about.json`): another task's, another model's or
another file's predictions are not mixed into it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import DigestError, EngineFailed, NothingToRead, SettingsError
from training.evaluating.items import Item, Shown, TaskName
from training.evaluating.systems import Predict, Prediction
from training.lines import written

log = logging.getLogger("training.evaluate")

# So many failures in a row are no bad luck: the engine is gone.
_IN_A_ROW = 5
_EMPTY: dict[TaskName, Prediction] = {"summary": "", "conversation": "", "extraction": ""}
_EMPTY |= {"keywords": [], "prerequisites": [], "terms": [], "retrieval": []}


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


class PredictionsFile:
    """Opened for adding. Raises SettingsError where it holds something else."""

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".about.json")
        if path.exists() and beside.exists():
            _check_same(path, json.loads(beside.read_text(encoding="utf-8")), about)
        beside.write_text(json.dumps(dict(about), indent=1) + "\n", encoding="utf-8")
        self.done = Counter(str(row["id"]) for row in _whole_lines(path))
        self._file = path.open("a", encoding="utf-8")

    def add(self, item: Item, prediction: Prediction, seconds: float) -> None:
        row = {"id": item.id, "prediction": prediction, "seconds": round(seconds, 4)}
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _check_same(path: Path, held: Mapping[str, str], about: Mapping[str, str]) -> None:
    other = [f"{key} {held.get(key)}" for key, value in about.items() if held.get(key) != value]
    if other:
        raise SettingsError(
            [f"{path}: it holds predictions of {', '.join(other)}; name another file, or remove it"]
        )


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """The rows that were written to their end; what a killed run left half is cut off."""
    found = []
    for number, line in enumerate(written(path), 1):
        try:
            row = json.loads(line)
            if "prediction" not in row or ("id" not in row and "qid" not in row):
                raise ValueError("a prediction needs id (or qid) and prediction")
        except (ValueError, TypeError) as error:
            raise SettingsError([f"{path}:{number}: this is no prediction ({error})"]) from error
        found.append({"id": row.get("id", row.get("qid")), **row})
    return found


class Kept:
    """Predictions by id, each given out once: rows with the same id come in the same order."""

    def __init__(self, path: Path) -> None:
        self._by_id: dict[str, deque[dict[str, Any]]] = defaultdict(deque)
        for row in _whole_lines(path):
            self._by_id[str(row["id"])].append(row)

    def take(self, item: Item) -> dict[str, Any] | None:
        own = self._by_id.get(item.id)
        return own.popleft() if own else None


async def predicted(
    task: TaskName, rows: Iterable[Item], predict: Predict, file: PredictionsFile, together: int
) -> AsyncIterator[bool]:
    """For each row, in order, whether there is a prediction now; those done before are skipped.

    Raises the engine's own error when nothing is answered any more.
    """
    done = file.done.copy()
    waiting: deque[tuple[Item, asyncio.Task[tuple[Prediction | None, float]]]] = deque()
    in_a_row = 0

    async def finish() -> bool:
        nonlocal in_a_row
        item, running = waiting.popleft()
        try:
            prediction, seconds = await running
        except DigestError as error:
            in_a_row += 1
            log.warning("%s: no prediction (%s)", item.id, error)
            if in_a_row == _IN_A_ROW:
                raise
            return False
        in_a_row = 0
        if prediction is None:
            return False
        file.add(item, prediction, seconds)
        return True

    try:
        for item in rows:
            if done[item.id] > 0:
                done[item.id] -= 1
                yield True
                continue
            waiting.append((item, asyncio.create_task(_timed(task, predict, item.shown))))
            if len(waiting) >= together:
                yield await finish()
        while waiting:
            yield await finish()
    finally:
        for _, running in waiting:
            running.cancel()


async def _timed(task: TaskName, predict: Predict, shown: Shown) -> tuple[Prediction | None, float]:
    begin = time.perf_counter()
    try:
        prediction: Prediction | None = await predict(shown)
    except EngineFailed:
        raise
    except NothingToRead as error:
        log.warning("nothing to read in a row (%s)", error)
        prediction = _EMPTY.get(task)
    return prediction, time.perf_counter() - begin


def usable(task: TaskName, said: Any) -> Prediction:
    """The prediction as its task's kind. Raises ValueError for another."""
    if task in ("difficulty", "faithfulness"):
        if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
            raise ValueError(f"{said!r} is no number")
        return float(said)
    if task in ("summary", "conversation", "extraction"):
        if not isinstance(said, str):
            raise ValueError(f"{str(said)[:40]!r} is no text")
        return said
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise ValueError(f"{str(said)[:40]!r} is no list of texts")
    return said
