"""A whole bot: the service, its share of the durable work, and the chats in which it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.chats import Chat, Surface
from bot.commands import Commands
from bot.daily import Daily
from bot.durable.store import WorkflowStore
from bot.durable.workflows import Workflows
from bot.figures import Figures, figures_of
from bot.librarian import Librarian
from bot.polling import Poller
from bot.presence import Presence, this_process
from bot.receiving import Receiver
from bot.schedule import Schedule
from bot.subscribing import Subscribing
from bot.wiring.mornings import a_daily, a_maker, a_subscribing
from bot.wiring.service import Progress, Service, opened
from bot.wiring.stores import Stores, data_dir, open_stores
from core.ports import Deliveries
from core.settings import Settings
from core.web.pages import KeptPages
from storage.database import workflow_database
from storage.retention import sweep

# A page lies between its fetching and its reading; longer than this only where a process died.
_PAGE_SECONDS = 3600.0


ChatMaker = Callable[[Settings, Stores, Receiver, Commands], Iterable[Surface]]


@dataclass(frozen=True)
class Bot:
    """A service that takes part in the durable work, with the chats in which it speaks."""

    service: Service
    workflows: Workflows
    presence: Presence
    surfaces: tuple[Surface, ...]
    keep_house: Callable[[], Awaitable[None]]
    daily: Daily
    schedule: Schedule
    subscribing: Subscribing
    poller: Poller
    librarian: Librarian
    deliveries: Deliveries


@asynccontextmanager
async def open_bot(
    settings: Settings,
    *,
    kind: Literal["bot", "worker"],
    progress: Progress | None = None,
    chats: ChatMaker | None = None,
) -> AsyncIterator[Bot]:
    """The service with its share of the durable work, which `bot.working.at_work` begins.

    A "bot" has a surface for each chat whose tokens are set, or those that `chats` makes; a
    "worker" has none. The librarian begins when the durable work has begun: on PostgreSQL that
    makes indexes concurrently, which wait for every transaction, and keeps this loop waiting.
    Raises what `open_service` raises.
    """
    async with (
        open_stores(settings) as stores,
        opened(settings, stores, progress, warm=kind == "bot") as (service, librarian),
    ):
        yield await _bot(settings, kind, stores, service, librarian, chats or _surfaces)


async def _bot(
    settings: Settings,
    kind: Literal["bot", "worker"],
    stores: Stores,
    service: Service,
    librarian: Librarian,
    make_surfaces: ChatMaker,
) -> Bot:
    folder = data_dir(settings)
    pages = KeptPages(folder / "pages", service.intake.web)
    maker = a_maker(settings, stores, service, pages)
    me = this_process(kind)
    store = WorkflowStore(await workflow_database(stores.database.url))
    chats: dict[str, Chat] = {}
    daily = a_daily(stores, service.digester, chats, me=me.id)
    workflows = Workflows(
        stores.deliveries, maker, chats, settings.queue, store=store, executor=me.id, daily=daily
    )
    schedule = Schedule(stores.subscriptions, stores.announcements, stores.feeds, daily, workflows)
    poller = Poller(stores.feeds, service.feed_web, me.id)
    subscribing = a_subscribing(settings, stores, service.feed_web)
    surfaces: tuple[Surface, ...] = ()
    if kind == "bot":
        figures = figures_of(service.engine) or Figures()
        receiver = Receiver(
            stores.deliveries,
            stores.profiles,
            workflows,
            settings.limits,
            limited=lambda limit: figures.limited.labels(limit).inc(),
        )
        commands = Commands(
            receiver,
            stores.digests,
            stores.deliveries,
            stores.profiles,
            service.digester,
            service.consulting,
        )
        commands.subscribing = subscribing
        surfaces = tuple(make_surfaces(settings, stores, receiver, commands))
    chats.update((surface.chat.platform, surface.chat) for surface in surfaces)

    async def keep_house() -> None:
        await sweep(stores.database, settings.retention)
        before = datetime.now(UTC) - timedelta(days=settings.retention.workflows)
        while await workflows.forget(before):
            pass
        await asyncio.to_thread(pages.clear, _PAGE_SECONDS)

    presence = Presence(
        me, stores.processes, stores.deliveries, workflows, lease=settings.queue.lease
    )
    return Bot(
        service,
        workflows,
        presence,
        surfaces,
        keep_house,
        daily,
        schedule,
        subscribing,
        poller,
        librarian,
        stores.deliveries,
    )


def _surfaces(
    settings: Settings, stores: Stores, receiver: Receiver, commands: Commands
) -> Iterator[Surface]:
    """Imported when they are wanted: each brings a client library of its own."""
    if settings.slack.bot_token or settings.slack.client_id:
        yield _slack(settings, stores, receiver, commands)
    if settings.discord.token:
        from bot.discord.surface import DiscordSurface

        yield DiscordSurface(
            settings.discord,
            receiver,
            commands,
            seen=stores.deliveries,
            workspaces=stores.workspaces,
            folder=data_dir(settings),
        )


def _slack(settings: Settings, stores: Stores, receiver: Receiver, commands: Commands) -> Surface:
    from bot.slack.surface import SlackSurface

    installations, states = stores.slack or (None, None)
    return SlackSurface(
        settings.slack,
        receiver,
        commands,
        seen=stores.deliveries,
        workspaces=stores.workspaces,
        installation_store=installations,
        state_store=states,
    )
