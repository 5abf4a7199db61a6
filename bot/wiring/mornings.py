"""What the daily digests need, with a model and without."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.chats import Chat
from bot.daily import Daily
from bot.figures import figures_of
from bot.making import Maker
from bot.oneday import OneDay
from bot.polling import Poller
from bot.presence import this_process
from bot.subscribing import Subscribing
from bot.wiring.service import Progress, Service, opened
from bot.wiring.stores import Stores, data_dir, open_stores
from core.digesting import Digester
from core.settings import Settings
from core.web.asking import FeedWeb
from core.web.discovery import Discovery
from core.web.fetch import SafeWeb
from core.web.pages import KeptPages


@asynccontextmanager
async def open_subscribing(settings: Settings) -> AsyncIterator[Subscribing]:
    """What needs no model. Raises SettingsError where the database cannot be used."""
    async with open_stores(settings) as stores:
        web = SafeWeb(settings.web)
        try:
            yield a_subscribing(settings, stores, web)
        finally:
            await web.close()


@asynccontextmanager
async def open_day(
    settings: Settings, *, progress: Progress | None = None
) -> AsyncIterator[OneDay]:
    """A morning made at once. Raises what `open_service` raises."""
    async with (
        open_stores(settings) as stores,
        opened(settings, stores, progress) as (service, librarian),
        librarian.at_work(),
    ):
        me = this_process("bot").id
        pages = KeptPages(data_dir(settings) / "pages", service.intake.web)
        yield OneDay(
            a_subscribing(settings, stores, service.feed_web),
            a_daily(stores, service.digester, {}, me=me),
            Poller(stores.feeds, service.feed_web, me),
            a_maker(settings, stores, service, pages),
        )


def a_subscribing(settings: Settings, stores: Stores, web: FeedWeb) -> Subscribing:
    return Subscribing(
        stores.subscriptions,
        stores.announcements,
        stores.feeds,
        Discovery(web),
        public_url=settings.http.public_url,
    )


def a_daily(stores: Stores, digester: Digester, chats: Mapping[str, Chat], *, me: str) -> Daily:
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


def a_maker(settings: Settings, stores: Stores, service: Service, pages: KeptPages) -> Maker:
    return Maker(
        pages,
        service.intake.extract,
        service.digester,
        stores.articles,
        stores.digests,
        reuse=timedelta(minutes=settings.queue.reuse_minutes),
        figures=figures_of(service.engine),
    )
