"""A whole bot as a process of its own, in the messenger of `support/messenger.py`.

Everything is the product's but the chat: `python bot_process.py MESSENGER DATA [worker]`. The
database is the one that SMARTDEVDIGEST_DATABASE__URL names, else SQLite in DATA.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import httpx
from support import forks

from bot.chats import AboutTo, Ready, Shown, Surface, Trouble, unasked
from bot.commands import Commands
from bot.configuration import load
from bot.logs import set_up_logging
from bot.receiving import Heard, Receiver
from bot.wiring import Stores, open_bot
from bot.working import at_work
from core.errors import ChatUnavailable, StorageUnavailable
from core.places import Place, Platform, SharedLink
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


class MessengerChat:
    platform: Platform = "slack"

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(
        self, shared: SharedLink, shown: Shown, *, key: str, about_to: AboutTo = unasked
    ) -> str:
        await about_to()
        said = {
            "channel": shared.place.channel,
            "key": key,
            "link": shared.link,
            "text": text_of(shown),
        }
        return str((await self._ask("POST", "/post", json=said))["name"])

    async def edit(self, shared: SharedLink, reply: str, shown: Shown, *, key: str) -> None:
        await self._ask("POST", "/edit", json={"name": reply, "text": text_of(shown)})

    async def find(self, shared: SharedLink, key: str) -> str | None:
        found = (await self._ask("GET", "/find", params={"key": key}))["name"]
        return None if found is None else str(found)

    async def remove(self, shared: SharedLink, reply: str) -> None:
        raise NotImplementedError("nobody deletes here")

    def unprompted(self, at: datetime, key: str) -> str:
        raise NotImplementedError("nobody subscribes here")

    def beneath(self, place: Place, reply: str) -> tuple[Place, str]:
        raise NotImplementedError("nobody subscribes here")

    async def _ask(self, method: str, path: str, **what: object) -> dict[str, object]:
        try:
            answer = await self.client.request(method, path, **what)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise ChatUnavailable("messenger", str(error)) from error
        return dict(answer.raise_for_status().json())


class MessengerSurface:
    """Takes events and acknowledges what is accepted, as the real adapters do."""

    def __init__(self, address: str, receiver: Receiver) -> None:
        self.client = httpx.AsyncClient(base_url=address, timeout=10, trust_env=False)
        self.chat = MessengerChat(self.client)
        self.receiver = receiver
        self.routes: tuple[()] = ()
        self.ended_by = ""
        self.listening: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.listening = [asyncio.create_task(self._listen()) for _ in range(4)]

    async def close(self) -> None:
        for task in self.listening:
            task.cancel()
        await asyncio.gather(*self.listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            event = (await self.client.get("/event")).json()
            if event is None:
                continue
            place = Place("slack", "T", event["channel"])
            heard = Heard(place, event["message"], f"U-{event['channel']}", [event["link"]])
            try:
                await self.receiver.hear(heard)
            except StorageUnavailable:
                continue  # not acknowledged: it comes again
            await self.client.post("/ack", json={"id": event["id"]})


def text_of(shown: Shown) -> str:
    if isinstance(shown, Ready):
        return f"digest {shown.record.id}"
    return f"trouble {shown.error.code}" if isinstance(shown, Trouble) else "waiting"


def start(address: str, data: Path, *, database: str | None = None) -> subprocess.Popen[bytes]:
    """The process; what it logs goes to DATA/log."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, __file__, address, str(data), "bot"],
            env=_environment(address, data, database),
            stderr=log,
            stdout=log,
            cwd=ROOT,
        )


def start_quickly(
    address: str,
    data: Path,
    *,
    database: str | None = None,
    kind: Literal["bot", "worker"] = "bot",
    environ: Mapping[str, str] | None = None,
) -> forks.Forked:
    """The same of one that has imported everything; nobody should measure its start."""
    data.mkdir(parents=True, exist_ok=True)
    given = {**_environment(address, data, database), **(environ or {})}
    arguments = [address, str(data), kind]
    return forks.start("support.bot_process:begin", arguments, ROOT, given, data / "log")


def _environment(address: str, data: Path, database: str | None) -> dict[str, str]:
    settings = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "SMARTDEVDIGEST_MODEL__ENGINE": "echo",
        "SMARTDEVDIGEST_WEB__ALLOW_HOSTS": address.removeprefix("http://"),
        "SMARTDEVDIGEST_WEB__RESPECT_ROBOTS": "false",
        "SMARTDEVDIGEST_DATA_DIR": str(data),
        "SMARTDEVDIGEST_LIMITS__USER_PER_HOUR": "100000",
        "SMARTDEVDIGEST_LIMITS__CHANNEL_PER_HOUR": "100000",
        "SMARTDEVDIGEST_QUEUE__LEASE": "4",
        **({"SMARTDEVDIGEST_DATABASE__URL": database} if database else {}),
    }
    kept = {name: value for name, value in os.environ.items() if "SMARTDEVDIGEST" not in name}
    return kept | settings


async def main(address: str, kind: Literal["bot", "worker"]) -> None:
    settings = load(None)
    set_up_logging(settings.log)

    def chats(
        _settings: Settings, _stores: Stores, receiver: Receiver, _commands: Commands
    ) -> Iterator[Surface]:
        yield MessengerSurface(address, receiver)

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with (
        open_bot(settings, kind=kind, chats=chats) as bot,
        at_work(bot.workflows, bot.presence, bot.surfaces, bot.keep_house),
    ):
        warming = asyncio.create_task(bot.service.digester.warm_up())
        await stopped.wait()
        warming.cancel()


def begin() -> None:
    asyncio.run(main(sys.argv[1], "worker" if sys.argv[3:] == ["worker"] else "bot"))


if __name__ == "__main__":
    begin()
