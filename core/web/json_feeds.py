"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read as generously as feedparser reads the others.

Comes out in feedparser's own words, so that what follows is the same for every kind of feed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from core.errors import NotAFeed
from core.web.charsets import decoded
from core.web.feed_text import MOST_ENTRIES

_START = (b"{", b"\xef\xbb\xbf{")


def looks_like_json(body: bytes) -> bool:
    return body[:100].lstrip().startswith(_START)


def read_json(body: bytes, *, url: str = "") -> dict[str, Any]:
    """Raises NotAFeed for JSON that is none."""
    try:
        # No float and no huge integer of a stranger is of any use to us.
        given = json.loads(decoded(body), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(url, "it is broken JSON") from error
    items = given.get("items") if isinstance(given, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in _word(given, "version"):
        raise NotAFeed(url, "it is JSON, but no JSON Feed")
    home = _word(given, "home_page_url")
    return {
        "version": "json11" if _word(given, "version").endswith("1.1") else "json1",
        "encoding": "utf-8",
        "bozo": False,
        "feed": {
            "title": _word(given, "title"),
            "link": urljoin(url, home) if home else "",
            "language": _word(given, "language"),
            "subtitle": _word(given, "description"),
        },
        "entries": [
            _entry(item, url) for item in items[:MOST_ENTRIES] if isinstance(item, Mapping)
        ],
    }


def _entry(item: Mapping[str, Any], url: str) -> dict[str, Any]:
    """`external_url` is what a linklog points at: like the link of a link feed's entry."""
    text, markup = _word(item, "content_text"), _word(item, "content_html")
    summary = _word(item, "summary")
    detail = {"value": summary or text or markup, "type": "text/plain"}
    if not summary and not text:
        detail["type"] = "text/html"
    link = _word(item, "url") or _word(item, "external_url")
    external = _word(item, "external_url")
    entry: dict[str, Any] = {
        "id": _word(item, "id"),
        "title": _word(item, "title"),
        "title_detail": {"value": _word(item, "title"), "type": "text/plain"},
        "summary": detail["value"],
        "summary_detail": detail,
        "content": [{"value": markup or text, "type": "text/html" if markup else "text/plain"}],
        "link": urljoin(url, link) if link else "",
        "external": urljoin(url, external) if external else "",
    }
    for name, date in (("published", "date_published"), ("updated", "date_modified")):
        if (at := _date(_word(item, date))) is not None:
            entry[f"{name}_parsed"] = at.utctimetuple()
    return entry


def _word(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value.strip() if isinstance(value, str) else ""


def _date(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
