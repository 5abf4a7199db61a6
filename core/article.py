"""The input contract: pages as they came from the web, and the articles found in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Language = Literal["ko", "en"]
SourceType = Literal["blog", "paper", "news"]
NonEmpty = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Page:
    """Bytes as they came from the web.

    `url` is where the redirects ended, `body` is decoded from its transfer encoding (gzip, br)
    but not from its character set.
    """

    url: str
    body: bytes
    content_type: str
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None


class Article(BaseModel):
    """Title and text found in a page: `content` must be there, everything else may be missing.

    `views` is the citation count for a paper. `content` is light Markdown: headings as `#`,
    lists as `-`, code in fences, paragraphs divided by an empty line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_type: SourceType = "blog"
    url: str | None = None
    language: Language | None = None
    title: str | None = None
    content: NonEmpty
    author: str | None = None
    publish_date: str | None = None
    tags: tuple[str, ...] = ()
    views: int | None = Field(default=None, ge=0)

    @property
    def content_hash(self) -> str:
        """SHA-256 of what a digest depends on: title and content. Two addresses, one text: one."""
        text = f"{self.title or ''}\n{self.content}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link was shared."""

    platform: str
    channel: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A URL somebody shared, the place where, and when."""

    url: str
    place: Place
    at: datetime
