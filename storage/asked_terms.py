"""Terms that people asked for, kept in the database: the port `core.ports.AskedTerms`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Language
from core.places import Place
from storage.statements import utc_now
from storage.tables import ExplainedTermRow
from storage.trouble import reading, writing


class SqlAskedTerms:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def add(self, place: Place, by: str, term: str, language: Language) -> None:
        values = {
            "platform": place.platform,
            "workspace": place.workspace,
            "channel": place.channel,
            "by": by,
            "term": term,
            "language": language,
            "at": self._now(),
        }
        async with writing(self._engine) as connection:
            await connection.execute(insert(ExplainedTermRow).values(values))

    async def often(self, place: Place, limit: int) -> list[str]:
        count = func.count().label("count")
        wanted = (
            select(ExplainedTermRow.term, count)
            .where(
                ExplainedTermRow.platform == place.platform,
                ExplainedTermRow.workspace == place.workspace,
                ExplainedTermRow.channel == place.channel,
            )
            .group_by(ExplainedTermRow.term)
            .order_by(count.desc(), ExplainedTermRow.term)
            .limit(limit)
        )
        async with reading(self._engine) as connection:
            return [row.term for row in await connection.execute(wanted)]
