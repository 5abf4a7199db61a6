"""Everything put together: the one place that sees the core's edges and the storage at once."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import platformdirs
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.chats import Chat, Surface
from bot.commands import Commands
from bot.consulting import Consulting, consulting_over
from bot.daily import Daily
from bot.durable.store import WorkflowStore, erase_remembered
from bot.durable.workflows import Workflows
from bot.figures import Figures, WatchedEngine, figures_of
from bot.intake import Intake
from bot.librarian import Librarian
from bot.making import Maker
from bot.oneday import OneDay
from bot.polling import Poller
from bot.presence import Presence, this_process
from bot.receiving import Receiver
from bot.remembering import RememberedProfiles
from bot.schedule import Schedule
from bot.subscribing import Subscribing
from core.digesting import Digester
from core.engine.choose import open_engine
from core.engine.prepared import chosen_adapter, find, size_of
from core.places import Erased, Scope
from core.ports import (
    Announcements,
    Articles,
    Deliveries,
    Digests,
    Encoder,
    Engine,
    Erasing,
    Extract,
    Feeds,
    Processes,
    Profiles,
    Subscriptions,
    Workspaces,
)
from core.settings import ModelSettings, Settings
from core.web.asking import FeedWeb
from core.web.discovery import Discovery
from core.web.extract import Extractor
from core.web.fetch import SafeWeb
from core.web.pages import KeptPages
from storage.announcements import SqlAnnouncements
from storage.articles import SqlArticles
from storage.asked_terms import SqlAskedTerms
from storage.database import Version, database_url, look, open_database, workflow_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.erasing import SqlErasing
from storage.feeds import SqlFeeds
from storage.installations import forget_installation, open_installations
from storage.library import SqlLibrary, library_over
from storage.processes import SqlProcesses
from storage.profiles import SqlProfiles
from storage.retention import sweep
from storage.subscriptions import SqlSubscriptions
from storage.workspaces import SqlWorkspaces

APP = "smartdevdigest"

# A page lies between its fetching and its reading; longer than this only where a process died.
_PAGE_SECONDS = 3600.0

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Service:
    """What every surface is given."""

    intake: Intake
    digester: Digester
    digests: Digests
    settings: Settings
    engine: Engine
    consulting: Consulting
    feed_web: FeedWeb


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


@dataclass(frozen=True)
class Stores:
    """What is remembered besides digests."""

    database: AsyncEngine
    digests: Digests
    articles: Articles
    deliveries: Deliveries
    profiles: Profiles
    workspaces: Workspaces
    processes: Processes
    feeds: Feeds
    subscriptions: Subscriptions
    announcements: Announcements
    digest_added: asyncio.Event
    slack: tuple[AsyncInstallationStore, AsyncOAuthStateStore] | None = None


ChatMaker = Callable[[Settings, Stores, Receiver, Commands], Iterable[Surface]]


def data_dir(settings: Settings) -> Path:
    """Where the model and the database are kept."""
    return settings.data_dir or platformdirs.user_data_path(APP, appauthor=False)


@asynccontextmanager
async def open_service(
    settings: Settings, *, progress: Progress | None = None
) -> AsyncIterator[Service]:
    """The whole service, closed again at the end. `progress` hears how the model is prepared.

    Raises SettingsError (database), ModelNotReady and EngineFailed.
    """
    async with (
        _open_stores(settings) as stores,
        _open(settings, stores, progress) as (service, librarian),
        librarian.at_work(),
    ):
        yield service


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
        _open_stores(settings) as stores,
        _open(settings, stores, progress, warm=kind == "bot") as (service, librarian),
    ):
        yield await _bot(settings, kind, stores, service, librarian, chats or _surfaces)


@asynccontextmanager
async def _open_stores(settings: Settings) -> AsyncIterator[Stores]:
    url = database_url(settings.database.url, data_dir(settings))
    client = settings.slack.client_id
    added = asyncio.Event()
    async with open_database(url) as database:
        yield Stores(
            database,
            SqlDigests(database, added=added.set),
            SqlArticles(database),
            SqlDeliveries(database),
            RememberedProfiles(SqlProfiles(database)),
            SqlWorkspaces(database),
            SqlProcesses(database),
            SqlFeeds(database),
            SqlSubscriptions(database),
            SqlAnnouncements(database),
            added,
            None if client is None else await open_installations(database, client),
        )


@asynccontextmanager
async def _open(
    settings: Settings, stores: Stores, progress: Progress | None, *, warm: bool = False
) -> AsyncIterator[tuple[Service, Librarian]]:
    """The librarian is at work only once the caller says so."""
    async with AsyncExitStack() as stack:
        engine: Engine
        encoder: Encoder
        opened, encoder = await open_engine(settings.model, data_dir(settings), progress)
        engine = WatchedEngine(opened, Figures())
        stack.push_async_callback(engine.close)
        web = SafeWeb(settings.web)
        stack.push_async_callback(web.close)
        extract: Extract = Extractor(settings.web)
        digester = Digester(engine, encoder, settings.digest, settings.generation)
        intake = Intake(web, extract, digester, stores.digests, stores.articles)
        library = await library_over(stores.database, encoder, settings.retrieval)
        consulting = consulting_over(
            library, stores.digests, engine, encoder, SqlAskedTerms(stores.database)
        )
        librarian = Librarian(
            library.shelving.catch_up, library.refresh, stores.digest_added, warm=warm
        )
        service = Service(intake, digester, stores.digests, settings, engine, consulting, web)
        yield service, librarian


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
    maker = _maker(settings, stores, service, pages)
    me = this_process(kind)
    store = WorkflowStore(await workflow_database(stores.database.url))
    chats: dict[str, Chat] = {}
    daily = _daily(stores, service.digester, chats, me=me.id)
    workflows = Workflows(
        stores.deliveries, maker, chats, settings.queue, store=store, executor=me.id, daily=daily
    )
    schedule = Schedule(stores.subscriptions, stores.announcements, stores.feeds, daily, workflows)
    poller = Poller(stores.feeds, service.feed_web, me.id)
    subscribing = _subscribing(settings, stores, service.feed_web)
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


def _maker(settings: Settings, stores: Stores, service: Service, pages: KeptPages) -> Maker:
    return Maker(
        pages,
        service.intake.extract,
        service.digester,
        stores.articles,
        stores.digests,
        reuse=timedelta(minutes=settings.queue.reuse_minutes),
        figures=figures_of(service.engine),
    )


@asynccontextmanager
async def open_subscribing(settings: Settings) -> AsyncIterator[Subscribing]:
    """What needs no model. Raises SettingsError where the database cannot be used."""
    async with _open_stores(settings) as stores:
        web = SafeWeb(settings.web)
        try:
            yield _subscribing(settings, stores, web)
        finally:
            await web.close()


@asynccontextmanager
async def open_day(
    settings: Settings, *, progress: Progress | None = None
) -> AsyncIterator[OneDay]:
    """A morning made at once. Raises what `open_service` raises."""
    async with (
        _open_stores(settings) as stores,
        _open(settings, stores, progress) as (service, librarian),
        librarian.at_work(),
    ):
        me = this_process("bot").id
        pages = KeptPages(data_dir(settings) / "pages", service.intake.web)
        yield OneDay(
            _subscribing(settings, stores, service.feed_web),
            _daily(stores, service.digester, {}, me=me),
            Poller(stores.feeds, service.feed_web, me),
            _maker(settings, stores, service, pages),
        )


def _subscribing(settings: Settings, stores: Stores, web: FeedWeb) -> Subscribing:
    return Subscribing(
        stores.subscriptions,
        stores.announcements,
        stores.feeds,
        Discovery(web),
        public_url=settings.http.public_url,
    )


def _daily(stores: Stores, digester: Digester, chats: Mapping[str, Chat], *, me: str) -> Daily:
    return Daily(
        stores.subscriptions,
        stores.announcements,
        stores.feeds,
        stores.deliveries,
        stores.digests,
        stores.articles,
        digester,
        chats,
        me=me,
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


@asynccontextmanager
async def open_library(settings: Settings, *, anew: bool = False) -> AsyncIterator[SqlLibrary]:
    """The index with its encoder; `anew`: see library_over. Raises SettingsError, ModelNotReady and EngineFailed."""
    async with _open_stores(settings) as stores:
        engine, encoder = await open_engine(settings.model, data_dir(settings))
        try:
            yield await library_over(stores.database, encoder, settings.retrieval, anew=anew)
        finally:
            await engine.close()


@asynccontextmanager
async def open_erasing(settings: Settings) -> AsyncIterator[Erasing]:
    """Raises SettingsError where the database cannot be used."""
    url = database_url(settings.database.url, data_dir(settings))
    async with open_database(url) as database:
        yield _Everywhere(database, WorkflowStore(await workflow_database(url)))


class _Everywhere:
    """Erases in our tables, in what workflows remember, and in Slack's installations."""

    def __init__(self, database: AsyncEngine, workflows: WorkflowStore) -> None:
        self._database = database
        self._workflows = workflows
        self._rows = SqlErasing(database)

    async def look(self, scope: Scope) -> Erased:
        return await self._rows.look(scope)

    async def erase(self, scope: Scope) -> Erased:
        # Workflows first: once our rows are gone nothing tells any more whose they were.
        found = await self._rows.look(scope)
        await asyncio.to_thread(erase_remembered, self._workflows, found.deliveries)
        if scope.platform == "slack" and not scope.channel and not scope.user:
            await forget_installation(self._database, scope.workspace)
        return await self._rows.erase(scope)


