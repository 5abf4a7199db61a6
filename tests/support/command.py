"""The command as people run it: its own process, its own data folder, no model (engine echo)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio import StreamReader
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

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


class Begun:
    """A command at work, with what tests need of `asyncio.subprocess.Process`."""

    def __init__(self, process: forks.Forked, out: StreamReader, err: StreamReader) -> None:
        self.stdout, self.stderr = out, err
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()

    async def wait(self) -> int:
        return await asyncio.to_thread(self._process.wait)

    async def communicate(self) -> tuple[bytes, bytes]:
        """What it still says, until it ends."""
        said = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return said

    def end(self) -> None:
        self.kill()
        for stream in (self.stdout, self.stderr):
            stream._transport.close()  # type: ignore[attr-defined] # nothing else closes it


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
        self._begun: list[Begun] = []
        self._interpreters: list[asyncio.subprocess.Process] = []

    def end_all(self) -> None:
        """What a test that failed has left running."""
        for begun in self._begun:
            begun.end()
        for process in self._interpreters:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    async def start(self, *args: str, **environ: str) -> Begun:
        """One that is left at work; it has imported everything."""
        out, said = await _pipe()
        err, complained = await _pipe()
        given = {**self.environ, **environ}
        process = await asyncio.to_thread(forks.begin, args, self.folder, given, said, complained)
        begun = Begun(process, out, err)
        self._begun.append(begun)
        return begun

    async def start_anew(self, *args: str, **environ: str) -> asyncio.subprocess.Process:
        """The same with an interpreter of its own, as people start it."""
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
        self._interpreters.append(process)
        return process

    async def __call__(self, *args: str, stdin: str = "", **environ: str) -> Ended:
        if any(name.startswith(("LC_", "LANG", "PYTHON")) for name in environ):
            return await self._anew(*args, stdin=stdin, **environ)
        environ = {**self.environ, **environ}
        async with asyncio.timeout(120):
            code, out, err = await asyncio.to_thread(
                forks.run, args, self.folder, environ, stdin.encode()
            )
        return Ended(code, out.decode(), err.decode())

    async def _anew(self, *args: str, stdin: str, **environ: str) -> Ended:
        process = await self.start_anew(*args, **environ)
        try:
            async with asyncio.timeout(120):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())


async def _pipe() -> tuple[StreamReader, BinaryIO]:
    """What is read here, and the end that a process is given."""
    read, write = os.pipe()
    reader = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb", buffering=0)
    )
    return reader, os.fdopen(write, "wb", buffering=0)


def _hears_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
