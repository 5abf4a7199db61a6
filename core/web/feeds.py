"""What stands in a feed, whatever its kind: RSS 0.9x to 2.0, RDF, Atom, CDF, JSON Feed.

    bytes → one charset, repaired → feedparser → plain text and links that can be followed

Comes out harmless and bounded: no markup, no address but http(s), no date that cannot be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from core.article import Language
from core.errors import BadLink, NotAFeed
from core.feed import Announced, Source, SourceKind
from core.language import detect
from core.links import canonical
from core.polling import Outcome, Wishes
from core.web.answers import Answer
from core.web.feed_text import read
from core.web.json_feeds import looks_like_json, read_json
from core.web.plain import plain, tidy

TITLE, SUMMARY, GUID = 300, 1200, 2000  # characters
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)  # a clock may be wrong; a date further on is no date
_HOURS = re.compile(r"<skiphours\b.{0,2000}?</skiphours>", re.IGNORECASE | re.DOTALL)
_DAYS = re.compile(r"<skipdays\b.{0,2000}?</skipdays>", re.IGNORECASE | re.DOTALL)
_HEAD = 20_000  # bytes in which a channel says such things
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_PERIODS = {
    "hourly": 3600.0,
    "daily": 86400.0,
    "weekly": 7 * 86400.0,
    "monthly": 30 * 86400.0,
    "yearly": 365 * 86400.0,
}
_ANCHOR = re.compile(r"<a\b[^>]{0,500}?\bhref\s*=\s*[\"']([^\"'<>]{1,2000})[\"']", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Feed:
    wishes: Wishes
    announced: tuple[Announced, ...]
    version: str = ""

    @property
    def kind(self) -> SourceKind:
        """For links: most entries lead to many other sites, or are talked about here."""
        own = _site(self.wishes.site)
        away = [_site(one.link) for one in self.announced if _site(one.link) != own]
        if not own or len(self.announced) < 4 or 2 * len(away) <= len(self.announced):
            return "feed"
        talked_about = 2 * sum(bool(one.comments) for one in self.announced) > len(self.announced)
        return "links" if talked_about or len(set(away)) > 2 else "feed"


def parse(
    body: bytes,
    content_type: str = "",
    *,
    url: str = "",
    kind: SourceKind | None = None,
    now: datetime | None = None,
) -> Feed:
    """A feed's entries in its own order, each link once. Raises NotAFeed.

    `url`: where the body came from; what is relative in it is seen from there. `kind`: where
    it is "links", an entry that leads to the talk about an article becomes the article's.
    """
    found = read_json(body, url=url) if looks_like_json(body) else read(body, content_type, url=url)
    if not found.get("version") and not found.get("entries"):
        raise NotAFeed(url, "it is neither RSS nor Atom nor JSON Feed")
    wishes = _wishes(found, body, url)
    moment = now or datetime.now(UTC)
    announced = tuple(_announced(found.get("entries", ()), wishes, url, kind, moment))
    if wishes.language is None and announced:
        words = " ".join(f"{one.title} {one.summary}" for one in announced[:20])
        wishes = replace(wishes, language=detect(words))
    return Feed(wishes, announced, str(found.get("version", "")))


def outcome_of(source: Source, answer: Answer, now: datetime) -> Outcome:
    """What an answer means for a source. Raises NotAFeed."""
    body_hash = hashlib.sha256(answer.body).hexdigest() if answer.body else source.body_hash
    unchanged = answer.status == 304 or body_hash == source.body_hash
    feed = None
    if not unchanged:
        feed = parse(answer.body, answer.content_type, url=answer.url, kind=source.kind, now=now)
    return Outcome(
        url=answer.lasting,
        # A 304 need not repeat what it stands by.
        etag=answer.etag or (source.etag if answer.status == 304 else None),
        last_modified=answer.last_modified
        or (source.last_modified if answer.status == 304 else None),
        body_hash=body_hash,
        max_age=answer.max_age,
        wishes=feed.wishes if feed else None,
        announced=feed.announced if feed else (),
    )


# --- the feed


def _wishes(found: Mapping[str, Any], body: bytes, url: str) -> Wishes:
    about = found.get("feed", {})
    head = body[:_HEAD].decode("latin-1")
    return Wishes(
        title=_text(about, "title", TITLE),
        site=_link(_string(about, "link"), url) or "",
        language=_language(_string(about, "language")),
        ttl=max(_minutes(_string(about, "ttl")), _period(about)),
        skip_hours=frozenset(int(hour) % 24 for hour in _numbers(_HOURS, head) if int(hour) <= 24),
        skip_days=frozenset(_days(head)),
    )


def _minutes(text: str) -> float:
    text = text.strip()
    return 60.0 * int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0


def _period(about: Mapping[str, Any]) -> float:
    """RSS 1.0's syndication module: a period, and how often in it."""
    period = _PERIODS.get(_string(about, "sy_updateperiod").strip().lower(), 0.0)
    often = _string(about, "sy_updatefrequency").strip()
    return period / max(1, int(often)) if often.isascii() and often.isdigit() else period


