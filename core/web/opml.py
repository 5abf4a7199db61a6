"""Lists of feeds as readers pass them on (OPML 1.0, 1.1, 2.0), read however they are broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from lxml import etree

from core.errors import BadLink, NotAFeed
from core.feed import FoundFeed, Source
from core.links import followable
from core.web.charsets import decoded
from core.web.plain import tidy

MOST = 5000  # feeds of one file
MOST_BYTES = 5_000_000
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]{0,300}\?>", re.IGNORECASE)
_BARE = re.compile(r"&(?!(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|\w{1,31});)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
# Attributes are written in every mixture of cases.
_URL, _SITE, _NAMES = "xmlurl", "htmlurl", ("title", "text")


def read_opml(body: bytes) -> list[FoundFeed]:
    """The feeds of a list, nested folders included, each once, in their order.

    Raises NotAFeed where there is not a single one in it.
    """
    found: dict[str, FoundFeed] = {}
    for attributes in _outlines(_tree(body[:MOST_BYTES])):
        feed = _feed(attributes)
        if feed is not None:
            found.setdefault(_same(feed.url), feed)
        if len(found) >= MOST:
            break
    if not found:
        raise NotAFeed("OPML", "no feed stands in this list")
    return list(found.values())


def write_opml(sources: Iterable[Source], title: str, now: datetime | None = None) -> str:
    """What `read_opml` and every reader of feeds takes."""
    made = format_datetime(now or datetime.now(UTC))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"  <head><title>{_escaped(title)}</title><dateCreated>{made}</dateCreated></head>",
        "  <body>",
        *(f"    {_outline(source)}" for source in sources),
        "  </body>",
        "</opml>",
    ]
    return "\n".join(lines) + "\n"


def _tree(body: bytes) -> etree._Element | None:
    text = _DECLARATION.sub("", _FORBIDDEN.sub("", decoded(body)))
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(_BARE.sub("&amp;", text).encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None


def _outlines(tree: etree._Element | None) -> Iterator[dict[str, str]]:
    if tree is None:
        return
    for node in tree.iter(etree.Element):
        if isinstance(node.tag, str) and etree.QName(node).localname.lower() == "outline":
            yield {str(name).lower(): str(value) for name, value in node.attrib.items()}


def _feed(attributes: dict[str, str]) -> FoundFeed | None:
    # Some write the feed into `url`, with a type that says so.
    kind = attributes.get("type", "").lower()
    url = attributes.get(_URL) or (attributes.get("url", "") if kind in {"rss", "atom"} else "")
    # feed:// is what Safari made of them.
    url = re.sub(r"^feed:(?://)?(?=https?:)|^feed(?=://)", "", url.strip(), flags=re.IGNORECASE)
    url = f"http{url}" if url.startswith("://") else url
    try:
        link = followable(url)
    except BadLink:
        return None
    title = next((attributes[name] for name in _NAMES if attributes.get(name)), "")
    return FoundFeed(link, tidy(title, 300) or urlsplit(link).netloc, _site(attributes))


def _site(attributes: dict[str, str]) -> str:
    try:
        return followable(attributes.get(_SITE, ""))
    except BadLink:
        return ""


def _same(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"


def _outline(source: Source) -> str:
    title = source.title or urlsplit(source.url).netloc
    given: Sequence[tuple[str, str]] = (
        ("type", "rss"),
        ("text", title),
        ("title", title),
        ("xmlUrl", source.url),
        ("htmlUrl", source.site),
    )
    written = " ".join(f"{name}={quoteattr(_FORBIDDEN.sub('', v))}" for name, v in given if v)
    return f"<outline {written}/>"


def _escaped(text: str) -> str:
    return _FORBIDDEN.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
