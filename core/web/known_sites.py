"""Sites whose feeds stand where they always stand, without a word of it in their pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.feed import FoundFeed, SourceKind

_NAME = r"[A-Za-z0-9._~-]{1,80}"
# First segments of github.com that are no person's.
_GITHUB_OWN = frozenset(
    "about apps blog collections explore features marketplace orgs pricing search settings "
    "sponsors topics trending login join".split()
)
_CATEGORY = r"[a-z]{2,8}(?:-[a-z]{2,8})?(?:\.[A-Za-z-]{2,6})?"


@dataclass(frozen=True, slots=True)
class _Rule:
    """`hosts` and `path` are whole patterns; `feeds` are templates for the path's groups."""

    hosts: str
    path: str
    feeds: Sequence[str]
    kind: SourceKind = "feed"
    allow: Callable[[re.Match[str]], bool] = lambda _: True


_RULES = (
    _Rule(
        r"github\.com",
        rf"/({_NAME})/({_NAME})(?:/.*)?",
        ["https://github.com/{0}/{1}/releases.atom", "https://github.com/{0}/{1}/tags.atom"],
        allow=lambda match: match[1].lower() not in _GITHUB_OWN,
    ),
    _Rule(r"(?:export\.)?arxiv\.org", rf"/(?:list|rss)/({_CATEGORY})(?:/.*)?",
          ["https://rss.arxiv.org/rss/{0}"]),
    _Rule(r"rss\.arxiv\.org", rf"/(?:rss|atom)/({_CATEGORY})", ["https://rss.arxiv.org/rss/{0}"]),
    _Rule(r"news\.ycombinator\.com", r"/(?:news|newest|front|rss)?",
          ["https://news.ycombinator.com/rss"], "links"),
    _Rule(r"hnrss\.org", r"/(.{1,200})", ["https://hnrss.org/{0}"], "links"),
    _Rule(r"news\.hada\.io", r"/(?:new|past|rss/news)?", ["https://news.hada.io/rss/news"], "links"),
    _Rule(r"lobste\.rs", r"/(?:newest|active|rss)?", ["https://lobste.rs/rss"], "links"),
    _Rule(r"lobste\.rs", rf"/t/({_NAME})(?:\.rss)?", ["https://lobste.rs/t/{0}.rss"], "links"),
    _Rule(r"(?:old\.)?reddit\.com", rf"/r/({_NAME})(?:/.*)?",
          ["https://www.reddit.com/r/{0}/.rss"], "links"),
    _Rule(r"medium\.com", rf"/(?:feed/)?(@?{_NAME})(?:/.*)?", ["https://medium.com/feed/{0}"]),
    _Rule(r"velog\.io", rf"/(@{_NAME})(?:/.*)?", ["https://v2.velog.io/rss/{0}"]),
    _Rule(r"blog\.naver\.com", rf"/({_NAME})(?:/.*)?", ["https://rss.blog.naver.com/{0}.xml"]),
    _Rule(r"dev\.to", rf"/(?:feed/)?({_NAME})(?:/.*)?", ["https://dev.to/feed/{0}"]),
)  # fmt: skip


def known_feeds(address: str) -> list[FoundFeed]:
    """Where the feeds of a well-known site's page must be; nobody has looked yet."""
    parts = urlsplit(address)
    host = parts.netloc.lower().removeprefix("www.")
    path = parts.path + (f"?{parts.query}" if host == "hnrss.org" and parts.query else "")
    for rule in _RULES:
        match = re.fullmatch(rule.path, path.rstrip("/") or "/", re.DOTALL)
        if match and re.fullmatch(rule.hosts, host) and rule.allow(match):
            groups = [group.removesuffix(".git") for group in match.groups()]
            return [FoundFeed(feed.format(*groups), kind=rule.kind) for feed in rule.feeds]
    return []
