"""A library with things in it, for tests: digests kept, shared in places, and put into the index."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_digest, a_record, a_shared_link, an_article, details

from core.article import Article, Language
from core.digest import ArticleHead, DifficultyLevel, DigestRecord
from core.engine.echo import HashingEncoder
from core.language import detect
from core.library import Channels
from core.links import site_of
from core.places import Place
from storage.articles import SqlArticles
from storage.deliveries import SqlDeliveries
from storage.digests import SqlDigests
from storage.finder import Finder
from storage.library import SqlLibrary
from storage.tables import DigestRow

HERE = Place("slack", "T1", "C1")
MINE = Channels("slack", "T1", frozenset({"C1"}))


class Shelves:
    """`library` searches the database; the rest of it is kept as the bot does. `finder`: see
    SqlLibrary."""

    def __init__(self, engine: AsyncEngine, finder: Finder | None = None) -> None:
        self.engine = engine
        self.digests = SqlDigests(engine)
        self.articles = SqlArticles(engine)
        self.deliveries = SqlDeliveries(engine)
        self.finder = finder
        self.library = SqlLibrary(engine, HashingEncoder(), finder=finder)

    async def keep(
        self,
        title: str,
        content: str,
        *,
        link: str = "",
        difficulty: float = 2.8,
        language: Language | None = None,
        digest_language: Language = "en",
        summary: str = "",
    ) -> DigestRecord:
        """Digested, but not yet in the index."""
        link = link or f"https://blog.example.com/{hashlib.sha256(title.encode()).hexdigest()[:8]}"
        article = an_article(title=title, content=content, url=link, language=language)
        record = record_of(article, difficulty, digest_language, summary)
        await self.articles.put(article, link=link)
        await self.digests.add(record, content_hash=article.content_hash)
        return record

    async def shelve(self, title: str, content: str, **changes: object) -> DigestRecord:
        """Digested, and in the index."""
        record = await self.keep(title, content, **changes)  # type: ignore[arg-type]
        await self.library.shelving.catch_up()
        return record

    async def share(self, record: DigestRecord, place: Place = HERE, message: str = "1.0") -> None:
        shared = a_shared_link(record.article.url or "", place=place, message=message)
        delivery, _ = await self.deliveries.accept(shared)
        await self.deliveries.answered(delivery.id, record.id)

    async def made_at(self, record: DigestRecord, moment: datetime) -> None:
        change = update(DigestRow).where(DigestRow.id == record.id)
        async with self.engine.begin() as connection:
            await connection.execute(change.values(created_at=moment))


def record_of(
    article: Article, difficulty: float, digest_language: Language, summary: str
) -> DigestRecord:
    key = f"{article.content_hash}{digest_language}"
    language = article.language or detect(article.content)
    return a_record(
        id=hashlib.sha256(key.encode()).hexdigest()[:24],
        article=ArticleHead(
            title=article.title,
            url=article.url,
            site=site_of(article.url or ""),
            source_type="blog",
            language=language,
        ),
        digest=a_digest(
            summary=summary or (article.title or ""),
            keywords=(),
            technical_terms=(),
            difficulty_level=DifficultyLevel.of(difficulty),
        ),
        details=details(article_language=language, language=digest_language),
    )


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)
