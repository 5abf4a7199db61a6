"""The database: opened, brought up to the code's version, closed.

SQLite in the data folder unless a URL names another. Migrations run at every start, in one
transaction and under a lock, so that several processes may start at once and a killed one
leaves nothing half done. A database of a newer version is refused and left as it is.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.errors import SettingsError

FILE_NAME = "smartdevdigest.sqlite3"
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",  # how several hosts of databases write it
}
BUSY_SECONDS = 10
CONNECT_SECONDS = 5
POOL_SECONDS = 10
MIGRATION_LOCK = 0x5D0D16E5  # any number, the same in every process; PostgreSQL's advisory lock


@dataclass(frozen=True)
class Version:
    """`current` is None for an empty database; `known` is False when newer code made it."""

    current: str | None
    newest: str
    known: bool = True


def database_url(url: str | None, data_dir: Path) -> URL:
    """The URL to open. A plain `sqlite:` or `postgresql:` means the driver we use for it."""
    if not url:
        return URL.create("sqlite+aiosqlite", database=str(data_dir / FILE_NAME))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(["database.url: not a database address"]) from error
    return parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for another kind, or one in memory."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


async def workflow_database(url: URL) -> str:
    """Where the engine of the workflows keeps its own tables, as the address it takes.

    In PostgreSQL the same database (it has a schema there). Beside an SQLite file a second one:
    there may be one writer to a file, and neither shall wait for the other.
    """
    file = sqlite_file(url)
    if file is None:
        known = url.set(drivername=DRIVERS.get(url.get_backend_name(), url.drivername))
        return known.render_as_string(hide_password=False)
    own = file.with_name(f"{file.stem}-workflows{file.suffix}")
    engine = create(url.set(database=str(own)))
    try:
        await _write_ahead(engine)
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(engine.url, error) from error
    finally:
        await engine.dispose()
    return URL.create("sqlite", database=str(own)).render_as_string()


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[AsyncEngine]:
    """The database, migrated. Raises SettingsError where it cannot be used."""
    engine = create(url)
    try:
        try:
            if (file := sqlite_file(url)) is not None:
                await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
            await migrate(engine)
        except (SQLAlchemyError, OSError) as error:
            raise _unusable(url, error) from error
        yield engine
    finally:
        await engine.dispose()


def create(url: URL) -> AsyncEngine:
    shown = url.render_as_string(hide_password=True)
    options: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        # A server that was away and is back finds us with connections of before.
        options = {"pool_pre_ping": True, "pool_timeout": POOL_SECONDS}
    if url.drivername == DRIVERS["postgresql"]:
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_async_engine(url, **options)
    except ModuleNotFoundError as error:
        raise SettingsError([f"database {shown}: the package {error.name} is missing"]) from error
    except (InvalidRequestError, ArgumentError) as error:
        raise SettingsError(
            [f"database {shown}: not an async driver; use sqlite+aiosqlite or postgresql+psycopg"]
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine.sync_engine)
    return engine


def plain_engine(url: URL) -> Engine:
    """For SQLite: the same database without a loop, for threads."""
    engine = create_engine(url.set(drivername="sqlite"))
    _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        # The driver would begin transactions by its own rules, too late for DDL; we begin them.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # A commit is a promise to somebody: with NORMAL the last ones may be lost when the power
        # goes, because only checkpoints would wait for the disk.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


async def migrate(engine: AsyncEngine, target: str = "head") -> None:
    """To the code's version, or for tests to `target` ("base": everything away)."""
    async with engine.connect() as plain:
        # Who comes second waits here and then finds nothing left to do.
        connection = await plain.execution_options(begin="EXCLUSIVE")
        async with connection.begin():
            if engine.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            await connection.run_sync(_migrate, target)
    if engine.dialect.name == "sqlite":
        await _write_ahead(engine)


async def _write_ahead(engine: AsyncEngine) -> None:
    """Readers and a writer side by side. Kept in the file, and only ever set in one of ours."""
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[union-attr]


async def look(url: URL) -> Version | None:
    """The version of a database, changing nothing; None where there is none yet.

    Raises SettingsError where it cannot be used.
    """
    file = sqlite_file(url)
    if file is not None and not await asyncio.to_thread(file.exists):
        return None
    engine = create(url)
    try:
        found = await version(engine)
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(url, error) from error
    finally:
        await engine.dispose()
    if not found.known:
        raise _newer(url, found)
    return found


async def version(engine: AsyncEngine) -> Version:
    async with engine.connect() as connection:
        return await connection.run_sync(_version)


def _migrate(connection: Connection, target: str) -> None:
    found = _version(connection)
    if not found.known:
        raise _newer(connection.engine.url, found)
    config = _alembic()
    config.attributes["connection"] = connection
    if target != "head":
        command.downgrade(config, target)
    elif found.current != found.newest:
        command.upgrade(config, "head")


def _version(connection: Connection) -> Version:
    known = _known()
    current = MigrationContext.configure(connection).get_current_revision()
    return Version(current, known[0], current is None or current in known)


@functools.cache
def _known() -> tuple[str, ...]:
    """The versions of the code, the newest first; each is a file that has to be loaded."""
    script = ScriptDirectory.from_config(_alembic())
    return tuple(revision.revision for revision in script.walk_revisions())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _newer(url: URL, found: Version) -> SettingsError:
    return SettingsError(
        [
            f"database {url.render_as_string(hide_password=True)}: made by a newer SmartDevDigest "
            f"(its version {found.current}, ours {found.newest}); "
            "update, or name another database.url"
        ]
    )


def _unusable(url: URL, error: Exception) -> SettingsError:
    shown = url.render_as_string(hide_password=True)
    return SettingsError([f"database {shown}: cannot be used ({_first_line(error)})"])


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