async def database_state(url: str | None, folder: Path) -> tuple[str, Version | None]:
    """The database's address without its password, and its version; see `storage.database.look`."""
    parsed = database_url(url, folder)
    return parsed.render_as_string(hide_password=True), await look(parsed)


@dataclass(frozen=True)
class ModelState:
    """`none`: the engine needs no model; `served`: servers have it; `hub`: it is loaded by its id."""

    kind: Literal["none", "served", "hub", "missing", "prepared"]
    size: int = 0


def model_state(settings: ModelSettings, folder: Path) -> ModelState:
    """Looks only; every byte of a prepared model is checked."""
    if settings.engine == "echo":
        return ModelState("none")
    if settings.engine == "openai":
        return ModelState("served")
    if settings.engine == "gptq":
        return _checkpoint_state(settings.folder)
    models = find(folder, chosen_adapter(settings.adapter if settings.folder is None else None))
    own = settings.folder
    if models is None or (own and not any(own.glob("**/model.bin"))):
        return ModelState("missing")
    return ModelState("prepared", size_of(models) + (_size(own) if own else 0))


def _checkpoint_state(folder: Path | None) -> ModelState:
    if folder is None:
        return ModelState("missing")
    if (folder / "config.json").is_file():
        return ModelState("prepared", _size(folder))
    # "organisation/name" is an id on a hub; anything else would be a folder that is not there.
    is_id = not folder.is_absolute() and len(folder.parts) == 2 and not folder.exists()
    return ModelState("hub" if is_id else "missing")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
