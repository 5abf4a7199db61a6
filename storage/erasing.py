"""Erasing a person, a channel or a workspace: `core.ports.Erasing` on SQLAlchemy.

What is theirs goes: links shared, events, wishes, questions, verdicts. So do the digests and
articles that only their deliveries led to. What was set up for others (a channel's profile,
its subscriptions) stays and forgets who did it. A table that comes to hold something of
people belongs in here; `tests/integration/test_erasing.py` asks for every table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.places import Erased, Scope
from storage.articles import hash_of
from storage.feeds import delete_feeds
from storage.orphans import batches, delete_rows, delete_unread, delete_unshared
from storage.subscriptions import delete_subscriptions
from storage.tables import (
    DeliveryRow,
    DigestRow,
    EventRow,
    ExplainedTermRow,
    FeedEntryRow,
    FeedRow,
    PostedRow,
    ProfileRow,
    ReadingRow,
    SubscriptionFeedRow,
    SubscriptionRow,
    VerdictRow,
    WorkspaceRow,
)
from storage.trouble import writing

Owned = type[DeliveryRow] | type[ExplainedTermRow] | type[SubscriptionRow] | type[ProfileRow]


class SqlErasing:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def look(self, scope: Scope) -> Erased:
        # The very same statements, undone: what is shown is what would happen.
        async with writing(self._engine) as connection:
            found = await _erase(connection, scope)
            await connection.rollback()
        return found

    async def erase(self, scope: Scope) -> Erased:
        async with writing(self._engine) as connection:
            return await _erase(connection, scope)


async def _erase(connection: AsyncConnection, scope: Scope) -> Erased:
    wanted = select(DeliveryRow.id, DeliveryRow.canonical, DeliveryRow.digest_id)
    shared = (await connection.execute(wanted.where(*_whose(DeliveryRow, scope)))).all()
    digests = {row.digest_id for row in shared if row.digest_id}
    texts = await _texts(connection, shared)
    gone: Counter[str] = Counter()
    for table in (DeliveryRow, ExplainedTermRow):
        name = table.__tablename__
        gone[name] += await delete_rows(connection, table, *_whose(table, scope))
    gone += await _verdicts(connection, scope)
    if scope.user:
        gone += await _forget_name(connection, scope)
    else:
        wishes, read = await _wishes(connection, scope)
        gone += wishes
        digests |= read
    if not scope.user and not scope.channel:
        gone += await _workspace(connection, scope)
    gone += await delete_unshared(connection, digests)
    gone += await delete_unread(connection, texts)
    rows = {name: count for name, count in sorted(gone.items()) if count}
    return Erased(rows, tuple(sorted(row.id for row in shared)))


async def _texts(connection: AsyncConnection, shared: Sequence[Row[*tuple[Any, ...]]]) -> set[str]:
    """The articles that were digested or at least read for these deliveries."""
    found: set[str] = set()
    for ids in batches({row.digest_id for row in shared if row.digest_id}):
        digested = select(DigestRow.content_hash).where(DigestRow.id.in_(ids))
        found.update((await connection.execute(digested)).scalars())
    for links in batches({hash_of(row.canonical) for row in shared}):
        read = select(ReadingRow.content_hash).where(ReadingRow.link_hash.in_(links))
        found.update((await connection.execute(read)).scalars())
    return found


async def _verdicts(connection: AsyncConnection, scope: Scope) -> Counter[str]:
    """A verdict's person is `platform:workspace:user`. Those of a channel go with its digests:
    nobody knows any more where a button was pressed."""
    if scope.channel:
        return Counter()
    if scope.user:
        whose = VerdictRow.by == f"{scope.platform}:{scope.workspace}:{scope.user}"
    else:
        # Not LIKE: in SQLite it takes t1 for T1.
        start = f"{scope.platform}:{scope.workspace}:"
        whose = func.substr(VerdictRow.by, 1, len(start)) == start
    return Counter(verdicts=await delete_rows(connection, VerdictRow, whose))


async def _forget_name(connection: AsyncConnection, scope: Scope) -> Counter[str]:
    gone: Counter[str] = Counter()
    for table in (ProfileRow, SubscriptionRow):
        change = update(table).where(*_whose(table, scope)).values(by="")
        gone[table.__tablename__] += (await connection.execute(change)).rowcount
    return gone


async def _wishes(connection: AsyncConnection, scope: Scope) -> tuple[Counter[str], set[str]]:
    """The profile and the subscriptions, and feeds that nobody else reads; the digests that were
    made for them."""
    mine = select(SubscriptionRow.id).where(*_whose(SubscriptionRow, scope))
    ids = (await connection.execute(mine)).scalars().all()
    feeds: set[str] = set()
    digests: set[str] = set()
    for some in batches(ids):
        read = SubscriptionFeedRow.subscription_id.in_(some)
        wanted = select(SubscriptionFeedRow.feed_id).where(read)
        feeds.update((await connection.execute(wanted)).scalars())
        told = select(PostedRow.digest_id).where(PostedRow.subscription_id.in_(some))
        digests.update((await connection.execute(told)).scalars())
    gone = Counter(
        channel_profiles=await delete_rows(connection, ProfileRow, *_whose(ProfileRow, scope)),
        **await delete_subscriptions(connection, ids),
    )
    others = exists().where(SubscriptionFeedRow.feed_id == FeedRow.id)
    for some in batches(feeds):
        unread = select(FeedRow.id).where(FeedRow.id.in_(some), ~others)
        nobodys = (await connection.execute(unread)).scalars().all()
        theirs = FeedEntryRow.feed_id.in_(nobodys)
        made = select(FeedEntryRow.digest_id).where(theirs, FeedEntryRow.digest_id.is_not(None))
        digests.update(one for one in (await connection.execute(made)).scalars() if one)
        gone += Counter(await delete_feeds(connection, nobodys))
    return gone, digests


async def _workspace(connection: AsyncConnection, scope: Scope) -> Counter[str]:
    return Counter(
        events=await delete_rows(
            connection,
            EventRow,
            EventRow.platform == scope.platform,
            EventRow.workspace == scope.workspace,
        ),
        workspaces=await delete_rows(
            connection,
            WorkspaceRow,
            WorkspaceRow.platform == scope.platform,
            WorkspaceRow.id == scope.workspace,
        ),
    )


def _whose(table: Owned, scope: Scope) -> list[ColumnElement[bool]]:
    found = [table.platform == scope.platform, table.workspace == scope.workspace]
    if scope.channel:
        found.append(table.channel == scope.channel)
    if scope.user:
        found.append(table.by == scope.user)
    return found
