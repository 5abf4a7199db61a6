"""The server of `support/forks.py`, a process of its own: `fork_server.py SOCKET MODULE…`.

It imports the modules, then forks a process for each that asks at the socket, tells its number and,
once it has ended, how. It ends when nobody holds the other end of its standard input any more.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

_MOST_BYTES = 1 << 20


def serve(address: str) -> str:
    """The function to be called; returns in a process that was asked for, and there only."""
    awake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _heard)
    at_work: dict[int, socket.socket] = {}
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        readable, _, _ = select.select([listening, sys.stdin, awake], [], [])
        if sys.stdin in readable:
            shutil.rmtree(Path(address).parent)
            os._exit(0)
        if awake in readable:
            os.read(awake, 4096)
            _tell_ends(at_work)
        if listening not in readable:
            continue
        connection, _ = listening.accept()
        asked, streams = _received(connection)
        child = os.fork()
        if child == 0:
            break
        at_work[child] = connection
        _tell(connection, child)
        for stream in streams:
            os.close(stream)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for mine in (listening, connection, *at_work.values()):
        mine.close()
    os.close(awake)
    os.close(alarm)
    _become(asked, streams)
    return str(asked["main"])


def _heard(_number: int, _frame: object) -> None:
    """The alarm is enough."""


def _received(connection: socket.socket) -> tuple[dict[str, Any], array.array[int]]:
    said, streams, _, _ = socket.recv_fds(connection, _MOST_BYTES, 3)
    return json.loads(said), array.array("i", streams)


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # who asked may be gone
        connection.sendall(b"%d\n" % number)


def _tell_ends(at_work: dict[int, socket.socket]) -> None:
    while at_work:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with at_work.pop(child) as connection:
            _tell(connection, status)


def _become(asked: dict[str, Any], streams: array.array[int]) -> None:
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


def _warm_up() -> None:
    """What commands load the first time: certificates, word counts, glossary, Korean morphemes."""
    import asyncio
    import ctypes
    import gc

    from core.digesting import Digester
    from core.engine.echo import EchoEngine, HashingEncoder
    from core.language import _kiwi
    from core.settings import DigestSettings, GenerationSettings, WebSettings
    from core.web.fetch import SafeWeb

    SafeWeb(WebSettings())
    digester = Digester(EchoEngine(), HashingEncoder(), DigestSettings(), GenerationSettings())
    asyncio.run(digester.warm_up())
    # It keeps a thread that it never needs and, when deleted, waits for it; forks have no such thread.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_kiwi()))
    gc.collect()
    gc.freeze()  # a fork that looked through all this would copy it


def _call(main: str) -> None:
    """Ends as an interpreter does, but leaves the modules alone: taking them down would copy them.

    What cannot be written and what is raised is left to the interpreter.
    """
    module, _, function = main.partition(":")
    try:
        getattr(importlib.import_module(module), function)()
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        status = ended.code or 0
    else:
        status = 0
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(status)
    os._exit(status & 0xFF)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    _warm_up()
    _call(serve(sys.argv[1]))
