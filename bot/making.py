"""The steps that make a digest of a link, each of which leaves its result where it can be found.

Pages lie in files of this machine, articles and digests in the database, so a step passes a
name on and never a text. `bot/durable/workflows.py` calls the steps in their order.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.figures import Figures
from core.article import Article
from core.digest import DigestRecord
from core.digesting import Digester
from core.errors import ArticleGone, DigestError, StorageUnavailable
from core.ports import Articles, Digests, Extract
from core.settings import OutputLanguage
from core.web.pages import KeptPage, KeptPages

log = logging.getLogger(__name__)


class Maker:
    def __init__(
        self,
        pages: KeptPages,
        extract: Extract,
        digester: Digester,
        articles: Articles,
        digests: Digests,
        *,
        reuse: timedelta,
        figures: Figures | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pages = pages
        self._extract = extract
        self._digester = digester
        self._articles = articles
        self._digests = digests
        self._reuse = reuse
        self._figures = figures or Figures()
        self._now = now
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._readers: defaultdict[str, int] = defaultdict(int)

    @asynccontextmanager
    async def reading(self, link: str) -> AsyncIterator[None]:
        """One reader of a link at a time, in this process."""
        self._readers[link] += 1
        try:
            async with self._locks[link]:
                yield
        finally:
            self._readers[link] -= 1
            if not self._readers[link]:
                del self._readers[link], self._locks[link]

    async def known(self, link: str, language: OutputLanguage) -> str | None:
        """The id of a digest of what was read at this address a short while ago."""
        article = await self._recent(link)
        if article is None:
            return None
        record = await self._digests.get(self._digester.digest_id(article, language))
        return None if record is None else record.id

    async def recall(self, link: str, nonce: str) -> str | None:
        """The content hash of what was read at this address a short while ago; None for a reader
        who wants it fetched anew."""
        article = None if nonce else await self._recent(link)
        return None if article is None else article.content_hash

    async def fetch(self, link: str) -> dict[str, Any]:
        with self._figures.step("fetch"):
            return (await self._pages.fetch(link)).as_plain()

    async def extract(self, link: str, page: dict[str, Any]) -> str:
        """The content hash of the article in a page, which is kept; the page's file is not."""
        with self._figures.step("extract"):
            return await self._extracted(link, page)

    async def _extracted(self, link: str, page: dict[str, Any]) -> str:
        kept = KeptPage(**page)
        body = await asyncio.to_thread(self._pages.read, kept)
        if body is None:  # it was fetched by another machine, or the folder was emptied
            kept = await self._pages.fetch(link)
            body = await asyncio.to_thread(self._pages.read, kept)
        if body is None:
            raise DigestError(link, "its page vanished while it was read")
        try:
            article = await asyncio.to_thread(self._extract, body)
            text = await self._articles.put(article, link=link, page=body)
        except StorageUnavailable:
            raise  # it is tried again soon, and the site need not be asked again
        except Exception:
            await asyncio.to_thread(self._pages.drop, kept)
            raise
        await asyncio.to_thread(self._pages.drop, kept)
        return text

    async def digest(self, text: str, language: OutputLanguage, again: bool) -> dict[str, Any]:
        """The record as JSON values: the one that is kept, or made by the model."""
        article = await self._article(text)
        if not again:
            known = await self._digests.get(self._digester.digest_id(article, language))
            if known is not None:
                self._figures.known.inc()
                return known.model_dump(mode="json")
        with self._figures.step("digest"):
            record = await self._digester.digest(article, language)
        self._figures.grounded(record)
        return record.model_dump(mode="json")

    async def keep(self, text: str, record: dict[str, Any]) -> str:
        made = DigestRecord.model_validate(record)
        with self._figures.step("keep"):
            await self._digests.add(made, content_hash=text)
        return made.id

    async def record(self, digest_id: str) -> DigestRecord | None:
        return await self._digests.get(digest_id)

    async def _recent(self, link: str) -> Article | None:
        if not self._reuse:
            return None
        return await self._articles.read_at(link, self._now() - self._reuse)

    async def _article(self, text: str) -> Article:
        article = await self._articles.get(text)
        if article is None:
            raise ArticleGone(text, "it is not kept any more")
        return article
