"""Digests kept in the database: the port `core.ports.Digests` on SQLAlchemy.

Writes are single statements that settle a conflict in place, so two processes that keep the
same digest at once both succeed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.article import Page
from core.digest import DigestRecord
from core.errors import BadLink
from core.links import canonical
from core.ports import Verdict
from storage.tables import ArticleRow, Base, DigestRow, VerdictRow

log = logging.getLogger(__name__)
Question = Literal["difficulty", "quality"]


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqlDigests:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def get(self, digest_id: str) -> DigestRecord | None:
        wanted = select(DigestRow.record).where(DigestRow.id == digest_id)
        async with self._engine.connect() as connection:
            kept = (await connection.execute(wanted)).scalar_one_or_none()
        return None if kept is None else readable(kept)

    async def add(
        self, record: DigestRecord, *, content_hash: str, page: Page | None = None
    ) -> None:
        now = self._now()
        async with self._engine.begin() as connection:
            await _put(connection, ArticleRow, article_values(record, content_hash, now, page))
            await _put(connection, DigestRow, digest_values(record, content_hash, now))

    async def recent(self, limit: int) -> list[DigestRecord]:
        wanted = select(DigestRow.record).order_by(DigestRow.created_at.desc(), DigestRow.id)
        async with self._engine.connect() as connection:
            kept = (await connection.execute(wanted.limit(limit))).scalars().all()
        return [record for record in map(readable, kept) if record is not None]

    async def add_verdict(self, digest_id: str, verdict: Verdict, *, by: str) -> bool:
        values = {
            "digest_id": digest_id,
            "by": by[:200],
            "question": question_of(verdict),
            "verdict": verdict,
            "at": self._now(),
        }
        try:
            async with self._engine.begin() as connection:
                await _put(connection, VerdictRow, values, ("digest_id", "by", "question"))
        except IntegrityError:  # the foreign key: there is no such digest
            return False
        return True


def question_of(verdict: Verdict) -> Question:
    """Which question a verdict answers: a person may say both "good" and "too hard"."""
    return "difficulty" if verdict in ("too_easy", "too_hard") else "quality"


def readable(kept: Mapping[str, Any]) -> DigestRecord | None:
    """A record of an older shape counts as not kept: its digest is simply made again."""
    try:
        return DigestRecord.model_validate(kept)
    except ValidationError:
        log.info("a kept digest has an older shape and is ignored: %s", kept.get("id"))
        return None


def article_values(
    record: DigestRecord, content_hash: str, now: datetime, page: Page | None
) -> dict[str, Any]:
    head = record.article
    return {
        "etag": page.etag if page else None,
        "last_modified": page.last_modified if page else None,
        "content_hash": content_hash,
        "url": head.url,
        "canonical": _canonical(head.url),
        "title": head.title,
        "site": head.site,
        "language": head.language,
        "words": record.details.words,
        "fetched_at": now,
    }


def digest_values(record: DigestRecord, content_hash: str, now: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "content_hash": content_hash,
        "model": record.details.model,
        "language": record.details.language,
        "record": record.model_dump(mode="json"),
        "created_at": now,
    }


def _canonical(url: str | None) -> str | None:
    """None also for an address that is no web link: a file's, or whatever a row names."""
    try:
        return canonical(url) if url else None
    except BadLink:
        return None


async def _put(
    connection: AsyncConnection,
    table: type[Base],
    values: dict[str, Any],
    key: tuple[str, ...] | None = None,
) -> None:
    """Insert, or where the key is there already, replace the other columns."""
    target = table.__table__
    key = key or tuple(column.name for column in target.primary_key)
    replaced = {name: value for name, value in values.items() if name not in key}
    if connection.dialect.name == "postgresql":
        await connection.execute(
            postgresql.insert(table)
            .values(values)
            .on_conflict_do_update(index_elements=key, set_=replaced)
        )
    else:
        await connection.execute(
            sqlite.insert(table)
            .values(values)
            .on_conflict_do_update(index_elements=key, set_=replaced)
        )
