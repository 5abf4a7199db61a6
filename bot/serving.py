"""`run` and `worker`: until somebody stops them.

`run` has the page, the API and the chats whose tokens are set; `worker` makes digests for others.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)

import typer
import uvicorn
from fastapi import FastAPI

from bot import replies
from bot.cli.speaking import preparation_bar, wrong_usage
from bot.http.app import check_exposure, create_app, create_watch_app
from bot.wiring import Bot, open_bot
from bot.working import at_work
from core.article import Language
from core.errors import DigestError
from core.settings import HttpSettings, Settings

log = logging.getLogger(__name__)


async def serve(settings: Settings, ui: Language) -> None:
    check_exposure(settings)
    # The port before the model: who has to choose another one learns it at once.
    listening = _listen(settings.http, ui)
    with listening:
        async with AsyncExitStack() as stack:
            with preparation_bar(ui) as heard:
                bot = await stack.enter_async_context(
                    open_bot(settings, kind="bot", progress=heard)
                )
            server = _server(
                create_app(bot.service, settings, bot.surfaces, bot.subscribing, bot.deliveries)
            )
            stack.enter_context(_signals(server.asked_to_stop))
            await _warm(bot)
            await stack.enter_async_context(_working(bot))
            server.greeting = _greeting(settings.http.host, listening.getsockname()[1], ui, bot)
            await server.serve(sockets=[listening])
            interrupted = server.stopped_by == signal.SIGINT
    if interrupted:
        raise KeyboardInterrupt


async def work(settings: Settings, ui: Language, *, watched: bool = False) -> None:
    """Takes part in the work of others until somebody stops it; no page, no chat. `watched`: its
    health and its figures are served at the address of the page."""
    if watched:
        check_exposure(settings)
    stopped = asyncio.Event()
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        stopped_by.append(number)
        stopped.set()

    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listen(settings.http, ui)) if watched else None
        with preparation_bar(ui) as heard:
            bot = await stack.enter_async_context(open_bot(settings, kind="worker", progress=heard))
        stack.enter_context(_signals(stop))
        await _warm(bot)
        if listening is not None:
            address = _address(settings.http.host, listening.getsockname()[1])
            server = _server(create_watch_app(bot.service, settings, bot.deliveries))
            server.greeting = replies.say("watched_at", ui, address=address)
            await stack.enter_async_context(_serving(server, listening))
        await stack.enter_async_context(_working(bot))
        typer.echo(replies.say("working", ui, model=bot.service.engine.name))
        typer.echo(replies.say("stop_hint", ui))
        sys.stdout.flush()
        await stopped.wait()
    if stopped_by[0] == signal.SIGINT:
        raise KeyboardInterrupt


def _server(app: FastAPI) -> Server:
    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            server_header=False,
        )
    )


@asynccontextmanager
async def _serving(server: Server, listening: socket.socket) -> AsyncIterator[None]:
    """Beside the work, until the block ends."""
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _warm(bot: Bot) -> None:
    """Loads what stays for good, before anybody can ask: reading the Korean morphemes stops the
    whole process for seconds. Then takes it out of the garbage collector's sight: a look at all the
    tables and vocabularies stops it for 250 ms, and finds nothing."""
    try:
        await bot.service.digester.warm_up()
    except DigestError as error:  # the first digest will say so, to whom it concerns
        log.warning("warming up: %s", error)
    gc.collect()
    gc.freeze()


def _working(bot: Bot) -> AbstractAsyncContextManager[None]:
    # The loop that answers the platforms comes back from every wait through the interpreter's
    # lock. Beside three threads that compute, accepting a link takes 100 ms with this, 200 ms with
    # Python's own 5 ms.
    sys.setswitchinterval(0.001)
    return at_work(
        bot.workflows,
        bot.presence,
        bot.surfaces,
        bot.keep_house,
        beside=(bot.poller.open, bot.schedule.open, bot.librarian.at_work),
    )


@contextmanager
def _signals(heard: Callable[[int], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class Server(uvicorn.Server):
    """uvicorn that greets when it listens, and leaves closing the service to us.

    Its own handling raises the signal again once it has stopped, which would end the process
    before the database and the model are closed.
    """

    greeting = ""
    stopped_by: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self.greeting:
            typer.echo(self.greeting)
            sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # ours are set already: somebody may lose patience while we connect

    def asked_to_stop(self, number: int) -> None:
        self.force_exit = self.should_exit  # asked twice: now
        self.should_exit = True
        self.stopped_by = number


def _listen(http: HttpSettings, ui: Language) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((http.host, http.port))
    except OSError as error:
        listening.close()
        said = replies.say(
            "port_taken", ui, host=http.host, port=http.port, cause=error.strerror or str(error)
        )
        raise wrong_usage(said) from error
    listening.set_inheritable(True)
    return listening


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def _greeting(host: str, port: int, ui: Language, bot: Bot) -> str:
    address = _address(host, port)
    lines = [replies.say("open_page", ui, address=address)]
    chats = ", ".join(surface.chat.platform.capitalize() for surface in bot.surfaces)
    if chats:
        lines.append(replies.say("in_chats", ui, chats=chats))
    return "\n".join([*lines, replies.say("stop_hint", ui)])
