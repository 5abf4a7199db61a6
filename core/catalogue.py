"""Feeds to choose from, without knowing an address: `config/feeds.yaml`, and how it is searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter

from core.article import Language
from core.feed import FoundFeed, SourceKind


class _List(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    list: str
    kind: SourceKind
    language: Language
    feeds: tuple[tuple[str, str, str], ...]


_LISTS = TypeAdapter(tuple[_List, ...])


@dataclass(frozen=True, slots=True)
class Catalogue:
    feeds: tuple[FoundFeed, ...] = ()

    def at(self, address: str) -> FoundFeed | None:
        return next((feed for feed in self.feeds if feed.url == address), None)

    def search(
        self, words: str = "", *, language: Language | None = None, limit: int = 25
    ) -> list[FoundFeed]:
        """Those in which every word occurs (name or host); names that begin so come first.
        Without words all, in the catalogue's order."""
        wanted = [word.casefold() for word in words.split()]
        found = [
            (_rank(feed, wanted), place, feed)
            for place, feed in enumerate(self.feeds)
            if (language is None or feed.language == language)
            and all(word in _spoken(feed) for word in wanted)
        ]
        found.sort(key=lambda one: one[:2])
        return [feed for _, _, feed in found[:limit]]


def catalogue_of(plain: object) -> Catalogue:
    """From what stands in the YAML file. Raises pydantic's ValidationError."""
    lists = _LISTS.validate_python(plain)
    return Catalogue(
        tuple(
            FoundFeed(url, title, site, one.kind, one.language)
            for one in lists
            for title, url, site in one.feeds
        )
    )


def host_of(address: str) -> str:
    """Empty for what is no address."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _spoken(feed: FoundFeed) -> str:
    return f"{feed.title} {host_of(feed.url)} {host_of(feed.site)}".casefold()


def _rank(feed: FoundFeed, wanted: Sequence[str]) -> int:
    title = feed.title.casefold()
    if wanted and title.startswith(wanted[0]):
        return 0
    return 1 if all(word in title for word in wanted) else 2
