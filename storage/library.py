"""Search in what was read: `core.ports.Library` on SQLAlchemy.

The database keeps the truth; each process that is asked keeps the heads of all documents in
memory (core.retrieval.index) and before each search reads what has changed since its last one.
Measured against FTS5 and sqlite-vec in core/retrieval/BENCHMARKS.md. What is shown was looked up
in the database the moment before: what was erased or withdrawn is not found, whatever memory says.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    bindparam,
    func,
    select,
    text,
    union_all,
)
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
    Question,
    Ranked,
    candidates,
    rank_passages,
    understand,
)
from core.settings import RetrievalSettings
from storage.orphans import batches
from storage.shelving import Shelving
from storage.tables import (
    ArticleRow,
    DeliveryRow,
    LibraryRow,
    PostedRow,
    SubscriptionRow,
)
from storage.trouble import reading

_LOADED_AT_ONCE = 5_000
_COUNTED_EVERY = 300.0  # seconds between two looks for what was removed
_OF_ONE_ARTICLE = 2
# Up to so many digests within somebody's reach are asked for all at once; of more, the best are
# looked up first, since a list of everything a large workspace shared takes longer.
_FEW = 10_000
_LOOKED_UP = 300
_ALL = 2**62
_REMEMBERED = 10_000  # reaches that are known to be large


class SqlLibrary:
    def __init__(
        self, engine: AsyncEngine, encoder: Encoder, settings: RetrievalSettings | None = None
    ) -> None:
        self._engine = engine
        self._encoder = encoder
        self._settings = settings or RetrievalSettings()
        self.shelving = Shelving(engine, encoder)
        self._index = Index()
        self._seen = 0
        self._counted = -math.inf
        self._large: dict[Channels, float] = {}
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
        await self.refresh()
        question = await understand(query, self._encoder, rewrites)
        index, found, rows = await self._opened(question, reach, filters, 3 * limit)
        bodies = {key: read_body(row.body) for key, row in rows.items()}
        ranked = await asyncio.to_thread(
            rank_passages, index, question, found, bodies, self._settings
        )
        return ranked, rows, bodies

    async def _opened(
        self, question: Question, reach: Reach, filters: Filters, least: int
    ) -> tuple[Index, list[Candidate], dict[str, Row[*tuple[Any, ...]]]]:
        """Candidates with what the database has of them now."""
        while True:
            index = self._index
            found = await self._candidates(index, question, reach, filters, least)
            rows = await self._rows([one.key for one in found])
            gone = {one.key for one in found} - rows.keys()
            if not gone:
                return index, found, rows
            # They were removed meanwhile, and took the places of others.
            async with self._refreshing:
                self._index.remove(gone)

    async def _candidates(
        self, index: Index, question: Question, reach: Reach, filters: Filters, least: int
    ) -> list[Candidate]:
        wanted = max(self._settings.candidates, least)
        allowed = await asyncio.to_thread(_passing, index, filters)
        if not isinstance(reach, Channels):
            return await self._best(index, question, allowed, wanted)
        within = await self._few(reach)
        if within is None:
            best = await self._best(index, question, allowed, max(_LOOKED_UP, wanted))
            visible = await self._visible(reach, [one.key for one in best])
            kept = [one for one in best if one.key in visible]
            if len(kept) >= wanted or len(best) < max(_LOOKED_UP, wanted):
                return kept[:wanted]
            within = await self._visible(reach)
        allowed &= index.marked(within)
        return await self._best(index, question, allowed, wanted)

    async def _few(self, reach: Channels) -> set[str] | None:
        """All digests within reach; None where they are many, which is remembered for a while."""
        if self._large.get(reach, -math.inf) > time.monotonic() - _COUNTED_EVERY:
            return None
        found = await self._visible(reach, most=_FEW)
        if len(found) < _FEW:
            return found
        if len(self._large) >= _REMEMBERED:
            self._large.clear()
        self._large[reach] = time.monotonic()
        return None

    async def _best(
        self, index: Index, question: Question, allowed: NDArray[np.bool_], count: int
    ) -> list[Candidate]:
        return await asyncio.to_thread(candidates, index, question, allowed, self._settings, count)

    async def _visible(
        self, reach: Channels, digest_ids: Collection[str] | None = None, *, most: int = _ALL
    ) -> set[str]:
        """Digests within reach: of these, or `most` of all."""
        found: set[str] = set()
        who = {"platform": reach.platform, "workspace": reach.workspace, "most": most}
        async with reading(self._engine) as connection:
            for channels in batches(reach.channels):
                for ids in [[]] if digest_ids is None else batches(digest_ids):
                    given = {**who, "channels": channels, "ids": ids}
                    joined = (
                        await connection.execute(_IN_ONE[digest_ids is None], given)
                    ).scalar_one()
                    found.update((joined or "").split())
        return found

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
            wanted = wanted.where(LibraryRow.digest_id.in_(_ALL_SHARED))
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


def _shared(*, only: bool) -> Select[str]:
    """Digests that answered a link in these channels, or stood in a morning's list there; `only`:
    of some."""
    channels: BindParameter[str] = bindparam("channels", expanding=True)
    ids: BindParameter[str] = bindparam("ids", expanding=True)
    answered = select(DeliveryRow.digest_id).where(
        DeliveryRow.platform == bindparam("platform"),
        DeliveryRow.workspace == bindparam("workspace"),
        DeliveryRow.channel.in_(channels),
        # As it is written in the index ix_deliveries_answered, or that would not be used.
        text("deliveries.state = 'answered' AND deliveries.digest_id IS NOT NULL"),
    )
    posted = (
        select(PostedRow.digest_id)
        .join(SubscriptionRow, SubscriptionRow.id == PostedRow.subscription_id)
        .where(
            SubscriptionRow.platform == bindparam("platform"),
            SubscriptionRow.workspace == bindparam("workspace"),
            SubscriptionRow.channel.in_(channels),
        )
    )
    if only:
        answered = answered.where(DeliveryRow.digest_id.in_(ids))
        posted = posted.where(PostedRow.digest_id.in_(ids))
    return select(union_all(answered, posted).subquery().c.digest_id)


# Made once: putting a statement together takes longer than asking it.
_NEWEST = select(func.coalesce(func.max(LibraryRow.seq), 0))
_COUNT = select(func.count()).select_from(LibraryRow)
_ALL_SHARED = _shared(only=False)
# In one long text, since thousands of rows take longer; the key: whether of all.
_IN_ONE = {
    every: select(
        func.aggregate_strings(
            _shared(only=not every).limit(bindparam("most")).subquery().c.digest_id, " "
        )
    )
    for every in (True, False)
}
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
