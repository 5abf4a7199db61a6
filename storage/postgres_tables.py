"""The tables of the index in PostgreSQL (`postgres_index`), made when the settings ask for it.

Not by a migration, for they need the extension pgvector and nobody else does. What stands in them
is made of the table `library` and can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import UserDefinedType

from core.errors import SettingsError
from storage.trouble import writing

_LOCK = 0x5D0D16E7  # PostgreSQL's advisory lock of whoever writes here
_OLDEST = (0, 8)  # pgvector's first version that searches on where a filter left out too many
_METADATA = MetaData()


class HalfVector(UserDefinedType[Any]):
    """A vector of pgvector with two bytes a number."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "halfvec"


# `words`, `titles` (those of the title) and `sounds`: numbers of words, each once; `length` and
# `title_length` count repetitions. `direction`: the mean vector, NULL where there is none.
SEARCH = Table(
    "library_search",
    _METADATA,
    Column("digest_id", String(64), primary_key=True),
    Column("seq", BigInteger),
    Column("words", ARRAY(Integer)),
    Column("titles", ARRAY(Integer)),
    Column("sounds", ARRAY(Integer)),
    Column("length", Integer),
    Column("title_length", Integer),
    Column("direction", HalfVector),
)
# In how many documents a word stands, as counted last.
WORDS = Table(
    "library_words",
    _METADATA,
    Column("word", Integer, primary_key=True),
    Column("words", Integer),
    Column("titles", Integer),
    Column("sounds", Integer),
)
# One row: what was counted beside.
TOTALS = Table(
    "library_totals",
    _METADATA,
    Column("documents", Integer),
    Column("length", Float(53)),
    Column("title_length", Float(53)),
)

_MADE = """
CREATE TABLE IF NOT EXISTS library_search (
  digest_id varchar(64) PRIMARY KEY REFERENCES library (digest_id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  words integer[] NOT NULL, titles integer[] NOT NULL, sounds integer[] NOT NULL,
  length integer NOT NULL, title_length integer NOT NULL,
  direction halfvec({width}));
CREATE INDEX IF NOT EXISTS ix_library_search_seq ON library_search (seq);
CREATE INDEX IF NOT EXISTS ix_library_search_words ON library_search USING gin (words);
CREATE INDEX IF NOT EXISTS ix_library_search_sounds ON library_search USING gin (sounds);
CREATE TABLE IF NOT EXISTS library_words (
  word integer PRIMARY KEY, words integer NOT NULL, titles integer NOT NULL,
  sounds integer NOT NULL);
CREATE TABLE IF NOT EXISTS library_totals (
  documents integer NOT NULL, length float8 NOT NULL, title_length float8 NOT NULL)
"""

_COUNTED = """
DELETE FROM library_words;
DELETE FROM library_totals;
INSERT INTO library_words
  SELECT word, count(*) FILTER (WHERE kind = 0), count(*) FILTER (WHERE kind = 1),
    count(*) FILTER (WHERE kind = 2)
  FROM (SELECT unnest(words) AS word, 0 AS kind FROM library_search
    UNION ALL SELECT unnest(titles), 1 FROM library_search
    UNION ALL SELECT unnest(sounds), 2 FROM library_search) AS every
  GROUP BY word;
INSERT INTO library_totals
  SELECT count(*), coalesce(avg(length), 0), coalesce(avg(title_length), 0) FROM library_search
"""


_NEAR = """
SET LOCAL maintenance_work_mem = '256MB';
CREATE INDEX ix_library_search_near
  ON library_search USING hnsw (direction halfvec_cosine_ops)
"""


async def make_tables(engine: AsyncEngine, width: int, *, anew: bool) -> None:
    """`width`: how many numbers the encoder's vectors have. Tables for another one are left alone
    unless they may be made anew: processes with two encoders would take them from each other.
    Raises SettingsError, StorageUnavailable."""
    if engine.dialect.name != "postgresql":
        raise _unusable("the database is not PostgreSQL; set database.url, or index: memory")
    async with writing(engine) as connection:
        await lock(connection)
        await _extend(connection)
        known = text(
            "SELECT atttypmod FROM pg_attribute"
            " WHERE attrelid = to_regclass('library_search') AND attname = 'direction'"
        )
        other = (await connection.execute(known)).scalar_one_or_none()
        if other not in (None, width):
            if not anew:
                raise _unusable(
                    f"the index is of an encoder with {other} numbers a vector, this one has"
                    f" {width}; give every process the same model, or run smartdevdigest index rebuild"
                )
            await connection.execute(text("DROP TABLE library_search"))
        await _each(connection, _MADE.format(width=width))


async def lock(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else fills, counts or makes the tables."""
    await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def count_words(connection: AsyncConnection) -> None:
    await _each(connection, _COUNTED)


async def index_directions(connection: AsyncConnection) -> None:
    """Once there are many at once: to put them into it one by one takes several times as long."""
    known = text("SELECT to_regclass('ix_library_search_near') IS NULL")
    if (await connection.execute(known)).scalar_one():
        await _each(connection, _NEAR)


def signed(terms: NDArray[Any] | Iterable[int]) -> list[int]:
    """Numbers of words as the database's integers, which have a sign."""
    return [int(term) - (1 << 32 if term >= 1 << 31 else 0) for term in terms]


def unsigned(word: int) -> int:
    return word % (1 << 32)


async def _extend(connection: AsyncConnection) -> None:
    installed = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    version = (await connection.execute(installed)).scalar_one_or_none()
    if version is None:
        offered = text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        version = (await connection.execute(offered)).scalar_one_or_none()
        if version is None:
            raise _unusable("this PostgreSQL has no pgvector; install it on the server")
        try:
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except ProgrammingError as error:
            raise _unusable("ask your administrator for CREATE EXTENSION vector") from error
    if tuple(int(part) for part in str(version).split(".")[:2]) < _OLDEST:
        raise _unusable(f"pgvector is {version}; it has to be 0.8 or newer")


async def _each(connection: AsyncConnection, statements: str) -> None:
    for statement in statements.split(";"):
        await connection.execute(text(statement))


def _unusable(reason: str) -> SettingsError:
    return SettingsError([f"retrieval.index: postgresql: {reason}"])
