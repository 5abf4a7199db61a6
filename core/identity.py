"""Which of the announced entries are new: by id, by link and by content, across feeds.

Feeds edit, re-date, re-number and copy from each other. An entry has up to three keys; who
shares one with something known is known. Ids only count within their feed: a feed must not be
able to take another's entries away by announcing their ids first.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from core.feed import Announced, Entry

FIRST_NEW = 3  # of a feed that is read for the first time; the rest counts as known
MOST_NEW = 30  # at a time: a feed that was rebuilt does not flood anybody
OLD_NEWS = timedelta(days=30)  # what is dated before that was moved or dug out, not written
_CONTENT = 240  # letters of the text that make a content key
_ENOUGH = 60  # fewer than so many say nothing: "Bug fixes", "Read more"
_KEY = 32
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Sorted:
    """`entries` are to be kept, of which `new` have not been announced elsewhere either.

    `keys` leads from every key that now stands in the feed to its entry's identity.
    """

    entries: tuple[Entry, ...]
    new: tuple[Entry, ...]
    keys: Mapping[str, str]


def keys_of(source_id: str, announced: Sequence[Announced]) -> list[tuple[str, ...]]:
    """The keys of each, the surest first. What several of them share tells nothing apart."""
    links = [_link_key(one) for one in announced]
    contents = [_content_key(one) for one in announced]
    shared, alike = Counter(links), Counter(contents)
    found = []
    for one, link, content in zip(announced, links, contents, strict=True):
        guid = _guid_key(source_id, one)
        if guid and (shared[link] > 1 or _is_front_page(one.link)):
            link = ""
        if alike[content] > 1:
            content = ""
        found.append(tuple(key for key in (guid, link, content) if key))
    return found


def sort(
    source_id: str,
    announced: Sequence[Announced],
    owned: Sequence[Sequence[str]],
    here: Mapping[str, str],
    elsewhere: Mapping[str, str],
    now: datetime,
    *,
    first: bool,
) -> Sorted:
    """`owned`: the keys of each. `here`, `elsewhere`: the identities behind those that this feed
    and others had before."""
    keys: dict[str, str] = {}
    unknown: list[tuple[Announced, str, bool]] = []
    for one, own in zip(announced, owned, strict=True):
        identity = _first(here, own) or _first(keys, own)
        if identity is None:
            copied = _first(elsewhere, own)
            identity = copied or _identity(source_id, one, own)
            unknown.append((one, identity, copied is None))
        for key in own:
            keys.setdefault(key, identity)
    chosen = _chosen(unknown, now, first=first)
    entries = [(_entry(source_id, one, identity, now), new) for one, identity, new in chosen]
    return Sorted(
        tuple(entry for entry, _ in entries), tuple(entry for entry, new in entries if new), keys
    )


def _chosen(
    unknown: Sequence[tuple[Announced, str, bool]], now: datetime, *, first: bool
) -> list[tuple[Announced, str, bool]]:
    """The newest ones, and where there are no dates those that stand first."""
    undated = datetime.max.replace(tzinfo=UTC)
    newest = sorted(unknown, key=lambda one: one[0].published_at or undated, reverse=True)
    if first:
        return newest[:FIRST_NEW]
    return [one for one in newest if (one[0].published_at or now) >= now - OLD_NEWS][:MOST_NEW]


def _entry(source_id: str, one: Announced, identity: str, now: datetime) -> Entry:
    return Entry(
        id=_hash("entry", source_id, identity),
        source_id=source_id,
        identity=identity,
        link=one.link,
        title=one.title,
        summary=one.summary,
        published_at=one.published_at,
        seen_at=now,
    )


def _first(known: Mapping[str, str], keys: Sequence[str]) -> str | None:
    return next((known[key] for key in keys if key in known), None)


def _identity(source_id: str, one: Announced, keys: Sequence[str]) -> str:
    """Its link's key where that tells it apart, so that all feeds give it the same name."""
    link = _link_key(one)
    return link if link in keys or not keys else _hash("identity", source_id, keys[0])


def _guid_key(source_id: str, one: Announced) -> str:
    return _hash("id", source_id, one.guid) if one.guid else ""


def _link_key(one: Announced) -> str:
    # http and https, with www. and without, with a slash at the end and without: nobody serves
    # two articles there.
    parts = urlsplit(one.link)
    host = parts.netloc.removeprefix("www.")
    return _hash("link", host, parts.path.rstrip("/"), parts.query, parts.fragment)


def _content_key(one: Announced) -> str:
    text = _letters(one.summary)[:_CONTENT]
    return _hash("content", _letters(one.title), text) if len(text) >= _ENOUGH else ""


def _is_front_page(link: str) -> bool:
    parts = urlsplit(link)
    return parts.path in {"", "/"} and not parts.query and not parts.fragment


def _letters(text: str) -> str:
    """What is left of a text when markup, spaces and punctuation may differ."""
    folded = unicodedata.normalize("NFKC", text[: 4 * _CONTENT]).casefold()
    return _NO_LETTERS.sub("", folded)


def _hash(*parts: str) -> str:
    text = "\n".join(part.replace("\n", " ") for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY]
