"""Search in what was read: `core.ports.Library` on SQLAlchemy.

The database keeps the truth; each process that is asked keeps the heads of all documents in
memory (core.retrieval.index) and before each search reads what has changed since its last one.
Why not in the database itself: core/retrieval/ADR-1-an-index-in-memory.md. What is shown was looked up
in the database the moment before: what was erased or withdrawn is not found, whatever memory says.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Article
from core.digest import DifficultyLevel, DigestRecord
from core.library import Channels, Filters, Hit, LibraryState, Parts, Passage, Reach
from core.ports import Encoder
from core.retrieval.document import Body, read_body, read_head
from core.retrieval.index import LANGUAGES, Facts, Index
from core.retrieval.searching import (
    Candidate,
    Found,
    Heads,
    Question,
    Ranked,
    rank_passages,
    worded,
)
from core.settings import RetrievalSettings
from storage.orphans import batches
from storage.reaches import ALL_SHARED, Reaches
from storage.shelving import Shelving
from storage.tables import ArticleRow, LibraryRow
from storage.trouble import reading

Embedding = asyncio.Task[Question]

_LOADED_AT_ONCE = 5_000
_COUNTED_EVERY = 300.0  # seconds between two looks for what was removed
_OF_ONE_ARTICLE = 2
# So many of the best are looked up where those within reach are too many to be listed.
_LOOKED_UP = 300


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search. `few`: all that is within reach, where that can be listed; `least`: so many
    candidates at least."""

    words: Question
    embedding: Embedding
    reach: Reach
    filters: Filters
    few: set[str] | None
    least: int


