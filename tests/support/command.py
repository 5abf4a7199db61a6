"""The command as people run it: its own process, its own data folder, no model (engine echo)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import forks

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for something that another process does, which no event of ours can tell."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


class Command:
    """`await command("digest", "a.md", "--json")`; `environ` is everything it sees."""

    def __init__(self, data_dir: Path) -> None:
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data_dir),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
            "SMARTDEVDIGEST_DATA_DIR": str(data_dir / "data"),
            "SMARTDEVDIGEST_MODEL__ENGINE": "echo",
        }
        self.folder = data_dir
        self._begun: list[asyncio.subprocess.Process] = []

    def end_all(self) -> None:
        """What a test that failed has left running."""
        for process in self._begun:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    async def start(self, *args: str, **environ: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from bot.cli import main; main()",
            *args,
            cwd=self.folder,
            env={**self.environ, "PYTHONPATH": f"{ROOT}:{self.environ['PYTHONPATH']}", **environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A shell that runs the tests in the background has Ctrl-C ignored, and so would we.
            preexec_fn=_hears_interrupts,
        )
        self._begun.append(process)
        return process

    async def __call__(self, *args: str, stdin: str = "", **environ: str) -> Ended:
        if any(name.startswith(("LC_", "LANG", "PYTHON")) for name in environ):
            return await self._started(*args, stdin=stdin, **environ)
        environ = {**self.environ, **environ}
        async with asyncio.timeout(120):
            code, out, err = await asyncio.to_thread(
                forks.run, args, self.folder, environ, stdin.encode()
            )
        return Ended(code, out.decode(), err.decode())

    async def _started(self, *args: str, stdin: str, **environ: str) -> Ended:
        process = await self.start(*args, **environ)
        try:
            async with asyncio.timeout(120):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())


def _hears_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
