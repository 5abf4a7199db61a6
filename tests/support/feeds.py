"""Feeds in memory: the fake of `core.ports.Feeds`, and builders of what stands in one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from core.article import Language
from core.feed import Announced, Entry, Source, SourceKind
from core.identity import keys_of, sort
from core.links import followable

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
PER_HOST = 4


def an_announced(number: int = 1, **changes: object) -> Announced:
    """No two numbers alike; the higher, the newer."""
    given: dict[str, object] = {
        "guid": f"id-{number}",
        "link": f"https://blog.example/posts/{number}",
        "title": f"Post number {number}",
        "summary": f"What we learned {number} times over when the queue of length {number * 7} "
        f"held back all the writers, and what we changed after that in release {number}.",
        "published_at": NOW - timedelta(days=1) + timedelta(minutes=number),
    }
    return Announced(**(given | changes))  # type: ignore[arg-type]


def utc_now() -> datetime:
    return datetime.now(UTC)


class FakeFeeds:
    """Sources, entries and keys in dicts, for a test to look into."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self.sources: dict[str, Source] = {}
        self.entries: dict[str, Entry] = {}
        self.keys: dict[tuple[str, str], str] = {}  # (source id, key) → identity
        self.claims: dict[str, tuple[str, datetime]] = {}
        self.silent: set[str] = set()  # gone, and their readers were told

    async def add(
        self,
        url: str,
        *,
        kind: SourceKind = "feed",
        title: str = "",
        site: str = "",
        language: Language | None = None,
    ) -> Source:
        link = followable(url)
        new_id = hashlib.sha256(link.encode()).hexdigest()
        moved = (one.id for one in self.sources.values() if one.url == link)
        known = self.sources.get(new_id if new_id in self.sources else next(moved, new_id))
        now = self._now()
        if known is None:
            known = Source(new_id, link, kind, title, site, language, next_at=now)
        elif known.state != "alive":
            known = replace(known, state="alive", failures=0, error="", next_at=now)
            self.silent.discard(known.id)
        self.sources[known.id] = known
        return known

    async def get(self, source_id: str) -> Source | None:
        return self.sources.get(source_id)

    async def of(self, source_ids: Sequence[str]) -> list[Source]:
        return [self.sources[one] for one in dict.fromkeys(source_ids) if one in self.sources]

    async def all(self, limit: int = 1000, *, after: str = "") -> list[Source]:
        return [self.sources[one] for one in sorted(self.sources) if one > after][:limit]

    async def pause(self, source_id: str) -> None:
        if source_id in self.sources:
            self._put(replace(self.sources[source_id], state="paused"))

    async def remove(self, source_id: str) -> None:
        self.sources.pop(source_id, None)
        self.claims.pop(source_id, None)
        self.entries = {k: e for k, e in self.entries.items() if e.source_id != source_id}
        self.keys = {key: known for key, known in self.keys.items() if key[0] != source_id}

    async def due(self, now: datetime, limit: int, *, by: str, lease: float) -> list[Source]:
        held = (self.sources[one] for one, (_, until) in self.claims.items() if until > now)
        busy = {_host(one) for one in held}
        taken: dict[str, int] = {}
        chosen: list[Source] = []
        for source in sorted(self._alive(), key=lambda one: (one.next_at or now, one.id)):
            host = _host(source)
            if host in busy or (source.next_at or now) > now or taken.get(host, 0) >= PER_HOST:
                continue
            taken[host] = taken.get(host, 0) + 1
            chosen.append(source)
        for source in chosen[:limit]:
            self.claims[source.id] = (by, now + timedelta(seconds=lease))
        return chosen[:limit]

    async def release(self, by: str) -> None:
        self.claims = {one: claim for one, claim in self.claims.items() if claim[0] != by}

    async def next_due(self) -> datetime | None:
        free = (one.next_at for one in self._alive() if one.id not in self.claims)
        return min((at for at in free if at is not None), default=None)

    async def polled(
        self, source: Source, announced: Sequence[Announced], *, by: str
    ) -> list[Entry]:
        before = self.sources.get(source.id)
        claim = self.claims.get(source.id)
        if before is None or before.state != "alive" or claim is None or claim[0] != by:
            return []
        del self.claims[source.id]
        self._put(source)
        if not announced:
            return []
        now = source.polled_at or self._now()
        owned = keys_of(source.id, announced)
        keys = {key for keys in owned for key in keys}
        here = {k: known for (of, k), known in self.keys.items() if of == source.id and k in keys}
        others = {k: known for (of, k), known in self.keys.items() if of != source.id and k in keys}
        first = before.changed_at is None
        found = sort(source.id, announced, owned, here, others, now, first=first)
        for key, identity in found.keys.items():
            self.keys.setdefault((source.id, key), identity)
        for entry in found.entries:
            tried = [e for e in self.entries.values() if e.link == entry.link and _is_tried(e)]
            if tried:
                entry = replace(entry, digest_id=tried[0].digest_id, error=tried[0].error)
            self.entries.setdefault(entry.id, entry)
        return list(found.new)

    async def entries_since(
        self, source_ids: Sequence[str], since: datetime, limit: int
    ) -> list[Entry]:
        mine = [one for one in self.entries.values() if one.source_id in source_ids]
        before = {one.identity for one in mine if _seen(one) <= since}
        fresh = [one for one in mine if _seen(one) > since and one.identity not in before]
        return _newest(fresh, lambda one: one.identity)[:limit]

    async def waiting(self, limit: int) -> list[Entry]:
        undone = [one for one in self.entries.values() if not _is_tried(one)]
        return _newest(undone, lambda one: one.link)[:limit]

    async def digested(
        self, entry_id: str, *, digest_id: str | None = None, error: str | None = None
    ) -> None:
        asked = self.entries.get(entry_id)
        for one in list(self.entries.values()):
            if asked is None or one.link != asked.link:
                continue
            if digest_id is not None:
                self.entries[one.id] = replace(one, digest_id=digest_id, error=None)
            elif one.digest_id is None:
                self.entries[one.id] = replace(one, error=error)

    async def given_up(self, limit: int) -> list[Source]:
        everyone = await self.all(len(self.sources))
        return [one for one in everyone if one.state == "gone" and one.id not in self.silent][
            :limit
        ]

    async def told(self, source_id: str) -> None:
        self.silent.add(source_id)

    def _alive(self) -> list[Source]:
        return [one for one in self.sources.values() if one.state == "alive"]

    def _put(self, source: Source) -> None:
        self.sources[source.id] = source


def _host(source: Source) -> str:
    return urlsplit(source.url).netloc


def _is_tried(entry: Entry) -> bool:
    return entry.digest_id is not None or entry.error is not None


def _seen(entry: Entry) -> datetime:
    assert entry.seen_at is not None
    return entry.seen_at


def _newest(entries: Iterable[Entry], once: Callable[[Entry], str]) -> list[Entry]:
    firsts: dict[str, Entry] = {}
    for one in sorted(entries, key=lambda one: (_seen(one), one.id)):
        firsts.setdefault(once(one), one)
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(
        firsts.values(), key=lambda one: (_seen(one), one.published_at or never), reverse=True
    )