class SqlLibrary:
    def __init__(
        self, engine: AsyncEngine, encoder: Encoder, settings: RetrievalSettings | None = None
    ) -> None:
        self._engine = engine
        self._encoder = encoder
        self._settings = settings or RetrievalSettings()
        self.shelving = Shelving(engine, encoder)
        self._reaches = Reaches(engine)
        self._index = Index()
        self._seen = 0
        self._counted = -math.inf
        self._refreshing = asyncio.Lock()

    async def add(self, record: DigestRecord, article: Article) -> None:
        await self.shelving.add(record, article)

    async def remove(self, digest_ids: Sequence[str]) -> None:
        await self.shelving.remove(digest_ids)

    async def state(self) -> LibraryState:
        return await self.shelving.state()

    async def search(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 10,
        rewrites: Sequence[str] = (),
    ) -> list[Hit]:
        if not query.strip():
            return await self._newest(reach, filters or Filters(), limit)
        ranked, rows, bodies = await self._ranked(
            query, reach, filters or Filters(), limit, rewrites
        )
        hits: dict[str, Hit] = {}
        for one in ranked:
            # Of several digests of one text the one that is found first.
            if one.content not in hits and len(hits) < limit:
                text = bodies[one.key].texts[one.passages[0].position]
                hits[one.content] = _hit(rows[one.key], text, one.score, one.parts)
        return list(hits.values())

    async def passages(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 3,
        rewrites: Sequence[str] = (),
    ) -> list[Passage]:
        if not query.strip():
            return []
        ranked, rows, bodies = await self._ranked(
            query, reach, filters or Filters(), limit, rewrites
        )
        found: list[tuple[float, Ranked, Found]] = []
        contents: set[str] = set()
        for one in ranked:
            if one.content not in contents:
                contents.add(one.content)
                # What the whole article is worth counts as much as the passage itself.
                best = one.passages[:_OF_ONE_ARTICLE]
                found += [(one.score + passage.strength, one, passage) for passage in best]
        found.sort(key=lambda each: -each[0])
        return [
            _passage(one, passage, score, rows[one.key], bodies[one.key])
            for score, one, passage in found[:limit]
        ]

    @property
    def index(self) -> Index:
        return self._index

    async def refresh(self) -> None:
        """What is new in the database since the last time, into memory.

        What was removed there is noticed when it would have been found, and otherwise now and
        then: counting takes longer than a search may.
        """
        async with self._refreshing:
            async with reading(self._engine) as connection:
                last = (await connection.execute(_NEWEST)).scalar_one()
            new = self._seen < last
            while self._seen < last and await self._read_on():
                pass
            if new or time.monotonic() > self._counted + _COUNTED_EVERY:
                await self._forget_removed()

    async def _read_on(self) -> bool:
        """False: there was nothing; what there had been was deleted in between."""
        wanted = (
            select(*_FACTS, LibraryRow.head)
            .where(LibraryRow.seq > self._seen)
            .order_by(LibraryRow.seq)
            .limit(_LOADED_AT_ONCE)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).all()
        if rows:
            # A copy takes its place when it is whole: a search goes on in the old one.
            self._index = await asyncio.to_thread(_extended, self._index, rows)
            self._seen = rows[-1].seq
        return bool(rows)

    async def _forget_removed(self) -> None:
        async with reading(self._engine) as connection:
            count = (await connection.execute(_COUNT)).scalar_one()
            if len(self._index) != count:
                kept = set((await connection.execute(select(LibraryRow.digest_id))).scalars())
                self._index.remove(self._index.keys() - kept)
        self._counted = time.monotonic()

    async def _ranked(
        self, query: str, reach: Reach, filters: Filters, limit: int, rewrites: Sequence[str]
    ) -> tuple[list[Ranked], dict[str, Row[*tuple[Any, ...]]], dict[str, Body]]:
        if isinstance(reach, Channels) and not reach.channels:
            return [], {}, {}
        asked = worded(query, self._encoder, rewrites)
        # The encoder takes as long as all the rest, and the rest needs it late.
        embedding = asyncio.create_task(asked.embedded(self._encoder))
        try:
            _, few = await asyncio.gather(self.refresh(), self._few(reach))
            index, found, rows = await self._opened(
                _Asked(asked.question, embedding, reach, filters, few, 3 * limit)
            )
            question = await embedding
        finally:
            embedding.cancel()
        bodies = {key: read_body(row.body) for key, row in rows.items()}
        ranked = await asyncio.to_thread(
            rank_passages, index, question, found, bodies, self._settings
        )
        return ranked, rows, bodies

    async def _few(self, reach: Reach) -> set[str] | None:
        return await self._reaches.few(reach) if isinstance(reach, Channels) else None

    async def _opened(
        self, asked: _Asked
    ) -> tuple[Index, list[Candidate], dict[str, Row[*tuple[Any, ...]]]]:
        """Candidates with what the database has of them now."""
        while True:
            index = self._index
            found = await self._candidates(index, asked)
            rows = await self._rows([one.key for one in found])
            gone = {one.key for one in found} - rows.keys()
            if not gone:
                return index, found, rows
            # They were removed meanwhile, and took the places of others.
            async with self._refreshing:
                self._index.remove(gone)

    async def _candidates(self, index: Index, asked: _Asked) -> list[Candidate]:
        wanted, reach = max(self._settings.candidates, asked.least), asked.reach
        heads = await asyncio.to_thread(_heads, index, asked, self._settings)
        heads = heads.meant((await asked.embedding).vectors)
        if asked.few is not None or not isinstance(reach, Channels):
            return await asyncio.to_thread(heads.best, wanted)
        looked = max(_LOOKED_UP, wanted)
        best = await asyncio.to_thread(heads.best, looked)
        visible = await self._reaches.visible(reach, [one.key for one in best])
        kept = [one for one in best if one.key in visible]
        if len(kept) >= wanted or len(best) < looked:
            return kept[:wanted]
        within = index.marked(await self._reaches.visible(reach))
        return await asyncio.to_thread(heads.within(within).best, wanted)

    async def _rows(self, digest_ids: Collection[str]) -> dict[str, Row[*tuple[Any, ...]]]:
        found: dict[str, Row[*tuple[Any, ...]]] = {}
        async with reading(self._engine) as connection:
            for ids in batches(digest_ids):
                for row in await connection.execute(_SHOWN_OF, {"ids": ids}):
                    found[row.digest_id] = row
        return found

    async def _newest(self, reach: Reach, filters: Filters, limit: int) -> list[Hit]:
        wanted = _shown().where(*_conditions(filters))
        given: dict[str, object] = {}
        if isinstance(reach, Channels):
            if not reach.channels:
                return []
            wanted = wanted.where(LibraryRow.digest_id.in_(ALL_SHARED))
            given = {
                "platform": reach.platform,
                "workspace": reach.workspace,
                "channels": sorted(reach.channels),
            }
        newest = wanted.order_by(LibraryRow.digested_at.desc(), LibraryRow.digest_id)
        async with reading(self._engine) as connection:
            # A text has a digest in each of two languages, seldom more.
            rows = (await connection.execute(newest.limit(3 * limit), given)).all()
        hits: dict[str, Hit] = {}
        for row in rows:
            if row.content_hash not in hits and len(hits) < limit:
                hits[row.content_hash] = _hit(row, read_body(row.body).texts[0], 0.0, Parts())
        return list(hits.values())


