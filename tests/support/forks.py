"""Processes of the command that need not import everything anew.

Three of the five seconds of a short command go into imports. A server that has done them once forks
a process for each command: its own memory, folder, environment, streams and exit status. What
depends on how an interpreter starts (locale, signals to be sent) is left to `Command.start`.
"""

from __future__ import annotations

import array
import atexit
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_MOST_BYTES = 1 << 20
_IMPORTED = "bot.cli bot.cli.oneshot bot.cli.batch bot.cli.doctor bot.cli.subscriptions bot.cli.answering bot.cli.erasing"


def run(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: bytes
) -> tuple[int, bytes, bytes]:
    """Exit status (negative: the signal), standard output and error. Blocks until it has ended."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        given.write(stdin)
        given.seek(0)
        connection.connect(_server())
        asked = {"arguments": list(arguments), "folder": str(folder), "environ": dict(environ)}
        streams = [given.fileno(), out.fileno(), err.fileno()]
        socket.send_fds(connection, [json.dumps(asked).encode()], streams)
        status = connection.recv(64)
        out.seek(0)
        err.seek(0)
        return os.waitstatus_to_exitcode(int(status)), out.read(), err.read()


@functools.cache
def _server() -> str:
    """The address of this test process's own."""
    folder = tempfile.TemporaryDirectory(prefix="forks-")
    address = str(Path(folder.name) / "socket")
    server = subprocess.Popen(
        [sys.executable, __file__, address, *_IMPORTED.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"

    def end() -> None:
        server.kill()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return address


def _serve(address: str) -> None:
    """Returns in the process of a command, and there only."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
            _reap()
        listening.close()
    # One process waits for the command and says how it ended; the server goes on meanwhile.
    asked, streams = _received(connection)
    child = os.fork()
    if child:
        connection.send(str(os.waitpid(child, 0)[1]).encode())
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = ["smartdevdigest", *asked["arguments"]]


def _received(connection: socket.socket) -> tuple[dict[str, Any], array.array[int]]:
    said, streams, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    return json.loads(said), array.array("i", streams)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    import importlib

    for name in sys.argv[2:]:
        importlib.import_module(name)
    _serve(sys.argv[1])
    importlib.import_module("bot.cli").main()
