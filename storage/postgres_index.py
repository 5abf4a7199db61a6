"""Candidates from PostgreSQL itself, for those who have several processes on one server.

The database gives some hundred documents that have the rarest words asked for or are nearest in
meaning, within reach and filters. Their heads are then scored by the code that scores all of them
in memory, with words counted over the whole table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Row,
    Select,
    String,
    any_,
    bindparam,
    case,
    cast,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.library import Channels, Filters
from core.ports import Encoder, Vectors
from core.retrieval.document import read_head
from core.retrieval.excerpt import Excerpt, Statistics
from core.retrieval.index import Index
from core.retrieval.searching import Candidate, Heads, Question
from core.settings import RetrievalSettings
from storage.finder import FACTS, Asked, conditions, facts_of
from storage.postgres_filling import Filling, vector_text
from storage.postgres_tables import (
    SEARCH,
    TOTALS,
    WORDS,
    HalfVector,
    make_tables,
    signed,
    unsigned,
)
from storage.reaches import ALL_SHARED
from storage.tables import LibraryRow
from storage.trouble import reading

# Documents by each vector, and as many by words: 200 found no more of the same ones than 100
# (tests/benchmarks/bench_postgres_index.py).
_NEAREST = 100
_WORDS = 6  # the rarest of a question are asked for
_ROWS = 3_000  # in so many documents they may stand together
_KINDS = ("words", "title_words", "sounds")


async def open_postgres_index(
    engine: AsyncEngine, encoder: Encoder, settings: RetrievalSettings, *, anew: bool = False
) -> PostgresIndex:
    """`anew`: it may be of an encoder with other vectors, and is emptied then. Raises
    SettingsError where the database cannot have it, StorageUnavailable, EngineFailed."""
    width = (await encoder.embed(["width"])).shape[1]
    await make_tables(engine, width, anew=anew)
    return PostgresIndex(engine, settings, width)


@dataclass(frozen=True, slots=True)
class _Within:
    """What may be found: `conditions` on LibraryRow, with their parameters. `listed`: all of it
    is known one by one."""

    conditions: Sequence[ColumnElement[bool]]
    given: Mapping[str, object]
    listed: bool

    @classmethod
    def of(cls, asked: Asked) -> _Within:
        found = [] if asked.filters == Filters() else conditions(asked.filters)
        if asked.few is not None:
            few = literal(sorted(asked.few), ARRAY(String))
            return cls([*found, LibraryRow.digest_id == any_(few)], {}, True)
        if not isinstance(asked.reach, Channels):
            return cls(found, {}, False)
        given = {
            "platform": asked.reach.platform,
            "workspace": asked.reach.workspace,
            "channels": sorted(asked.reach.channels),
        }
        return cls([*found, LibraryRow.digest_id.in_(ALL_SHARED)], given, False)


class PostgresIndex:
    def __init__(self, engine: AsyncEngine, settings: RetrievalSettings, width: int) -> None:
        self._engine = engine
        self._settings = settings
        self._filling = Filling(engine, width)

    async def refresh(self) -> None:
        await self._filling.refresh()

    async def forget(self, digest_ids: Collection[str]) -> None:
        """They went with their rows."""

    async def candidates(self, asked: Asked) -> tuple[Index, list[Candidate]]:
        question, within = await asked.embedding, _Within.of(asked)
        wanted = max(self._settings.candidates, asked.least)
        async with reading(self._engine) as connection:
            statistics = await _statistics(connection, question)
            index = Excerpt(statistics)
            keys = await _by_words(connection, index, question, within)
            keys |= await _by_meaning(connection, question.vectors, within)
            rows = (await connection.execute(_HEADS, {"ids": list(keys)})).all()
            found = await asyncio.to_thread(_best, index, rows, question, self._settings, wanted)
            titles = {term for one in found for term in one.title}
            index.inform("words", (await _counted(connection, titles))["words"])
        return index, found


async def _statistics(connection: AsyncConnection, question: Question) -> Statistics:
    totals = (await connection.execute(select(TOTALS))).one_or_none()
    documents, length, title_length = totals or (0, 0.0, 0.0)
    terms = {*question.own, *question.bridged, *question.sounds}
    means = {"lengths": length, "title_lengths": title_length}
    return Statistics(documents, means, await _counted(connection, terms))


async def _counted(connection: AsyncConnection, terms: Iterable[int]) -> dict[str, dict[int, int]]:
    """By the kinds of words that an index tells apart."""
    rows = (await connection.execute(_COUNTS, {"words": signed(terms)})).all()
    return {
        kind: {unsigned(row.word): count for row in rows if (count := row[at])}
        for at, kind in enumerate(_KINDS, start=1)
    }


async def _by_words(
    connection: AsyncConnection, index: Excerpt, question: Question, within: _Within
) -> set[str]:
    """Those in the other language by translated words and by sounds, too."""
    found: set[str] = set()
    other = LibraryRow.language != question.language
    for name, terms, also in (
        ("words", question.own, []),
        ("words", question.bridged, [other]),
        ("sounds", question.sounds, [other]),
    ):
        weights = index.rarest(terms, name, _WORDS, _ROWS)
        if weights:
            wanted = _having(SEARCH.c[name], weights, [*within.conditions, *also])
            found |= {*(await connection.execute(wanted, within.given)).scalars()}
    return found


def _passing(conditions: Sequence[ColumnElement[bool]]) -> Select[str]:
    wanted = select(SEARCH.c.digest_id)
    if conditions:
        same = LibraryRow.digest_id == SEARCH.c.digest_id
        wanted = wanted.join(LibraryRow, same).where(*conditions)
    return wanted


def _having(
    column: ColumnElement[Any],
    weights: Mapping[int, float],
    conditions: Sequence[ColumnElement[bool]],
) -> Select[str]:
    """Documents that have any of these words, those first whose words weigh most."""
    words = signed(weights)
    each = zip(words, weights.values(), strict=True)
    score = sum(
        (case((column.contains(_array([word])), weight), else_=0.0) for word, weight in each),
        start=literal(0.0),
    )
    asked = _passing(conditions).where(column.overlap(_array(words)))
    return asked.order_by(score.desc(), SEARCH.c.seq).limit(_NEAREST)


def _array(words: list[int]) -> ColumnElement[Any]:
    return literal(words, ARRAY(Integer))


async def _by_meaning(connection: AsyncConnection, vectors: Vectors, within: _Within) -> set[str]:
    """The nearest to each vector; and the farthest from the first one, so that scores come out as
    they would among all."""
    found: set[str] = set()
    if not len(vectors):
        return found
    await connection.execute(_SEARCHING)
    for vector, most in [*((one, _NEAREST) for one in vectors), (-vectors[0], 1)]:
        given = {**within.given, "vector": vector_text(vector), "most": most}
        keys: Sequence[str] = []
        if not within.listed:
            wanted = _near(within.conditions).order_by(_DISTANCE)
            keys = (await connection.execute(wanted, given)).scalars().all()
        if len(keys) < most and (within.conditions or not keys):
            # The search gives up after so many that do not pass; this does not.
            # Not ordered as the index has it, so that it is not used.
            wanted = _near(within.conditions).order_by(_DISTANCE + 0.0)
            keys = (await connection.execute(wanted, given)).scalars().all()
        found |= {*keys}
    return found


def _near(conditions: Sequence[ColumnElement[bool]]) -> Select[str]:
    return _passing(conditions).where(SEARCH.c.direction.is_not(None)).limit(bindparam("most"))


def _best(
    index: Excerpt,
    rows: Sequence[Row[*tuple[Any, ...]]],
    question: Question,
    settings: RetrievalSettings,
    wanted: int,
) -> list[Candidate]:
    index.add((facts_of(row), read_head(row.head)) for row in rows)
    return Heads.of(index, question, None, settings).meant(question.vectors).best(wanted)


_COUNTS = select(WORDS).where(WORDS.c.word == any_(bindparam("words", type_=ARRAY(Integer))))
_HEADS = select(*FACTS, LibraryRow.head).where(
    LibraryRow.digest_id == any_(bindparam("ids", type_=ARRAY(String)))
)
_SEARCHING = text(
    f"SELECT set_config('hnsw.ef_search', '{_NEAREST}', true),"
    " set_config('hnsw.iterative_scan', 'strict_order', true)"
)
_DISTANCE = SEARCH.c.direction.op("<=>", return_type=Float())(
    cast(bindparam("vector", type_=String), HalfVector)
)
