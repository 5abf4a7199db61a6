"""Candidates from the heads of all documents in memory (core.retrieval.index): before each search
each process reads what has changed since its last one.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.library import Channels, Filters
from core.retrieval.document import read_head
from core.retrieval.index import LANGUAGES, Index
from core.retrieval.searching import Candidate, Heads
from core.settings import RetrievalSettings
from storage.finder import FACTS, Asked, facts_of
from storage.reaches import Reaches
from storage.tables import LibraryRow
from storage.trouble import reading

_LOADED_AT_ONCE = 5_000
_COUNTED_EVERY = 300.0  # seconds between two looks for what was removed
# So many of the best are looked up where those within reach are too many to be listed.
_LOOKED_UP = 300


class MemoryIndex:
    def __init__(self, engine: AsyncEngine, settings: RetrievalSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._reaches = Reaches(engine)
        self._index = Index()
        self._seen = 0
        self._counted = -math.inf
        self._refreshing = asyncio.Lock()

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
            select(*FACTS, LibraryRow.head)
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

    async def forget(self, digest_ids: Collection[str]) -> None:
        async with self._refreshing:
            self._index.remove(digest_ids)

    async def candidates(self, asked: Asked) -> tuple[Index, list[Candidate]]:
        index = self._index
        return index, await self._best(index, asked)

    async def _best(self, index: Index, asked: Asked) -> list[Candidate]:
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


# Made once: putting a statement together takes longer than asking it.
_NEWEST = select(func.coalesce(func.max(LibraryRow.seq), 0))
_COUNT = select(func.count()).select_from(LibraryRow)

# Difficulties lie in memory as 32-bit numbers, where 2.8 is not the 2.8 that was asked for.
_TOLERANCE = 0.01


def _heads(index: Index, asked: Asked, settings: RetrievalSettings) -> Heads:
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
    extended.add((facts_of(row), read_head(row.head)) for row in rows)
    return extended
