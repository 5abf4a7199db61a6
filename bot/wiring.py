"""Everything put together: the one place that sees the core's edges and the storage at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from bot.intake import Intake
from core.digesting import Digester
from core.engine.choose import open_engine
from core.engine.prepared import find, size_of
from core.ports import Digests, Encoder, Engine, Extract, Web
from core.settings import ModelSettings, Settings
from core.web.extract import Extractor
from core.web.fetch import SafeWeb
from storage.database import Version, database_url, look, open_database
from storage.digests import SqlDigests

APP = "smartdevdigest"

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Service:
    """What every surface is given."""

    intake: Intake
    digester: Digester
    digests: Digests
    settings: Settings
    engine: Engine


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
    folder = data_dir(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(database_url(settings.database.url, folder))
        )
        engine: Engine
        encoder: Encoder
        engine, encoder = await open_engine(settings.model, folder, progress)
        stack.push_async_callback(engine.close)
        web: Web = SafeWeb(settings.web)
        stack.push_async_callback(web.close)
        extract: Extract = Extractor(settings.web)
        digests: Digests = SqlDigests(database)
        digester = Digester(engine, encoder, settings.digest, settings.generation)
        yield Service(Intake(web, extract, digester, digests), digester, digests, settings, engine)


async def database_state(url: str | None, folder: Path) -> tuple[str, Version | None]:
    """The database's address without its password, and its version; see `storage.database.look`."""
    parsed = database_url(url, folder)
    return parsed.render_as_string(hide_password=True), await look(parsed)


@dataclass(frozen=True)
class ModelState:
    """`none`: the engine needs no model; `unknown`: there is no such engine here."""

    kind: Literal["none", "unknown", "missing", "prepared"]
    size: int = 0


def model_state(settings: ModelSettings, folder: Path) -> ModelState:
    """Looks only; every byte of a prepared model is checked."""
    if settings.engine == "echo":
        return ModelState("none")
    if settings.engine != "ctranslate2":
        return ModelState("unknown")
    models = find(folder, settings.adapter if settings.folder is None else None)
    own = settings.folder
    if models is None or (own and not any(own.glob("**/model.bin"))):
        return ModelState("missing")
    return ModelState("prepared", size_of(models) + (_size(own) if own else 0))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
