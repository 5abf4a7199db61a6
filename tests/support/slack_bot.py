"""A Slack surface with everything behind it in memory: links become digests at once.

    async with slack_server() as slack, a_bot(slack) as bot:
        ts = await slack.say(slack.channel("C1"), user="U1", text="<https://a.example/post>")
        await slack.until(lambda: bot.digests_in(channel, ts))

The outbox between the surface and its deliveries is the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import SecretStr
from support.builders import a_record
from support.consulting import FakeAskedTerms, a_consulting
from support.fakes import FakeDeliveries, FakeDigests, FakeProfiles, FakeWorkspaces
from support.little_library import LittleLibrary
from support.slack_server import SlackServer
from support.slack_world import Channel, Message

from bot.chats import Chat, Ready, Trouble, Waiting
from bot.commands import Commands
from bot.delivering import Outbox
from bot.receiving import Receiver
from bot.slack.permissions import SCOPES
from bot.slack.surface import SlackSurface
from core.digest import DigestRecord
from core.digesting import Digester
from core.errors import ChatFailed, ChatUnavailable, DigestError, EngineFailed, StorageUnavailable
from core.places import Delivery, Mode, Place, SharedLink
from core.settings import LimitSettings, SlackSettings


class TroubledDeliveries(FakeDeliveries):
    """The database is away while `away` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    async def accept(self, shared: SharedLink) -> tuple[Delivery, bool]:
        if self.away:
            raise StorageUnavailable("database")
        return await super().accept(shared)


