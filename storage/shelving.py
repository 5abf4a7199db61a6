"""Digests put into the index, and those that are missing from it found.

What makes the index complete is not a queue but a comparison: a digest is missing where it has
no row, an older one, or one that other code or another encoder made. So a process may die
anywhere; the next one to look goes on with what is missing. A row is written whole or not at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Article
from core.digest import DigestRecord
from core.engine.echo import HashingEncoder
from core.library import LibraryState
from core.ports import Encoder
from core.retrieval.document import (
    VERSION,
    Indexed,
    body_bytes,
    head_bytes,
    prepare,
    source_of,
)
from storage import statements
from storage.articles import unpacked
from storage.digests import readable
from storage.orphans import batches
from storage.short import write
from storage.tables import ArticleRow, DigestRow, LibraryRow
from storage.trouble import reading, writing

log = logging.getLogger(__name__)

# Prepared and written together: enough for the encoder to be busy, little to lose.
BATCH = 8
_SEQ_LOCK = 0x5D0D16E6  # PostgreSQL's advisory lock; one of ours, beside that of the migrations


@dataclass(frozen=True, slots=True)
class Missing:
    record: DigestRecord
    article: Article
    content_hash: str
    created_at: datetime


class Shelving:
    def __init__(self, engine: AsyncEngine, encoder: Encoder) -> None:
        self._engine = engine
        self._encoder = encoder
        self.made_by = f"{VERSION}:{encoder.name}"
        self._current = _current(self.made_by)
        if encoder.name == HashingEncoder.name:
            # A bot without a model beside workers with one: what they put in is better than its
            # own, and each would put in again for ever what the other has put in.
            self._current = _current(f"{VERSION}:", by_anybody=True)

    async def add(self, record: DigestRecord, article: Article) -> None:
        wanted = select(DigestRow.content_hash, DigestRow.created_at).where(
            DigestRow.id == record.id
        )
        async with reading(self._engine) as connection:
            kept = (await connection.execute(wanted)).one_or_none()
        if kept is not None:
            await self._shelve([Missing(record, article, kept.content_hash, kept.created_at)])

    async def remove(self, digest_ids: Sequence[str]) -> None:
        for some in batches(digest_ids):
            async with writing(self._engine) as connection:
                await connection.execute(delete(LibraryRow).where(LibraryRow.digest_id.in_(some)))

    async def catch_up(self, limit: int = BATCH) -> int:
        """Puts some of what is missing into the index, the newest first; how many. 0: all there."""
        after: tuple[datetime, str] | None = None
        while True:
            rows = await self._missing(limit, after)
            if not rows:
                return 0
            found = await asyncio.to_thread(_readable, rows)
            if found:
                await self._shelve(found)
                return len(found)
            # None of them can be read any more; what is older may.
            after = (rows[-1].created_at, rows[-1].id)

    async def doubt(self) -> None:
        """Everything counts as missing; until it is put in again the old is found."""
        async with writing(self._engine) as connection:
            await connection.execute(update(LibraryRow).values(made_by=""))

    async def state(self) -> LibraryState:
        count = select(func.count())
        async with reading(self._engine) as connection:
            digests = (await connection.execute(count.select_from(DigestRow))).scalar_one()
            current = count.select_from(DigestRow).join(LibraryRow, self._current)
            indexed = (await connection.execute(current)).scalar_one()
            total = select(func.coalesce(func.sum(LibraryRow.passages), 0))
            passages = (await connection.execute(total)).scalar_one()
        return LibraryState(digests, indexed, int(passages))

    async def _missing(self, limit: int, after: tuple[datetime, str] | None) -> Sequence[Row[Any]]:
        wanted = (
            select(
                DigestRow.id,
                DigestRow.record,
                DigestRow.content_hash,
                DigestRow.created_at,
                ArticleRow.article,
            )
            .join(ArticleRow, ArticleRow.content_hash == DigestRow.content_hash)
            .outerjoin(LibraryRow, self._current)
            .where(LibraryRow.digest_id.is_(None))
            .order_by(DigestRow.created_at.desc(), DigestRow.id)
            .limit(limit)
        )
        if after is not None:
            moment, digest_id = after
            same = and_(DigestRow.created_at == moment, DigestRow.id > digest_id)
            wanted = wanted.where(or_(DigestRow.created_at < moment, same))
        async with reading(self._engine) as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
            return rows

    async def _shelve(self, found: Sequence[Missing]) -> None:
        sources = [source_of(one.record, one.article) for one in found]
        made = await prepare(sources, self._encoder)
        rows = await asyncio.to_thread(self._rows, found, made)
        try:
            await write(self._engine, lambda one: _put(one, rows))
        except IntegrityError:  # one of them was erased meanwhile
            for row in rows:
                await self._put_one(row)

    async def _put_one(self, row: dict[str, Any]) -> None:
        try:
            await write(self._engine, lambda one: _put(one, [row]))
        except IntegrityError:
            log.info("a digest was erased while it was put into the index")

    def _rows(self, found: Sequence[Missing], made: Sequence[Indexed]) -> list[dict[str, Any]]:
        return [
            {
                "digest_id": one.record.id,
                "content_hash": one.content_hash,
                "language": one.record.details.article_language,
                "site": one.record.article.site,
                "difficulty": one.record.digest.difficulty_level.score,
                "digested_at": one.created_at,
                "made_by": self.made_by,
                "passages": len(indexed.body),
                "head": head_bytes(indexed.head),
                "body": body_bytes(indexed.body),
            }
            for one, indexed in zip(found, made, strict=True)
        ]


def _current(made_by: str, *, by_anybody: bool = False) -> ColumnElement[bool]:
    own = LibraryRow.made_by == made_by
    return and_(
        LibraryRow.digest_id == DigestRow.id,
        LibraryRow.made_by.startswith(made_by, autoescape=True) if by_anybody else own,
        LibraryRow.digested_at >= DigestRow.created_at,
    )


def _readable(rows: Sequence[Row[Any]]) -> list[Missing]:
    found = []
    for row in rows:
        record = readable(row.record)
        if record is not None:
            article = None if row.article is None else unpacked(row.article)
            found.append(
                Missing(record, article or _digest_alone(record), row.content_hash, row.created_at)
            )
    return found


def _digest_alone(record: DigestRecord) -> Article:
    """Of a text that was pasted only its digest is kept: then that is what can be found."""
    head = record.article
    return Article(title=head.title, url=head.url, content=record.digest.summary or "-")


def _put(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        # One at a time, so that whoever has seen a number has seen all lower ones.
        connection.execute(select(func.pg_advisory_xact_lock(_SEQ_LOCK)))
    last = select(func.coalesce(func.max(LibraryRow.seq), 0))
    seq = connection.execute(last).scalar_one()
    # Microseconds: the number of a row that was deleted meanwhile must not come a second time,
    # for whoever has read that far would take the new row for the old one.
    for number, row in enumerate(rows, start=max(seq + 1, time.time_ns() // 1_000)):
        put = statements.putting(connection.dialect, LibraryRow, {**row, "seq": number})
        connection.execute(put)
