"""The tables of the index in PostgreSQL filled from the table `library`.

Like the index in memory they follow it by its row numbers, so a process may die anywhere; what is
erased there is erased here in the same moment, by the foreign key.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from core.retrieval.document import Head, read_head
from storage.postgres_tables import (
    SEARCH,
    TOTALS,
    count_words,
    index_directions,
    lock,
    signed,
)
from storage.tables import LibraryRow
from storage.trouble import reading, writing

_FILLED_AT_ONCE = 500
_COUNTED_EVERY = 300.0  # seconds between two looks for what is missing or too much
_GROWN = 20  # words are counted again when a twentieth of the documents came or went
_MANY = 1_000  # of fewer the distances are all measured sooner than an index is asked


class Filling:
    """`width`: how many numbers a vector has; those with another number of them are left out."""

    def __init__(self, engine: AsyncEngine, width: int) -> None:
        self._engine = engine
        self._width = width
        self._looked = -math.inf
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        async with self._refreshing:
            async with reading(self._engine) as connection:
                there, here = (await connection.execute(_NEWEST)).one()
            if there != here or time.monotonic() > self._looked + _COUNTED_EVERY:
                while await self._fill():
                    pass
                # What was passed over may come later than what is newest here: look again.
                self._looked = time.monotonic() if await self._count() else -math.inf

    async def _fill(self) -> bool:
        """False: there was nothing to be put in."""
        async with writing(self._engine) as connection:
            await lock(connection)
            rows = (await connection.execute(_MISSING)).all()
            if rows:
                made = await asyncio.to_thread(_searched, rows, self._width)
                await connection.execute(_PUT, made)
        return bool(rows)

    async def _count(self) -> bool:
        """Whether all of the library is here."""
        async with writing(self._engine) as connection:
            await lock(connection)
            kept, documents = (await connection.execute(_DOCUMENTS)).one()
            counted = (await connection.execute(select(TOTALS.c.documents))).scalar_one_or_none()
            if counted is None or abs(documents - counted) * _GROWN > counted:
                await count_words(connection)
                if documents >= _MANY:
                    await index_directions(connection)
        return bool(kept == documents)


def _searched(rows: Sequence[Row[*tuple[Any, ...]]], width: int) -> list[dict[str, object]]:
    return [_row(row, read_head(row.head), width) for row in rows]


def _row(row: Row[*tuple[Any, ...]], head: Head, width: int) -> dict[str, object]:
    known = len(head.vector) == width and bool(head.vector.any())
    return {
        "digest_id": row.digest_id,
        "seq": row.seq,
        "words": signed(head.terms),
        "titles": signed({*head.title.tolist()}),
        "sounds": signed({*head.sounds.tolist()}),
        "length": int(head.counts.sum(dtype=int)),
        "title_length": len(head.title),
        "direction": vector_text(head.vector) if known else None,
    }


def vector_text(vector: Iterable[float]) -> str:
    return "[" + ",".join(f"{cell:.5g}" for cell in vector) + "]"


_NEWEST = select(
    select(func.max(LibraryRow.seq)).scalar_subquery(),
    select(func.max(SEARCH.c.seq)).scalar_subquery(),
)
_DOCUMENTS = select(
    select(func.count()).select_from(LibraryRow).scalar_subquery(),
    select(func.count()).select_from(SEARCH).scalar_subquery(),
)
# What somebody is erasing right now is passed over instead of waited for.
_MISSING = (
    select(LibraryRow.digest_id, LibraryRow.seq, LibraryRow.head)
    .outerjoin(
        SEARCH, and_(SEARCH.c.digest_id == LibraryRow.digest_id, SEARCH.c.seq == LibraryRow.seq)
    )
    .where(SEARCH.c.digest_id.is_(None))
    .order_by(LibraryRow.seq)
    .limit(_FILLED_AT_ONCE)
    .with_for_update(key_share=True, read=True, skip_locked=True, of=LibraryRow)
)
_PUTTING = insert(SEARCH)
_PUT = _PUTTING.on_conflict_do_update(
    index_elements=["digest_id"],
    set_={one.name: _PUTTING.excluded[one.name] for one in SEARCH.c if not one.primary_key},
)
