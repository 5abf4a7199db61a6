"""Search in what was read: `core.ports.Library` on SQLAlchemy.

The database keeps the truth. Candidates come from a finder: an index in memory, or one in
PostgreSQL; when to choose which: core/retrieval/ADR-1-an-index-in-memory.md. What is shown was
looked up in the database the moment before: what was erased or withdrawn is not found, whatever
memory says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Article
from core.digest import DifficultyLevel, DigestRecord
from core.library import Channels, Filters, Hit, LibraryState, Parts, Passage, Reach
from core.ports import Encoder
from core.retrieval.document import Body, read_body
from core.retrieval.index import Index
from core.retrieval.passages import Found, Ranked, rank_passages
from core.retrieval.searching import Candidate, worded
from core.settings import RetrievalSettings
from storage.finder import FACTS, Asked, Finder, conditions
from storage.memory_index import MemoryIndex
from storage.orphans import batches
from storage.postgres_index import open_postgres_index
from storage.reaches import ALL_SHARED, Reaches
from storage.shelving import Shelving
from storage.tables import ArticleRow, LibraryRow
from storage.trouble import reading

_OF_ONE_ARTICLE = 2


async def library_over(
    engine: AsyncEngine, encoder: Encoder, settings: RetrievalSettings, *, anew: bool = False
) -> SqlLibrary:
    """With the index that the settings ask for; `anew`: see open_postgres_index. Raises
    SettingsError where the database cannot have it, StorageUnavailable, EngineFailed."""
    if settings.index == "memory":
        return SqlLibrary(engine, encoder, settings)
    finder = await open_postgres_index(engine, encoder, settings, anew=anew)
    return SqlLibrary(engine, encoder, settings, finder)


class SqlLibrary:
    def __init__(
        self,
        engine: AsyncEngine,
        encoder: Encoder,
        settings: RetrievalSettings | None = None,
        finder: Finder | None = None,
    ) -> None:
        """`finder`: where candidates come from; None: an index in memory."""
        self._engine = engine
        self._encoder = encoder
        self._settings = settings or RetrievalSettings()
        self.shelving = Shelving(engine, encoder)
        self._reaches = Reaches(engine)
        self._finder: Finder = finder or MemoryIndex(engine, self._settings)

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

    async def refresh(self) -> None:
        """What is new can be found after this."""
        await self._finder.refresh()

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
                Asked(asked.question, embedding, reach, filters, few, 3 * limit)
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
        self, asked: Asked
    ) -> tuple[Index, list[Candidate], dict[str, Row[*tuple[Any, ...]]]]:
        """Candidates with what the database has of them now."""
        while True:
            index, found = await self._finder.candidates(asked)
            rows = await self._rows([one.key for one in found])
            gone = {one.key for one in found} - rows.keys()
            if not gone:
                return index, found, rows
            # They were removed meanwhile, and took the places of others.
            await self._finder.forget(gone)

    async def _rows(self, digest_ids: Collection[str]) -> dict[str, Row[*tuple[Any, ...]]]:
        found: dict[str, Row[*tuple[Any, ...]]] = {}
        async with reading(self._engine) as connection:
            for ids in batches(digest_ids):
                for row in await connection.execute(_SHOWN_OF, {"ids": ids}):
                    found[row.digest_id] = row
        return found

    async def _newest(self, reach: Reach, filters: Filters, limit: int) -> list[Hit]:
        wanted = _shown().where(*conditions(filters))
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


def _shown() -> Select[*tuple[Any, ...]]:
    return select(*FACTS, LibraryRow.body, ArticleRow.title, ArticleRow.url).join(
        ArticleRow, ArticleRow.content_hash == LibraryRow.content_hash
    )


# Made once: putting a statement together takes longer than asking it.
_SHOWN_OF = _shown().where(LibraryRow.digest_id.in_(bindparam("ids", expanding=True)))


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
