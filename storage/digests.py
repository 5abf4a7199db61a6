"""Digests kept in the database: the port `core.ports.Digests` on SQLAlchemy.

Writes are single statements that settle a conflict in place, so two processes that keep the
same digest at once both succeed. An article's text, where it is kept, stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Page
from core.digest import DigestRecord
from core.ports import Verdict
from storage import statements
from storage.articles import canonical_or_none
from storage.short import execute
from storage.statements import utc_now
from storage.tables import ArticleRow, DigestRow, VerdictRow
from storage.trouble import reading, writing

log = logging.getLogger(__name__)
Question = Literal["difficulty", "quality"]
_ONE_ANSWER = ("digest_id", "by", "question")


class SqlDigests:
    def __init__(
        self,
        engine: AsyncEngine,
        now: Callable[[], datetime] = utc_now,
        added: Callable[[], None] = lambda: None,
    ) -> None:
        """`added` is called when a digest has been kept."""
        self._engine = engine
        self._now = now
        self._added = added

    async def get(self, digest_id: str) -> DigestRecord | None:
        wanted = select(DigestRow.record).where(DigestRow.id == digest_id)
        async with reading(self._engine) as connection:
            kept = (await connection.execute(wanted)).scalar_one_or_none()
        return None if kept is None else readable(kept)

    async def add(
        self, record: DigestRecord, *, content_hash: str, page: Page | None = None
    ) -> None:
        now = self._now()
        article = article_values(record, content_hash, now, page)
        # Digested without its page: what was learned when it was read still holds.
        keep = [] if page else ["etag", "last_modified", "fetched_at"]
        digest = digest_values(record, content_hash, now)
        dialect = self._engine.dialect
        await execute(
            self._engine,
            statements.putting(dialect, ArticleRow, article, keep=keep),
            statements.putting(dialect, DigestRow, digest),
        )
        self._added()

    async def recent(self, limit: int) -> list[DigestRecord]:
        wanted = select(DigestRow.record).order_by(DigestRow.created_at.desc(), DigestRow.id)
        async with reading(self._engine) as connection:
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
            async with writing(self._engine) as connection:
                await statements.put(connection, VerdictRow, values, key=_ONE_ANSWER)
        except IntegrityError:  # the foreign key: there is no such digest
            return False
        return True

    async def add_questions(self, digest_id: str, questions: Sequence[str]) -> None:
        kept = select(DigestRow.record).where(DigestRow.id == digest_id)
        async with writing(self._engine) as connection:
            # FOR UPDATE (SQLite knows none and needs none): a digest made again meanwhile stays.
            found = (await connection.execute(kept.with_for_update())).scalar_one_or_none()
            record = None if found is None else readable(found)
            if record is None:
                return
            details = record.details.model_copy(update={"questions": tuple(questions)})
            asked = record.model_copy(update={"details": details}).model_dump(mode="json")
            change = update(DigestRow).where(DigestRow.id == digest_id).values(record=asked)
            await connection.execute(change)


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
        "canonical": canonical_or_none(head.url),
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
