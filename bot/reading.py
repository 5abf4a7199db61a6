"""Links and files to articles, without a model and without a database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.sources import article_from
from core.article import Article
from core.links import canonical
from core.ports import Extract, Web
from core.settings import Settings, WebSettings
from core.web.extract import Extractor
from core.web.fetch import SafeWeb


@dataclass(frozen=True)
class Reading:
    """Links to articles, without a model and without a database."""

    web: Web
    extract: Extract

    async def read(self, link: str) -> Article:
        page = await self.web.fetch(canonical(link))
        return await asyncio.to_thread(self.extract, page)


@asynccontextmanager
async def open_reading(settings: WebSettings) -> AsyncIterator[Reading]:
    reading = Reading(SafeWeb(settings), Extractor(settings))
    try:
        yield reading
    finally:
        await reading.web.close()


async def extract_one(settings: Settings, target: str, url: str | None) -> Article:
    async with open_reading(settings.web) as reading:
        return await article_from(
            target, reading.read, reading.extract, max_bytes=settings.web.max_bytes, url=url
        )


def article_as_markdown(article: Article) -> str:
    """Title and text, without characters that could steer a terminal."""
    content = article.content.strip()
    heading = f"# {article.title}"
    if article.title and not content.startswith(heading):
        content = f"{heading}\n\n{content}"
    return re.sub(
        r"[^\S \n\t]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", content
    )
