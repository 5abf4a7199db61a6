"""Our Discord surface with everything behind it in memory, against the tests' own Discord.

    async with a_bot(server, Memory()) as bot:
        await server.say(channel, mina, f"read {LINK}")
        await bot.until_answered(1)

A `Memory` outlives the bot, as a database does, so that a test can start another one on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.builders import a_record
from support.consulting import FakeAskedTerms, a_consulting
from support.discord_entities import Channel, Message, User
from support.discord_server import DiscordServer
from support.fakes import FakeDeliveries, FakeDigests, FakeProfiles, FakeWorkspaces
from support.little_library import LittleLibrary

from bot.chats import Ready, Waiting
from bot.commands import Commands
from bot.delivering import Outbox
from bot.discord.surface import DiscordSurface
from bot.receiving import Receiver
from core.digest import DigestRecord
from core.errors import ChatFailed, ChatUnavailable
from core.places import ChannelProfile, Delivery, Place
from core.settings import DiscordSettings, LimitSettings

LINK = "https://blog.example.com/connection-pools"


class Memory:
    """What a database would hold."""

    def __init__(self) -> None:
        self.deliveries = FakeDeliveries()
        self.digests = FakeDigests()
        self.profiles = FakeProfiles()
        self.workspaces = FakeWorkspaces()
        self.library = LittleLibrary(self.digests)
        self.asked = FakeAskedTerms()


class Asked:
    """A digester of questions only; `going` holds it up as a busy model does."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.going.set()
        self.asked = 0

    async def questions(self, record: DigestRecord) -> tuple[str, ...]:
        self.asked += 1
        await self.going.wait()
        return tuple(f"Question {number}?" for number in range(1, 6))


class Answering:
    """A queue that answers by the real outbox; `going` holds the digests up, not the placeholders."""

    def __init__(self, memory: Memory, record: DigestRecord) -> None:
        self.memory = memory
        self.record = record
        self.outbox: Outbox | None = None
        self.coming = 0
        self.going = asyncio.Event()
        self.going.set()
        self.accepted: list[Delivery] = []
        self.withdrawn: list[str] = []
        self.errors: list[ChatFailed] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def enqueue(self, delivery: Delivery) -> None:
        self.accepted.append(delivery)
        self._start(self._answer(delivery.id))

    async def take_back(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.withdrawn.append(delivery.canonical)
            self._start(self._outbox.take_back(delivery.id))

    async def _answer(self, delivery_id: str) -> None:
        try:
            await self._patiently(delivery_id, Waiting())
            await self.going.wait()
            await self.memory.digests.add(self.record, content_hash="0")
            if await self._patiently(delivery_id, Ready(self.record)):
                await self.memory.deliveries.answered(delivery_id, self.record.id)
        except ChatFailed as error:
            self.errors.append(error)

    async def _patiently(self, delivery_id: str, shown: Waiting | Ready) -> bool:
        while True:
            try:
                return await self._outbox.show(delivery_id, shown)
            except ChatUnavailable:
                await asyncio.sleep(0.01)

    @property
    def _outbox(self) -> Outbox:
        assert self.outbox is not None
        return self.outbox

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Bot:
    def __init__(self, server: DiscordServer, memory: Memory, **changes: Any) -> None:
        self.server = server
        self.memory = memory
        folder: Path | None = changes.pop("folder", None)
        limits: LimitSettings = changes.pop("limits", LimitSettings())
        questions: int = changes.pop("questions", 60)
        self.queue = Answering(memory, changes.pop("record", a_record()))
        self.digester = Asked()
        self.receiver = Receiver(memory.deliveries, memory.profiles, self.queue, limits)
        self.commands = Commands(
            self.receiver,
            memory.digests,
            memory.deliveries,
            memory.profiles,
            self.digester,  # type: ignore[arg-type]  # of a digester only the questions are asked
            a_consulting(memory.library, memory.asked, per_hour=questions),
        )
        self.surface = DiscordSurface(
            settings_for(server, **changes),
            self.receiver,
            self.commands,
            seen=memory.deliveries,
            workspaces=memory.workspaces,
            folder=folder,
            guild_ready_timeout=0.05,
        )
        self.queue.outbox = Outbox(memory.deliveries, {"discord": self.surface.chat}, me="here")

    async def until_answered(self, count: int, seconds: float = 5.0) -> list[Delivery]:
        def answered() -> list[Delivery]:
            found = [d for d in self.memory.deliveries.kept.values() if d.state == "answered"]
            return found if len(found) >= count else []

        return await self.server.until(answered, timeout=seconds)

    async def until_idle(self) -> None:
        await self.server.until(lambda: not self.queue.tasks)

    async def set_profile(self, channel: Channel, **changes: Any) -> None:
        await self.memory.profiles.put(place_of(channel), ChannelProfile(**changes), by="test")

    async def digest_in(self, channel: Channel, person: User, words: str = LINK) -> Message:
        """Somebody shares a link; our answer, finished."""
        before = len(self.queue.accepted)
        shared = await self.server.say(channel, person, words)
        await self.server.until(lambda: len(self.queue.accepted) > before)
        await self.until_idle()
        thread = self.server.world.channels[shared.id]
        return self.server.by_bot(thread)[-1]


def place_of(channel: Channel) -> Place:
    assert channel.guild is not None
    return Place("discord", str(channel.guild.id), str(channel.id))


def settings_for(server: DiscordServer, **changes: Any) -> DiscordSettings:
    values = {"token": server.token, "api_url": server.api_url, "gateway_url": server.gateway_url}
    return DiscordSettings.model_validate(values | changes)


@asynccontextmanager
async def a_bot(
    server: DiscordServer, memory: Memory | None = None, **changes: Any
) -> AsyncIterator[Bot]:
    bot = Bot(server, memory or Memory(), **changes)
    await bot.surface.start()
    try:
        yield bot
    finally:
        for task in [*bot.queue.tasks]:
            task.cancel()
        await asyncio.gather(*bot.queue.tasks, return_exceptions=True)
        await bot.surface.close()