@dataclass
class Work:
    """The queue, and what a workflow does: a placeholder, a digest, an answer. `hold` stops it
    between the two; `failing` links have no digest."""

    deliveries: FakeDeliveries
    digests: FakeDigests
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    failing: dict[str, DigestError] = field(default_factory=dict)
    refused: list[ChatFailed] = field(default_factory=list)
    queued: list[Delivery] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)
    outbox: Outbox | None = None
    coming: int = 0

    async def enqueue(self, delivery: Delivery) -> None:
        self.queued.append(delivery)
        self._start(self._answer(delivery))

    async def take_back(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            assert self.outbox is not None
            self._start(self.outbox.take_back(delivery.id))

    async def end(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ChatFailed):
            self.refused.append(error)
        elif error is not None:
            raise error

    async def _answer(self, delivery: Delivery) -> None:
        await self._show(delivery, Waiting())
        await self.hold.wait()
        trouble = self.failing.get(delivery.shared.link)
        if trouble is not None:
            await self._show(delivery, Trouble(trouble))
            await self.deliveries.failed(delivery.id, trouble.code)
            return
        record = a_digest_of(delivery.shared)
        await self.digests.add(record, content_hash=record.id)
        if await self._show(delivery, Ready(record)):
            await self.deliveries.answered(delivery.id, record.id)

    async def _show(self, delivery: Delivery, shown: Any) -> bool:
        assert self.outbox is not None
        while True:
            try:
                return await self.outbox.show(delivery.id, shown)
            except ChatUnavailable as error:
                await asyncio.sleep(error.retry_after or 0.05)


def a_digest_of(shared: SharedLink) -> DigestRecord:
    record = a_record()
    article = record.article.model_copy(update={"url": shared.link})
    language = "en" if shared.language == "auto" else shared.language
    details = record.details.model_copy(update={"language": language})
    changes = {"id": shared.key[:24], "article": article, "details": details}
    return record.model_copy(update=changes)


class Questioner:
    """Stands for the model: five questions, or trouble."""

    def __init__(self) -> None:
        self.trouble: EngineFailed | None = None
        self.asked: list[str] = []

    async def questions(self, record: DigestRecord) -> tuple[str, ...]:
        self.asked.append(record.id)
        if self.trouble is not None:
            raise self.trouble
        return tuple(f"What is question {number} about?" for number in range(1, 6))


class KeptQuestions(FakeDigests):
    async def add_questions(self, digest_id: str, questions: Sequence[str]) -> None:
        known = self.records[digest_id]
        details = known.details.model_copy(update={"questions": tuple(questions)})
        self.records[digest_id] = known.model_copy(update={"details": details})


@dataclass
class SlackBot:
    surface: SlackSurface
    deliveries: TroubledDeliveries
    digests: FakeDigests
    profiles: FakeProfiles
    workspaces: FakeWorkspaces
    work: Work
    questioner: Questioner
    library: LittleLibrary
    asked: FakeAskedTerms

    @property
    def chat(self) -> Chat:
        return self.surface.chat

    @property
    def accepted(self) -> list[str]:
        return [delivery.shared.link for delivery in self.deliveries.kept.values()]

    async def set_mode(self, channel: Channel, mode: Mode) -> None:
        place = Place("slack", channel.team, channel.id)
        profile = await self.profiles.get(place)
        changed = type(profile)(mode, profile.language, profile.ui)
        await self.profiles.put(place, changed, by="test")


def slack_settings(slack: SlackServer, **changes: Any) -> SlackSettings:
    given: dict[str, Any] = {
        "bot_token": SecretStr(slack.bot_token),
        "app_token": SecretStr(slack.app_token),
        "signing_secret": SecretStr(slack.signing_secret),
        "api_url": slack.api_url,
        "ping_interval": 1.0,
        "messages_per_second": 200.0,
    }
    return SlackSettings(**(given | changes))


def build_bot(
    slack: SlackServer,
    *,
    limits: LimitSettings | None = None,
    questions: int = 60,
    installation_store: Any = None,
    state_store: Any = None,
    **changes: Any,
) -> SlackBot:
    deliveries, digests = TroubledDeliveries(), KeptQuestions()
    profiles, workspaces = FakeProfiles(), FakeWorkspaces()
    work = Work(deliveries, digests)
    work.hold.set()
    receiver = Receiver(deliveries, profiles, work, limits or LimitSettings())
    questioner = Questioner()
    library, asked = LittleLibrary(digests), FakeAskedTerms()
    commands = Commands(
        receiver,
        cast("Any", digests),
        deliveries,
        profiles,
        cast("Digester", questioner),
        a_consulting(library, asked, per_hour=questions),
    )
    surface = SlackSurface(
        slack_settings(slack, **changes),
        receiver,
        commands,
        seen=deliveries,
        workspaces=workspaces,
        installation_store=installation_store,
        state_store=state_store,
    )
    work.outbox = Outbox(deliveries, {"slack": surface.chat}, me="here")
    surface._desk.people.patience = 1.0  # this machine may be slower than Slack
    return SlackBot(
        surface, deliveries, digests, profiles, workspaces, work, questioner, library, asked
    )


@asynccontextmanager
async def a_bot(slack: SlackServer, **given: Any) -> AsyncIterator[SlackBot]:
    """Started, and closed at the end. Slack's own pacing is off unless a test sets it again. The
    app has no scope that `config/slack-manifest.yaml` does not ask for."""
    slack.pacing = None
    slack.team.scopes &= {*SCOPES}
    bot = build_bot(slack, **given)
    await bot.surface.start()
    try:
        yield bot
    finally:
        await bot.work.end()
        await bot.surface.close()


def digests_in(slack: SlackServer, channel: Channel, ts: str) -> list[Message]:
    """The bot's answers in a thread that are digests: they have a button for terms."""
    return [one for one in slack.answers(channel, ts) if has_button(one, "sdd:terms")]


async def quiet(slack: SlackServer, bot: SlackBot) -> None:
    """Everything that was said is dealt with."""
    await slack.settled()
    await slack.until(lambda: not bot.work.running)
    await bot.surface.listener.errands.finish(5)


def has_button(message: Message, action_id: str) -> bool:
    elements = [one for block in message.blocks for one in block.get("elements", [])]
    return any(one.get("action_id") == action_id for one in elements)
