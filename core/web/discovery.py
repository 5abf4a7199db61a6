"""The feeds behind an address that somebody pasted: a feed's own, a site's, a page's.

    known site? → is it a feed? → <link rel=alternate> → <a> that speak of one → usual paths

Every candidate is asked and read before it is offered: what is returned works.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from core.errors import BadLink, DigestError, NotAFeed
from core.feed import FoundFeed
from core.links import followable
from core.web.answers import Answer
from core.web.asking import FeedWeb, HostTurns
from core.web.charsets import decoded
from core.web.feeds import Feed, parse
from core.web.known_sites import known_feeds
from core.web.plain import tidy

MOST = 8  # feeds that are offered
_TRIES = 14
_SECONDS = 45.0
_PAGE = 1_000_000  # bytes of a page in which its feeds are looked for
_TYPES = ("rss", "atom", "rdf", "feed+json", "application/json", "text/xml", "application/xml")
_USUAL = "feed rss feed.xml rss.xml atom.xml index.xml feed.json feeds/posts/default".split()
_SPEAKS = re.compile(
    r"(?:^|[/._-])(?:rss2?|feeds?|atom|rdf)(?:[/._-]|$)|\.(?:rss|atom)$|/index\.xml$", re.IGNORECASE
)
_SPOKEN = re.compile(r"\b(?:rss|atom|feed)\b|구독|피드", re.IGNORECASE)
_ASIDE = re.compile(r"comment|댓글|podcast|/tag/|/category/", re.IGNORECASE)


class Discovery:
    def __init__(self, web: FeedWeb) -> None:
        self._web = web
        self._turns = HostTurns()

    async def __call__(self, address: str) -> list[FoundFeed]:
        """The best first. Raises BadLink, FetchFailed and its kin, NotAFeed where there is none."""
        url = followable(address)
        found: list[FoundFeed] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                await self._look(url, found)
        if not found:
            raise NotAFeed(url, "no feed was found there")
        return found[:MOST]

    async def _look(self, url: str, found: list[FoundFeed]) -> None:
        if known := known_feeds(url):
            await self._try(known, found, tries=len(known))
            if found:
                return
        answer = await self._web.ask(url, turn=self._turns)
        with suppress(NotAFeed):
            feed = await asyncio.to_thread(_parsed, answer)
            found.append(_found(answer, feed, FoundFeed(url)))
            return
        page = await asyncio.to_thread(named_in, answer)
        # What a page names in its head is its feeds; only without them it is worth guessing.
        for some in (page.named, page.spoken, page.usual):
            await self._try(some, found, tries=_TRIES)
            if found:
                break
        found.sort(key=lambda one: bool(_ASIDE.search(f"{one.url} {one.title}")))

    async def _try(self, some: Iterable[FoundFeed], found: list[FoundFeed], *, tries: int) -> None:
        for candidate in list(some)[:tries]:
            try:
                answer = await self._web.ask(candidate.url, turn=self._turns)
                feed = await asyncio.to_thread(_parsed, answer)
            except DigestError:
                continue
            one = _found(answer, feed, candidate)
            if one.url not in {known.url for known in found}:
                found.append(one)
            if len(found) >= MOST:
                return


@dataclass(frozen=True, slots=True)
class Named:
    """The candidates of a page: in its head, in its links, and where feeds usually stand."""

    named: list[FoundFeed]
    spoken: list[FoundFeed]
    usual: list[FoundFeed]


def named_in(answer: Answer) -> Named:
    usual = [FoundFeed(url) for url in _usual(answer.url)]
    try:
        tree = document_fromstring(
            decoded(answer.body[:_PAGE]) or "<p>", parser=HTMLParser(encoding=None)
        )
    except (etree.LxmlError, ValueError):
        return Named([], [], usual)
    base = answer.url
    for node in tree.iter("base"):
        base = urljoin(base, node.get("href") or "")
        break
    links = _once(_alternates(tree), base)
    return Named(links, _once(_anchors(tree), base), usual)


def _alternates(tree: etree._Element) -> Iterator[tuple[str, str]]:
    for node in tree.iter("link"):
        kinds = (node.get("type") or "").lower()
        rels = (node.get("rel") or "").lower().split()
        if {"alternate", "feed"} & set(rels) and (
            any(kind in kinds for kind in _TYPES) or ("feed" in rels and not kinds)
        ):
            yield node.get("href") or "", node.get("title") or ""


def _anchors(tree: etree._Element) -> Iterator[tuple[str, str]]:
    for node in tree.iter("a"):
        href = (node.get("href") or "").strip()
        words = " ".join("".join(node.itertext()).split())[:60]
        if _SPEAKS.search(urlsplit(href).path if "://" in href else href) or (
            _SPOKEN.search(words) and len(words) < 30
        ):
            yield href, ""


def _once(given: Iterable[tuple[str, str]], base: str) -> list[FoundFeed]:
    found: dict[str, FoundFeed] = {}
    for href, title in given:
        try:
            url = followable(urljoin(base, href.strip()))
        except (BadLink, ValueError):
            continue
        if href.strip() and url not in found:
            found[url] = FoundFeed(url, tidy(title, 200))
        if len(found) >= 2 * _TRIES:
            break
    return list(found.values())


def _usual(url: str) -> Iterator[str]:
    """Below the page, then at the site's front."""
    parts = urlsplit(url)
    here = parts.path if parts.path.endswith("/") else parts.path.rpartition("/")[0] + "/"
    for folder in dict.fromkeys([here, "/"]):
        for name in _USUAL:
            yield f"{parts.scheme}://{parts.netloc}{folder}{name}"


def _parsed(answer: Answer) -> Feed:
    return parse(answer.body, answer.content_type, url=answer.url)


def _found(answer: Answer, feed: Feed, candidate: FoundFeed) -> FoundFeed:
    kind = candidate.kind if candidate.kind == "links" else feed.kind
    return replace(
        candidate,
        url=answer.lasting,
        title=feed.wishes.title or candidate.title or urlsplit(answer.url).netloc,
        site=feed.wishes.site,
        kind=kind,
        language=feed.wishes.language,
    )
