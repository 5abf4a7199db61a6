"""The service's side of preparing: are the models there, and if not, have them made.

The making is done by `core.engine.preparing` in a child process; here its lines become calls of
`progress(stage, fraction)` and its failure becomes ModelNotReady.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import core
from core.engine.prepared import (
    PreparedEncoder,
    PreparedModels,
    expected,
    expected_encoder,
    find,
    find_encoder,
)
from core.errors import ModelNotReady

Found = TypeVar("Found", PreparedModels, PreparedEncoder)
Progress = Callable[[str, float], None]
_CHILD = (sys.executable, "-m", "core.engine.preparing")
_LONGEST_LINE = 1 << 20


async def prepare(
    data_dir: Path,
    *,
    adapter: Path | None = None,
    wheels: Path | None = None,
    progress: Progress | None = None,
    child: Sequence[str] = _CHILD,
) -> PreparedModels:
    """The prepared models; makes them if need be. Raises ModelNotReady."""
    command = [*child, *_options(data_dir, wheels)]
    command += [] if adapter is None else ["--adapter", str(adapter)]
    found = await _found(lambda: find(data_dir, adapter), command, progress)
    if found is None:
        raise _not_there(expected(data_dir, adapter).folder)
    return found


async def prepare_encoder(
    data_dir: Path,
    *,
    wheels: Path | None = None,
    progress: Progress | None = None,
    child: Sequence[str] = _CHILD,
) -> PreparedEncoder:
    """The prepared encoder, alone or beside a generator that is there anyway; makes it alone if
    need be. Raises ModelNotReady."""
    command = [*child, *_options(data_dir, wheels), "--encoder-only"]
    found = await _found(lambda: find_encoder(data_dir), command, progress)
    if found is None:
        raise _not_there(expected_encoder(data_dir).folder)
    return found


def _options(data_dir: Path, wheels: Path | None) -> list[str]:
    given = ["--data-dir", str(data_dir)]
    return given if wheels is None else [*given, "--wheels", str(wheels)]


async def _found(
    look: Callable[[], Found | None], command: Sequence[str], progress: Progress | None
) -> Found | None:
    """What is there, or is there once the command has run."""
    found = await asyncio.to_thread(look)
    if found is None:
        await _run(command, progress or _nobody_listens)
        found = await asyncio.to_thread(look)
    return found


def _not_there(folder: Path) -> ModelNotReady:
    return ModelNotReady(str(folder), "what was prepared is not there or not whole")


async def _run(command: Sequence[str], progress: Progress) -> None:
    # A session of its own, so that cancelling also ends the pip it may have started.
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(),
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
    try:
        failure, said = await asyncio.gather(_listen(process, progress), _rest_of(process))
        code = await process.wait()
    finally:
        await _end(process)
    if failure is not None:
        raise failure
    if code != 0:
        last = said.strip().splitlines()[-1:] or [f"it ended with code {code}"]
        raise ModelNotReady("the embedded model", f"preparing it was interrupted ({last[0][:300]})")


async def _listen(process: Process, progress: Progress) -> ModelNotReady | None:
    failure = None
    assert process.stdout is not None  # noqa: S101 - asked for above; for the type checker
    async for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # a library printed something
        if not isinstance(said, dict):
            continue
        if "stage" in said:
            progress(said["stage"], said["fraction"])
        elif "reason" in said:
            failure = ModelNotReady(said["subject"], said["reason"])
    return failure


async def _rest_of(process: Process) -> str:
    """The end of what the child says on stderr, read all the time so that it never blocks."""
    assert process.stderr is not None  # noqa: S101
    tail = b""
    while chunk := await process.stderr.read(1 << 14):
        tail = (tail + chunk)[-4000:]
    return tail.decode("utf-8", "replace")


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _environment() -> dict[str, str]:
    root = str(Path(core.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        # The weights are all there: no model hub is asked anything.
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONWARNINGS": "ignore",
    }


def _nobody_listens(stage: str, fraction: float) -> None:
    """Progress for a caller who asked for none."""
