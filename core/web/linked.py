"""Link feeds whose entries lead to the talk only: the article that a page of talk is about.

GeekNews announces its own pages; what they are about stands at their top, not in the feed.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from core.errors import BadLink
from core.links import canonical
from core.web.charsets import decoded

_PAGE = 500_000  # bytes
# By host: pages of talk, and the classes around the link at their top.
_TALKS: dict[str, tuple[re.Pattern[str], tuple[str, ...]]] = {
    "news.hada.io": (re.compile(r"/topic\?id=\d+"), ("topictitle", "topic_title")),
    "news.ycombinator.com": (re.compile(r"/item\?id=\d+"), ("titleline",)),
    "lobste.rs": (re.compile(r"/s/\w+(?:/.*)?"), ("u-url", "link")),
}


def is_talk(link: str) -> bool:
    """Whether a page of that address is known to be about another one."""
    parts = urlsplit(link)
    known = _TALKS.get(parts.netloc.removeprefix("www."))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return known is not None and known[0].fullmatch(path) is not None


def linked_in(link: str, body: bytes) -> str | None:
    """The article that a page of talk is about; None where it is about nothing else."""
    if not is_talk(link):
        return None
    host = urlsplit(link).netloc.removeprefix("www.")
    classes = _TALKS[host][1]
    try:
        tree = document_fromstring(decoded(body[:_PAGE]) or "<p>", parser=HTMLParser(encoding=None))
    except (etree.LxmlError, ValueError):
        return None
    for node in tree.iter("a"):
        around = [node, *node.iterancestors()][:3]
        if not any(set(classes) & set((one.get("class") or "").split()) for one in around):
            continue
        try:
            article = canonical(urljoin(link, node.get("href") or ""))
        except (BadLink, ValueError):
            continue
        if urlsplit(article).netloc.removeprefix("www.") != host:
            return article
    return None
