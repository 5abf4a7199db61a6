"""Processes of ours that need not import everything anew.

Three of the five seconds of a short command go into imports, and as many of a bot's start. A server
that has done them once forks a process for each: its own memory, folder, environment, streams,
signals and exit status. What depends on how an interpreter starts, or takes its modules down at the
end, is left to `Command.start_anew`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from support.shared import made_once

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("fork_server.py")
COMMAND = "bot.cli:main"
_HELD, _ADDRESS = "held", "address"
_IMPORTED = (
    "bot.cli bot.cli.oneshot bot.cli.batch bot.cli.doctor bot.cli.subscriptions bot.cli.answering "
    "bot.cli.erasing bot.serving bot.slack.surface bot.discord.surface aiosqlite httpcore "
    "anyio._backends._asyncio support.bot_process support.opening"
)


class Forked:
    """A process of its own, with what a test needs of `subprocess.Popen`."""

    def __init__(
        self,
        main: str,
        arguments: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        streams: Sequence[BinaryIO],
    ) -> None:
        """`main` is a function of ours, `module:name`; `streams` become its 0, 1 and 2."""
        asked = {
            "main": main,
            "arguments": list(arguments),
            "folder": str(folder),
            "environ": dict(environ),
        }
        self.returncode: int | None = None
        self._waiting = threading.Lock()
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(_server())
        given = [stream.fileno() for stream in streams]
        socket.send_fds(self._connection, [json.dumps(asked).encode()], given)
        self._told = self._connection.makefile("rb", buffering=0)  # select must see all
        self.pid = int(self._told.readline())

    def wait(self, timeout: float | None = None) -> int:
        """The exit status (negative: the signal). Raises subprocess.TimeoutExpired."""
        with self._waiting:
            if self.returncode is None:
                readable, _, _ = select.select([self._connection], [], [], timeout)
                if not readable:
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
                self.returncode = os.waitstatus_to_exitcode(int(self._told.readline()))
                self._told.close()
                self._connection.close()
            return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Nothing to one that has ended: its number may be somebody else's."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: bytes
) -> tuple[int, bytes, bytes]:
    """The command's exit status (negative: the signal), standard output and error. Blocks."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        status = Forked(COMMAND, arguments, folder, environ, [given, out, err]).wait()
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def begin(
    arguments: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    out: BinaryIO,
    err: BinaryIO,
) -> Forked:
    """The command, left at work; `out` and `err` are closed here. Blocks until it has begun."""
    with Path(os.devnull).open("rb") as nothing, out, err:
        return Forked(COMMAND, arguments, folder, environ, [nothing, out, err])


def start(
    main: str, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], log: Path
) -> Forked:
    """One that goes on by itself, with all it says at the end of the file `log`."""
    with log.open("ab") as said, Path(os.devnull).open("rb") as nothing:
        return Forked(main, arguments, folder, environ, [nothing, said, said])


@functools.cache
def _server() -> str:
    """The address of the one of this test run, which ends with the last process that knows it."""
    folder = made_once("forks", _start_server)
    # The server sees when nobody holds it any more, however they ended.
    atexit.register(os.close, os.open(folder / _HELD, os.O_WRONLY))
    return (folder / _ADDRESS).read_text(encoding="utf-8")


def _start_server(folder: Path) -> None:
    os.mkfifo(folder / _HELD)
    read = os.open(folder / _HELD, os.O_RDONLY | os.O_NONBLOCK)
    held = os.open(folder / _HELD, os.O_WRONLY)
    address = f"{tempfile.mkdtemp(prefix='forks-')}/socket"  # a short path: they may not be long
    server = subprocess.Popen(
        [sys.executable, SERVER, address, *_IMPORTED.split()],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdin=read,
        stdout=subprocess.PIPE,
    )
    os.close(read)
    assert server.stdout is not None
    with server.stdout as said:
        assert said.readline() == b"ready\n"
    (folder / _ADDRESS).write_text(address, encoding="utf-8")
    atexit.register(_leave, server, held)


def _leave(server: subprocess.Popen[bytes], held: int) -> None:
    os.close(held)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(1)  # not for as long as others need it
