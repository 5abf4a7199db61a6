"""What came of asking feeds, kept: many at once, in few statements (`storage/feeds.py`)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.feed import Announced, Entry, Source
from core.identity import Sorted, keys_of, sort
from storage.articles import hash_of
from storage.orphans import batches, delete_rows
from storage.tables import FeedEntryRow, FeedKeyRow, FeedRow

_TOUCH = timedelta(days=1)  # how exact a key's `seen_at` is
UNDIGESTED = FeedEntryRow.digest_id.is_(None) & FeedEntryRow.error.is_(None)
UNCLAIMED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


@dataclass(frozen=True, slots=True)
class Polled:
    """A source as it is to be kept by its claimer; `new` will be its new entries."""

    source: Source
    announced: tuple[Announced, ...]
    by: str
    new: asyncio.Future[list[Entry]] = field(compare=False)

    @property
    def at(self) -> datetime:
        return self.source.polled_at or datetime.now(UTC)


async def keep(connection: AsyncConnection, polled: Sequence[Polled]) -> dict[str, list[Entry]]:
    """The new entries of each source, none where it is gone or another's claim. Each once."""
    first = await _claimed(connection, polled)
    mine = [one for one in polled if one.source.id in first]
    new: dict[str, list[Entry]] = {one.source.id: [] for one in polled}
    if not mine:
        return new
    keep_state = update(FeedRow.__table__).where(FeedRow.id == bindparam("source_id"))  # type: ignore[arg-type]
    await connection.execute(keep_state, [_state(one) for one in mine])
    telling = [one for one in mine if one.announced]
    if telling:
        for one, found in await _sorted(connection, telling, first):
            new[one.source.id] = list(found.new)
    return new


async def _claimed(connection: AsyncConnection, polled: Sequence[Polled]) -> dict[str, bool]:
    """The sources that are still their claimers', and whether they are read for the first time."""
    claims = {one.source.id: one.by for one in polled}
    wanted = select(FeedRow.id, FeedRow.claimed_by, FeedRow.changed_at)
    wanted = wanted.where(FeedRow.id.in_(sorted(claims)), FeedRow.state == "alive")
    # In one order, so that nobody waits for somebody who waits for them.
    rows = await connection.execute(wanted.order_by(FeedRow.id).with_for_update())
    return {row.id: row.changed_at is None for row in rows if row.claimed_by == claims[row.id]}


def _state(one: Polled) -> dict[str, Any]:
    values = source_values(one.source, one.at) | UNCLAIMED
    return {"source_id": values.pop("id"), **values}


async def _sorted(
    connection: AsyncConnection, telling: Sequence[Polled], first: Mapping[str, bool]
) -> list[tuple[Polled, Sorted]]:
    owned = {one.source.id: keys_of(one.source.id, one.announced) for one in telling}
    known = await _known(
        connection, (key for keys in owned.values() for some in keys for key in some)
    )
    found: list[tuple[Polled, Sorted]] = []
    new_keys: list[dict[str, Any]] = []
    for one in telling:
        source_id = one.source.id
        own = {key for some in owned[source_id] for key in some}
        here = {key: known[key][source_id][0] for key in own if source_id in known[key]}
        elsewhere = {
            key: identity
            for key in own
            for other, (identity, _) in known[key].items()
            if other != source_id
        }
        sorting = sort(
            source_id, one.announced, owned[source_id], here, elsewhere, one.at,
            first=first[source_id],
        )  # fmt: skip
        found.append((one, sorting))
        for key, identity in sorting.keys.items():
            if key not in here:
                new_keys.append(
                    {"key": key, "feed_id": source_id, "identity": identity, "seen_at": one.at}
                )
                known[key][source_id] = (identity, one.at)
        await _touch(
            connection, one, [key for key in here if _is_old(known[key][source_id][1], one)]
        )
    if new_keys:
        await connection.execute(insert(FeedKeyRow), new_keys)
    await _add(connection, [entry for _, sorting in found for entry in sorting.entries])
    return found


async def _known(
    connection: AsyncConnection, keys: Iterable[str]
) -> defaultdict[str, dict[str, tuple[str, datetime]]]:
    """By key and feed: the identity behind it, and when it was last seen there."""
    found: defaultdict[str, dict[str, tuple[str, datetime]]] = defaultdict(dict)
    wanted = select(FeedKeyRow.key, FeedKeyRow.feed_id, FeedKeyRow.identity, FeedKeyRow.seen_at)
    for some in batches(set(keys)):
        for row in await connection.execute(wanted.where(FeedKeyRow.key.in_(some))):
            found[row.key][row.feed_id] = (row.identity, row.seen_at)
    return found


def _is_old(seen_at: datetime, one: Polled) -> bool:
    return seen_at < one.at - _TOUCH


async def _touch(connection: AsyncConnection, one: Polled, keys: Sequence[str]) -> None:
    for some in batches(keys):
        still = (FeedKeyRow.feed_id == one.source.id, FeedKeyRow.key.in_(some))
        await connection.execute(update(FeedKeyRow).where(*still).values(seen_at=one.at))


async def _add(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    tried = await _tried(connection, [hash_of(entry.link) for entry in entries])
    rows = [entry_values(entry) | tried.get(hash_of(entry.link), {}) for entry in entries]
    # Their keys were not there, so neither were they; but retention takes the two apart.
    for some in batches([row["id"] for row in rows]):
        await delete_rows(connection, FeedEntryRow, FeedEntryRow.id.in_(some))
    await connection.execute(insert(FeedEntryRow), rows)


async def _tried(
    connection: AsyncConnection, links: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    """How the digest of each link went that another feed had announced before."""
    found: dict[str, dict[str, str | None]] = {}
    for some in batches(set(links)):
        wanted = select(FeedEntryRow.link_hash, FeedEntryRow.digest_id, FeedEntryRow.error)
        for link, digest_id, error in await connection.execute(
            wanted.where(FeedEntryRow.link_hash.in_(some), ~UNDIGESTED)
        ):
            found[link] = {"digest_id": digest_id, "error": error}
    return found


# --- rows and values


def source_values(source: Source, now: datetime) -> dict[str, Any]:
    return {
        "id": source.id,
        "link": source.url,
        "host": host_of(source.url),
        "kind": source.kind,
        "title": source.title,
        "site": source.site,
        "language": source.language,
        "state": source.state,
        "etag": source.etag,
        "last_modified": source.last_modified,
        "body_hash": source.body_hash,
        "interval": source.interval,
        "ttl": source.ttl,
        "skip": {"hours": sorted(source.skip_hours), "days": sorted(source.skip_days)},
        "next_at": source.next_at or now,
        "polled_at": source.polled_at,
        "worked_at": source.worked_at,
        "changed_at": source.changed_at,
        "failures": source.failures,
        "error": source.error,
    }


def entry_values(entry: Entry) -> dict[str, Any]:
    return {
        "feed_id": entry.source_id,
        "id": entry.id,
        "identity": entry.identity,
        "link": entry.link,
        "link_hash": hash_of(entry.link),
        "title": entry.title,
        "summary": entry.summary,
        "published_at": entry.published_at,
        "found_at": entry.seen_at,
        "digest_id": entry.digest_id,
        "error": entry.error,
    }


def host_of(link: str) -> str:
    return urlsplit(link).netloc.lower()
