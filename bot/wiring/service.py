"""What answers: the models, the web, the index, and what every surface is given of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.consulting import Consulting, consulting_over
from bot.figures import Figures, WatchedEngine
from bot.intake import Intake
from bot.librarian import Librarian
from bot.wiring.stores import Stores, data_dir, open_stores
from core.digesting import Digester
from core.engine.choose import open_engine
from core.ports import Digests, Encoder, Engine, Extract
from core.settings import Settings
from core.web.asking import FeedWeb
from core.web.extract import Extractor
from core.web.fetch import SafeWeb
from storage.asked_terms import SqlAskedTerms
from storage.library import SqlLibrary, library_over

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


@asynccontextmanager
async def open_service(
    settings: Settings, *, progress: Progress | None = None
) -> AsyncIterator[Service]:
    """The whole service, closed again at the end. `progress` hears how the model is prepared.

    Raises SettingsError (database), ModelNotReady and EngineFailed.
    """
    async with (
        open_stores(settings) as stores,
        opened(settings, stores, progress) as (service, librarian),
        librarian.at_work(),
    ):
        yield service


@asynccontextmanager
async def opened(
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


@asynccontextmanager
async def open_library(settings: Settings, *, anew: bool = False) -> AsyncIterator[SqlLibrary]:
    """The index with its encoder; `anew`: see library_over. Raises SettingsError, ModelNotReady and EngineFailed."""
    async with open_stores(settings) as stores:
        engine, encoder = await open_engine(settings.model, data_dir(settings))
        try:
            yield await library_over(stores.database, encoder, settings.retrieval, anew=anew)
        finally:
            await engine.close()
