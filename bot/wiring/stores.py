"""What is remembered: the database, and everything that is kept in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.durable.store import WorkflowStore, erase_remembered
from bot.remembering import RememberedProfiles
from core.places import Erased, Scope
from core.ports import (
    Announcements,
    Articles,
    Deliveries,
    Digests,
    Erasing,
    Feeds,
    Processes,
    Profiles,
    Subscriptions,
    Workspaces,
)
from core.settings import Settings
from storage.announcements import SqlAnnouncements
from storage.articles import SqlArticles
from storage.database import Version, database_url, look, open_database, workflow_database
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.erasing import SqlErasing
from storage.feeds import SqlFeeds
from storage.installations import forget_installation, open_installations
from storage.processes import SqlProcesses
from storage.profiles import SqlProfiles
from storage.subscriptions import SqlSubscriptions
from storage.workspaces import SqlWorkspaces

APP = "smartdevdigest"


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


def data_dir(settings: Settings) -> Path:
    """Where the model and the database are kept."""
    return settings.data_dir or platformdirs.user_data_path(APP, appauthor=False)


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
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
