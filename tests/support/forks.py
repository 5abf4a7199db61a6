"""Processes of ours that need not import everything anew.

Three of the five seconds of a short command go into imports, and as many of a bot's start. A server
that has done them once forks a process for each: its own memory, folder, environment, streams,
signals and exit status. What depends on how an interpreter starts is left to `Command.start`.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from support.shared import made_once

ROOT = Path(__file__).parents[2]
COMMAND = "bot.cli:main"
_MOST_BYTES = 1 << 20
_HELD, _ADDRESS = "held", "address"
_IMPORTED = (
    "bot.cli bot.cli.oneshot bot.cli.batch bot.cli.doctor bot.cli.subscriptions bot.cli.answering "
    "bot.cli.erasing bot.serving bot.slack.surface bot.discord.surface support.bot_process support.opening"
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
        [sys.executable, __file__, address, *_IMPORTED.split()],
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


def _serve(address: str) -> str:
    """The function to be called; returns in the process that was asked for, and there only."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            readable, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in readable:
                shutil.rmtree(Path(address).parent)
                sys.exit()
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
            _reap()
        listening.close()
    # One process waits for the other and says how it ended; the server goes on meanwhile.
    asked, streams = _received(connection)
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        connection.sendall(b"%d\n" % child)
        connection.sendall(b"%d\n" % os.waitpid(child, 0)[1])
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # Those of the server remember that they were pipes or files.
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    # A shell that runs the tests in the background has Ctrl-C ignored, and so would we.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = ["smartdevdigest", *asked["arguments"]]
    return str(asked["main"])


def _received(connection: socket.socket) -> tuple[dict[str, Any], array.array[int]]:
    said, streams, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    return json.loads(said), array.array("i", streams)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _warm_up() -> None:
    """What a digest loads the first time: word counts, glossary, Korean morphemes."""
    import asyncio
    import ctypes
    import gc

    from core.digesting import Digester
    from core.engine.echo import EchoEngine, HashingEncoder
    from core.language import _kiwi
    from core.settings import DigestSettings, GenerationSettings

    digester = Digester(EchoEngine(), HashingEncoder(), DigestSettings(), GenerationSettings())
    asyncio.run(digester.warm_up())
    # It keeps a thread that it never needs and, when deleted, waits for it; forks have no such thread.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_kiwi()))
    gc.collect()
    gc.freeze()  # a fork that looked through all this would copy it


if __name__ == "__main__":
    import importlib

    for name in sys.argv[2:]:
        importlib.import_module(name)
    _warm_up()
    module, _, function = _serve(sys.argv[1]).partition(":")
    getattr(importlib.import_module(module), function)()
