"""The feeds at an address that somebody wrote: the address itself, or what its page names.

Until more is known of a site the names in its HTML decide; the feed that comes first in the page
is the site's own choice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import urljoin

from bot.subscribing import FoundFeed
from core.errors import BadLink, FetchFailed, NothingToRead
from core.links import followable
from core.web.answers import Answer
from core.web.asking import FeedWeb
from core.web.feeds import parse

log = logging.getLogger(__name__)
_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "text/xml")
_PATHS = ("/feed", "/rss", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml")
_MOST = 5


class FeedFinder:
    """The port `bot.subscribing.Finder`."""

    def __init__(self, web: FeedWeb) -> None:
        self._web = web

    async def __call__(self, address: str) -> Sequence[FoundFeed]:
        page = await self._web.ask(followable(address))
        itself = await self._feed(page)
        if itself is not None:
            return [itself]
        named = await asyncio.to_thread(lambda: list(_named(page)))
        guessed = [] if named else [urljoin(page.url, path) for path in _PATHS]
        found = []
        for url in (named or guessed)[:_MOST]:
            feed = await self._at(url)
            if feed is not None:
                found.append(feed)
            if found and not named:
                break
        return found

    async def _at(self, url: str) -> FoundFeed | None:
        try:
            return await self._feed(await self._web.ask(followable(url)))
        except (BadLink, FetchFailed) as error:
            log.info("no feed at %s: %s", url, error)
            return None

    async def _feed(self, page: Answer) -> FoundFeed | None:
        try:
            feed = await asyncio.to_thread(parse, page.body, page.content_type, url=page.url)
        except (NothingToRead, FetchFailed):
            return None
        wishes = feed.wishes
        if not feed.announced and not feed.version:
            return None
        return FoundFeed(page.lasting, wishes.title, wishes.site, feed.kind, wishes.language)


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kind = given.get("type", "").partition(";")[0].strip().lower()
        if tag == "link" and "alternate" in given.get("rel", "").lower() and kind in _TYPES:
            self.found.append(given.get("href", ""))


def _named(page: Answer) -> Iterator[str]:
    head = _Head()
    head.feed(page.body[:200_000].decode("utf-8", "replace"))
    for href in dict.fromkeys(head.found):
        if href:
            yield urljoin(page.url, href)
