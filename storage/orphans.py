"""Digests and articles that nobody needs any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.deliveries import WAITING
from storage.tables import (
    ArticleRow,
    Base,
    DeliveryRow,
    DigestRow,
    FeedEntryRow,
    LibraryRow,
    PostedRow,
    ReadingRow,
    VerdictRow,
)

BATCH = 500

_SHARED = exists().where(DeliveryRow.digest_id == DigestRow.id)
_IN_A_FEED = exists().where(FeedEntryRow.digest_id == DigestRow.id)
_POSTED = exists().where(PostedRow.digest_id == DigestRow.id)
_DIGESTED = exists().where(DigestRow.content_hash == ArticleRow.content_hash)


def _awaited(content_hash: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether somebody's link to it is being worked on right now."""
    return exists().where(
        ReadingRow.content_hash == content_hash,
        DeliveryRow.canonical == ReadingRow.link,
        WAITING,
    )


UNSHARED = and_(~_SHARED, ~_IN_A_FEED, ~_POSTED, ~_awaited(DigestRow.__table__.c.content_hash))
UNREAD = and_(~_DIGESTED, ~_awaited(ArticleRow.__table__.c.content_hash))


async def delete_unshared(connection: AsyncConnection, digest_ids: Collection[str]) -> Counter[str]:
    """Of these digests those that no delivery, feed or morning leads to, and what was said of them."""
    gone: Counter[str] = Counter()
    for some in batches(digest_ids):
        wanted = select(DigestRow.id).where(DigestRow.id.in_(some), UNSHARED)
        ids = (await connection.execute(wanted)).scalars().all()
        gone += await delete_digests(connection, ids)
    return gone


async def delete_digests(connection: AsyncConnection, ids: Sequence[str]) -> Counter[str]:
    return Counter(
        verdicts=await delete_rows(connection, VerdictRow, VerdictRow.digest_id.in_(ids)),
        library=await delete_rows(connection, LibraryRow, LibraryRow.digest_id.in_(ids)),
        digests=await delete_rows(connection, DigestRow, DigestRow.id.in_(ids)),
    )


async def delete_unread(connection: AsyncConnection, hashes: Collection[str]) -> Counter[str]:
    """Of these articles those without a digest, and where they were read."""
    gone: Counter[str] = Counter()
    for some in batches(hashes):
        wanted = select(ArticleRow.content_hash).where(ArticleRow.content_hash.in_(some), UNREAD)
        gone += await delete_articles(
            connection, (await connection.execute(wanted)).scalars().all()
        )
    return gone


async def delete_articles(connection: AsyncConnection, hashes: Sequence[str]) -> Counter[str]:
    return Counter(
        readings=await delete_rows(connection, ReadingRow, ReadingRow.content_hash.in_(hashes)),
        articles=await delete_rows(connection, ArticleRow, ArticleRow.content_hash.in_(hashes)),
    )


async def delete_rows(
    connection: AsyncConnection, table: type[Base], *conditions: ColumnElement[bool]
) -> int:
    return (await connection.execute(delete(table).where(*conditions))).rowcount


def batches(values: Collection[str]) -> Iterator[list[str]]:
    """A statement has room for so many values only."""
    ordered = sorted(values)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]