_FACTS = (
    LibraryRow.digest_id,
    LibraryRow.seq,
    LibraryRow.content_hash,
    LibraryRow.language,
    LibraryRow.site,
    LibraryRow.difficulty,
    LibraryRow.digested_at,
)


def _shown() -> Select[*tuple[Any, ...]]:
    return select(*_FACTS, LibraryRow.body, ArticleRow.title, ArticleRow.url).join(
        ArticleRow, ArticleRow.content_hash == LibraryRow.content_hash
    )


# Made once: putting a statement together takes longer than asking it.
_NEWEST = select(func.coalesce(func.max(LibraryRow.seq), 0))
_COUNT = select(func.count()).select_from(LibraryRow)
_SHOWN_OF = _shown().where(LibraryRow.digest_id.in_(bindparam("ids", expanding=True)))


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        LibraryRow.difficulty >= filters.easiest,
        LibraryRow.difficulty <= filters.hardest,
    ]
    if filters.language is not None:
        found.append(LibraryRow.language == filters.language)
    if filters.site is not None:
        found.append(LibraryRow.site == filters.site)
    if filters.since is not None:
        found.append(LibraryRow.digested_at >= filters.since)
    return found


# Difficulties lie in memory as 32-bit numbers, where 2.8 is not the 2.8 that was asked for.
_TOLERANCE = 0.01


def _heads(index: Index, asked: _Asked, settings: RetrievalSettings) -> Heads:
    allowed = _passing(index, asked.filters)
    if asked.few is not None:
        allowed &= index.marked(asked.few)
    return Heads.of(index, asked.words, allowed, settings)


def _passing(index: Index, filters: Filters) -> NDArray[np.bool_]:
    if not len(index):
        return np.zeros(0, dtype=bool)
    difficulty = index.joined("difficulties")
    passing = (difficulty >= filters.easiest - _TOLERANCE) & (
        difficulty <= filters.hardest + _TOLERANCE
    )
    if filters.language is not None:
        passing &= index.joined("languages") == LANGUAGES.index(filters.language)
    if filters.site is not None:
        passing &= index.joined("sites") == filters.site
    if filters.since is not None:
        passing &= index.joined("made_at") >= filters.since.timestamp()
    return np.asarray(passing, dtype=bool)


def _extended(index: Index, rows: Sequence[Row[*tuple[Any, ...]]]) -> Index:
    extended = index.copy()
    extended.add((_facts(row), read_head(row.head)) for row in rows)
    return extended


def _facts(row: Row[*tuple[Any, ...]]) -> Facts:
    return Facts(
        key=row.digest_id,
        content=row.content_hash,
        language=row.language,
        difficulty=row.difficulty,
        site=row.site or "",
        made_at=row.digested_at.timestamp(),
    )


def _hit(row: Row[*tuple[Any, ...]], text: str, score: float, parts: Parts) -> Hit:
    return Hit(
        digest_id=row.digest_id,
        title=row.title,
        link=row.url,
        site=row.site,
        language=row.language,
        difficulty=row.difficulty,
        label=DifficultyLevel.of(row.difficulty).label,
        digested_at=row.digested_at,
        text=text,
        score=score,
        parts=parts,
    )


def _passage(
    one: Ranked, found: Found, score: float, row: Row[*tuple[Any, ...]], body: Body
) -> Passage:
    return Passage(
        digest_id=one.key,
        title=row.title,
        link=row.url,
        language=row.language,
        position=found.position,
        text=body.texts[found.position],
        score=score,
        parts=found.parts,
    )
