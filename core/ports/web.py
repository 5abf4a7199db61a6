"""The web: a page, and the article in it."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from core.article import Article, Page


class Web(Protocol):
    """The page behind a link. Raises BadLink and FetchFailed with its kin."""

    async def fetch(self, url: str) -> Page: ...

    async def save(self, url: str, file: BinaryIO) -> Page:
        """The body goes to `file` as it comes, with a bounded buffer; the page has none."""

    async def close(self) -> None: ...


class Extract(Protocol):
    """The article in a page. Raises NothingToRead with its kin, UnsupportedType."""

    def __call__(self, page: Page) -> Article: ...
