"""Articles we have read, text included: `core.ports.Articles` on SQLAlchemy.

The article is kept whole, as compressed JSON: nobody searches in it, and it comes back equal.
Beside it stands what people and erasure look for: addresses, title, language.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.article import Article, Page
from core.errors import BadLink
from core.language import count_words, detect
from core.links import canonical, site_of
from storage import statements
from storage.short import execute
from storage.statements import utc_now
from storage.tables import ArticleRow, ReadingRow
from storage.trouble import reading

log = logging.getLogger(__name__)


class SqlArticles:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def put(self, article: Article, *, link: str, page: Page | None = None) -> str:
        now = self._now()
        values = await asyncio.to_thread(article_values, article, page, now)
        content_hash = str(values["content_hash"])
        read = {
            "link_hash": hash_of(link),
            "link": link,
            "content_hash": content_hash,
            "read_at": now,
        }
        dialect = self._engine.dialect
        await execute(
            self._engine,
            # Counted and detected again by whoever digests it, who knows better.
            statements.putting(dialect, ArticleRow, values, keep=["language", "words"]),
            statements.putting(dialect, ReadingRow, read),
        )
        return content_hash

    async def get(self, content_hash: str) -> Article | None:
        wanted = select(ArticleRow.article).where(ArticleRow.content_hash == content_hash)
        async with reading(self._engine) as connection:
            kept = (await connection.execute(wanted)).scalar_one_or_none()
        return None if kept is None else await asyncio.to_thread(unpacked, kept)

    async def read_at(self, link: str, since: datetime) -> Article | None:
        wanted = (
            select(ArticleRow.article)
            .join(ReadingRow, ReadingRow.content_hash == ArticleRow.content_hash)
            .where(ReadingRow.link_hash == hash_of(link), ReadingRow.read_at >= since)
        )
        async with reading(self._engine) as connection:
            kept = (await connection.execute(wanted)).scalar_one_or_none()
        return None if kept is None else await asyncio.to_thread(unpacked, kept)


def article_values(article: Article, page: Page | None, now: datetime) -> dict[str, Any]:
    return {
        "content_hash": article.content_hash,
        "url": article.url,
        "canonical": canonical_or_none(article.url),
        "title": article.title,
        "site": _site(article.url),
        "language": article.language or detect(article.content),
        "words": count_words(article.content),
        "fetched_at": now,
        "etag": page.etag if page else None,
        "last_modified": page.last_modified if page else None,
        "article": packed(article),
    }


def packed(article: Article) -> bytes:
    return zlib.compress(article.model_dump_json().encode(), level=6)


def unpacked(kept: bytes) -> Article | None:
    """An article of an older shape counts as not kept: its page is simply read again."""
    try:
        return Article.model_validate_json(zlib.decompress(kept))
    except (ValidationError, zlib.error):
        log.info("a kept article has an older shape and is ignored")
        return None


def hash_of(link: str) -> str:
    return hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()


def canonical_or_none(url: str | None) -> str | None:
    """None also for an address that is no web link: a file's, or whatever a row names."""
    try:
        return canonical(url) if url else None
    except BadLink:
        return None


def _site(url: str | None) -> str | None:
    known = canonical_or_none(url)
    return None if known is None else site_of(known)
