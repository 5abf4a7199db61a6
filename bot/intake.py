"""A link or an article comes in, a digest goes out: the one way for every surface.

`fetch → extract → known? → digest → keep`. The page, the command line and the chats all
call this; none of them fetches or digests by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from core.article import Article, Page
from core.digest import DigestRecord, addressed
from core.digesting import Digester
from core.errors import BadLink
from core.links import canonical
from core.ports import Articles, Digests, Extract, Web
from core.progress import Event, Finished
from core.settings import OutputLanguage


class Intake:
    def __init__(
        self,
        web: Web,
        extract: Extract,
        digester: Digester,
        digests: Digests,
        articles: Articles | None = None,
    ) -> None:
        """`articles`: where texts with an address are kept besides their digest."""
        self.web = web
        self.extract = extract
        self.digester = digester
        self.digests = digests
        self.articles = articles

    async def read(self, link: str) -> Article:
        """The article behind a link. Raises BadLink, FetchFailed and NothingToRead."""
        _, article = await self._read(link)
        return article

    async def _read(self, link: str) -> tuple[Page, Article]:
        page = await self.web.fetch(canonical(link))
        return page, await asyncio.to_thread(self.extract, page)

    async def digest_link(
        self, link: str, language: OutputLanguage = "auto", *, again: bool = False
    ) -> AsyncGenerator[Event, None]:
        page, article = await self._read(link)
        events = self.digest_article(article, language, again=again, page=page)
        async with aclosing(events):
            async for event in events:
                yield event

    async def digest_article(
        self,
        article: Article,
        language: OutputLanguage = "auto",
        *,
        again: bool = False,
        page: Page | None = None,
    ) -> AsyncGenerator[Event, None]:
        """`again` digests anew although a digest of the same text is kept."""
        known = None
        if not again:
            known = await self.digests.get(self.digester.digest_id(article, language))
        if known is not None:
            if known.article.url is None and article.url is not None:
                # Digested from a file before, and now it is said where it stands.
                known = known.model_copy(update={"article": addressed(known.article, article.url)})
                await self._keep(known, article, page)
            yield Finished(known, cached=True)
            return
        async with aclosing(self.digester.stream(article, language)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await self._keep(event.record, article, page)
                yield event

    async def _keep(self, record: DigestRecord, article: Article, page: Page | None) -> None:
        if self.articles is not None and (link := _link_of(article)):
            await self.articles.put(article, link=link, page=page)
        await self.digests.add(record, content_hash=article.content_hash, page=page)


def _link_of(article: Article) -> str | None:
    try:
        return canonical(article.url) if article.url else None
    except BadLink:
        return None


async def last(events: AsyncIterator[Event]) -> Finished:
    """The end of a digest's way, for callers who do not watch it."""
    finished: Finished | None = None
    async for event in events:
        if isinstance(event, Finished):
            finished = event
    if finished is None:
        raise RuntimeError("a digest ended without a result")
    return finished