def _numbers(pattern: re.Pattern[str], head: str) -> list[str]:
    found = pattern.search(head)
    return re.findall(r"<hour>\s*(\d{1,2})\s*</hour>", found[0], re.IGNORECASE) if found else []


def _days(head: str) -> Iterator[int]:
    if (found := _DAYS.search(head)) is not None:
        for name in re.findall(r"<day>\s*(\w{6,9})\s*</day>", found[0], re.IGNORECASE):
            if name.lower() in _WEEKDAYS:
                yield _WEEKDAYS.index(name.lower())


def _language(tag: str) -> Language | None:
    start = tag.strip().lower()[:2]
    return "ko" if start == "ko" else "en" if start == "en" else None


# --- its entries


def _announced(
    entries: Sequence[Mapping[str, Any]],
    wishes: Wishes,
    url: str,
    kind: SourceKind | None,
    now: datetime,
) -> Iterator[Announced]:
    seen: set[tuple[str, str]] = set()
    own = {_site(wishes.site), _site(url)} - {""}
    for entry in entries:
        link = _link_of(entry, url, kind)
        if link is None:
            continue
        comments = _link(_string(entry, "comments"), url) or ""
        if kind == "links" and _site(link) in own:
            # The talk about it; what it is about stands inside, or it is about nothing else.
            comments, link = link, _talked_of(entry, own, url) or link
        guid = tidy(_string(entry, "id"), GUID)
        if (guid, link) in seen:
            continue
        seen.add((guid, link))
        yield Announced(
            guid=guid,
            link=link,
            title=_text(entry, "title", TITLE),
            summary=_summary(entry),
            published_at=_date(entry, now),
            comments=comments,
        )


def _link_of(entry: Mapping[str, Any], url: str, kind: SourceKind | None) -> str | None:
    """Its own address, else the next best one; None where it has none."""
    names = ("external", "link") if kind == "links" else ("link", "external")
    given = [_string(entry, name) for name in ("feedburner_origlink", *names)]
    links = [one for one in entry.get("links", ()) if isinstance(one, Mapping)]
    for rels in (("alternate",), ("self", "via", "related")):
        given += [_string(one, "href") for one in links if one.get("rel") in rels]
    name = _string(entry, "id")
    if name.startswith(("http://", "https://")):
        given.append(name)
    return next((link for one in given if one and (link := _link(one, url))), None)


def _link(text: str, base: str) -> str | None:
    if not text.strip():
        return None
    try:
        return canonical(urljoin(base, text.strip()))
    except (BadLink, ValueError):
        return None


def _talked_of(entry: Mapping[str, Any], own: set[str], url: str) -> str | None:
    """The first link out of a link feed's entry: the article that people talk about."""
    bodies = [_string(one, "value") for one in entry.get("content", ()) if isinstance(one, Mapping)]
    for body in (*bodies, _string(entry, "summary")):
        for href in _ANCHOR.findall(body[:50_000]):
            link = _link(plain(href, GUID), url)
            if link is not None and _site(link) not in own:
                return link
    return None


def _summary(entry: Mapping[str, Any]) -> str:
    """What it says of itself, or where that is next to nothing, how it begins."""
    said = _text(entry, "summary", SUMMARY)
    contents = (one for one in entry.get("content", ()) if isinstance(one, Mapping))
    for content in contents:
        if len(said) >= SUMMARY // 10:
            break
        whole = _shown(_string(content, "value"), str(content.get("type", "")), SUMMARY)
        said = whole if len(whole) > len(said) else said
    return said


def _text(given: Mapping[str, Any], name: str, limit: int) -> str:
    detail = given.get(f"{name}_detail")
    kind = str(detail.get("type", "")) if isinstance(detail, Mapping) else ""
    return _shown(_string(given, name), kind, limit)


def _shown(text: str, kind: str, limit: int) -> str:
    # In plain text a tag is meant as it stands; entities in it are somebody's mistake.
    return tidy(text, limit) if kind == "text/plain" and "<" in text else plain(text, limit)


def _date(entry: Mapping[str, Any], now: datetime) -> datetime | None:
    for name in ("published_parsed", "created_parsed", "updated_parsed"):
        # Asked for by feedparser's own `get`, one date would warn and stand in for another.
        given = dict(entry).get(name)
        if given is None:
            continue
        try:
            year, month, day, hour, minute, second = map(int, given[:6])
            at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except (ValueError, TypeError, OverflowError):
            continue
        if _EARLIEST <= at <= now + _AHEAD:
            return at
    return None


def _string(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    return value if isinstance(value, str) else ""


def _site(url: str) -> str:
    return urlsplit(url).netloc.lower().removeprefix("www.")
