"""What is remembered, as tables. A change here needs a migration in `migrations/versions/`
(a test compares the two)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.columns import PlainText, UtcTime


class Base(DeclarativeBase):
    # Named constraints: only what has a name can be changed by a later migration.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ArticleRow(Base):
    """An article by its content: the same text at two addresses is one row, the last address.

    `article` is the whole of it (`storage/articles.py`); None where only its digest was kept.
    """

    __tablename__ = "articles"

    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str | None] = mapped_column(PlainText)
    canonical: Mapped[str | None] = mapped_column(PlainText)
    title: Mapped[str | None] = mapped_column(PlainText)
    site: Mapped[str | None] = mapped_column(PlainText)
    language: Mapped[str] = mapped_column(String(8))
    words: Mapped[int] = mapped_column(Integer)
    fetched_at: Mapped[datetime] = mapped_column(UtcTime)
    etag: Mapped[str | None] = mapped_column(PlainText)
    last_modified: Mapped[str | None] = mapped_column(PlainText)
    article: Mapped[bytes | None] = mapped_column(LargeBinary)


class ReadingRow(Base):
    """What stood at an address when it was last read. The key is the address's SHA-256: a link
    may be longer than what PostgreSQL puts into an index."""

    __tablename__ = "readings"

    link_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    link: Mapped[str] = mapped_column(PlainText)
    content_hash: Mapped[str] = mapped_column(ForeignKey("articles.content_hash"), index=True)
    read_at: Mapped[datetime] = mapped_column(UtcTime)


class DigestRow(Base):
    __tablename__ = "digests"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    content_hash: Mapped[str] = mapped_column(ForeignKey("articles.content_hash"), index=True)
    model: Mapped[str] = mapped_column(PlainText)
    language: Mapped[str] = mapped_column(String(8))
    record: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class VerdictRow(Base):
    """What a person said of a digest; a new answer to the same question replaces the old."""

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("digest_id", "by", "question"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest_id: Mapped[str] = mapped_column(ForeignKey("digests.id"))
    by: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcTime)


_WAITING = text("state = 'waiting'")
_ANSWERED = text("state = 'answered' AND digest_id IS NOT NULL")


class DeliveryRow(Base):
    """A shared link; see core.places.Delivery. `digest_id` is no foreign key: retention may take
    a digest away while people still see who shared what."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    workspace: Mapped[str] = mapped_column(PlainText)
    channel: Mapped[str] = mapped_column(PlainText)
    thread: Mapped[str | None] = mapped_column(PlainText)
    message: Mapped[str] = mapped_column(PlainText)
    by: Mapped[str] = mapped_column(PlainText)
    link: Mapped[str] = mapped_column(PlainText)
    language: Mapped[str] = mapped_column(String(8))
    ui: Mapped[str] = mapped_column(String(8))
    nonce: Mapped[str] = mapped_column(PlainText)
    again: Mapped[bool] = mapped_column(Boolean)
    canonical: Mapped[str] = mapped_column(PlainText)
    state: Mapped[str] = mapped_column(String(16))
    turn: Mapped[int] = mapped_column(BigInteger)
    accepted_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    reply: Mapped[str | None] = mapped_column(PlainText)
    tried_by: Mapped[str | None] = mapped_column(String(200))
    tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    digest_id: Mapped[str | None] = mapped_column(String(64), index=True)
    error: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(PlainText)

    __table_args__ = (
        # Accepting looks at the waiting ones only, and there are few beside those of a year.
        Index(
            "ix_deliveries_waiting_turn", "turn", sqlite_where=_WAITING, postgresql_where=_WAITING
        ),
        Index(
            "ix_deliveries_waiting_channel",
            "platform",
            "workspace",
            "channel",
            "turn",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index("ix_deliveries_waiting_id", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        # Whose reach a digest is in: looked up with each search, so without a look at the rows.
        Index(
            "ix_deliveries_answered",
            "platform",
            "workspace",
            "channel",
            "digest_id",
            sqlite_where=_ANSWERED,
            postgresql_where=_ANSWERED,
        ),
        Index("ix_deliveries_message", "platform", "workspace", "channel", "message"),
        Index("ix_deliveries_reply", "platform", "workspace", "channel", "reply"),
        Index("ix_deliveries_by", "platform", "workspace", "by", "accepted_at"),
        Index("ix_deliveries_channel", "platform", "workspace", "channel", "accepted_at"),
        Index("ix_deliveries_workspace", "platform", "workspace", "accepted_at"),
    )


class EventRow(Base):
    """An event of a platform that has come, so that its repetition is known."""

    __tablename__ = "events"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(PlainText, primary_key=True)
    event: Mapped[str] = mapped_column(PlainText, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class ProfileRow(Base):
    """What a channel wants; `by` is who said so, empty once that person was erased."""

    __tablename__ = "channel_profiles"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(PlainText, primary_key=True)
    channel: Mapped[str] = mapped_column(PlainText, primary_key=True)
    mode: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(8))
    ui: Mapped[str | None] = mapped_column(String(8))
    by: Mapped[str] = mapped_column(PlainText)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)


class WorkspaceRow(Base):
    __tablename__ = "workspaces"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    name: Mapped[str] = mapped_column(PlainText)
    training: Mapped[bool] = mapped_column(Boolean)
    installed_at: Mapped[datetime] = mapped_column(UtcTime)


_ALIVE = text("state = 'alive'")
_CLAIMED = text("claimed_until IS NOT NULL")
_UNDIGESTED = text("digest_id IS NULL AND error IS NULL")


class FeedRow(Base):
    """A feed (core.feed.Source), polled once however many channels subscribe to it.

    `id`: SHA-256 of its first link; `link` is where it is now. `claimed_by` asks it right now and
    is believed in until `claimed_until`; meanwhile nobody asks others of its `host`. `skip`: the
    hours and days it wants to be left alone. `told`: its readers know that it is gone.
    """

    __tablename__ = "feeds"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    link: Mapped[str] = mapped_column(PlainText)
    host: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(8))
    title: Mapped[str | None] = mapped_column(PlainText)
    site: Mapped[str] = mapped_column(PlainText)
    language: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8))
    etag: Mapped[str | None] = mapped_column(PlainText)
    last_modified: Mapped[str | None] = mapped_column(PlainText)
    body_hash: Mapped[str] = mapped_column(String(64))
    interval: Mapped[float] = mapped_column(Float(53))
    ttl: Mapped[float] = mapped_column(Float(53))
    skip: Mapped[dict[str, list[int]]] = mapped_column(JSON)
    next_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    polled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    worked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    failures: Mapped[int] = mapped_column(Integer)
    error: Mapped[str] = mapped_column(String(64))
    told: Mapped[bool] = mapped_column(Boolean)
    claimed_by: Mapped[str | None] = mapped_column(PlainText)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_feeds_due", "next_at", sqlite_where=_ALIVE, postgresql_where=_ALIVE),
        Index(
            "ix_feeds_claimed", "claimed_until", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED
        ),
        Index("ix_feeds_host", "host"),
    )


class FeedEntryRow(Base):
    """An article as one feed announced it (core.feed.Entry); `found_at` is when it was seen.

    `link_hash`: SHA-256 of the link, which may be longer than what can be indexed.
    """

    __tablename__ = "feed_entries"

    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    identity: Mapped[str] = mapped_column(String(64), index=True)
    link: Mapped[str] = mapped_column(PlainText)
    link_hash: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str | None] = mapped_column(PlainText)
    summary: Mapped[str] = mapped_column(PlainText)
    published_at: Mapped[datetime | None] = mapped_column(UtcTime)
    found_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    digest_id: Mapped[str | None] = mapped_column(String(64), index=True)
    error: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_feed_entries_feed", "feed_id", "found_at"),
        Index(
            "ix_feed_entries_waiting",
            "found_at",
            sqlite_where=_UNDIGESTED,
            postgresql_where=_UNDIGESTED,
        ),
    )


class FeedKeyRow(Base):
    """What stood in a feed, by the keys of `core/identity.py`; `seen_at` is good to a day."""

    __tablename__ = "feed_keys"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"), primary_key=True, index=True)
    identity: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class SubscriptionRow(Base):
    """What a channel gets each day (core.feed.Subscription). `at` and the quiet hours are "08:00",
    local to `timezone`; `days` are numbers of weekdays, 0 is Monday."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index("ix_subscriptions_channel", "platform", "workspace", "channel"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    workspace: Mapped[str] = mapped_column(PlainText)
    channel: Mapped[str] = mapped_column(PlainText)
    thread: Mapped[str | None] = mapped_column(PlainText)
    by: Mapped[str] = mapped_column(PlainText)
    low: Mapped[float] = mapped_column(Float(53))
    high: Mapped[float] = mapped_column(Float(53))
    language: Mapped[str] = mapped_column(String(8))
    ui: Mapped[str] = mapped_column(String(8))
    include: Mapped[list[str]] = mapped_column(JSON)
    avoid: Mapped[list[str]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(String(5))
    timezone: Mapped[str] = mapped_column(String(64))
    days: Mapped[list[int]] = mapped_column(JSON)
    size: Mapped[int] = mapped_column(Integer)
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_until: Mapped[str | None] = mapped_column(String(5))
    say_nothing_new: Mapped[bool] = mapped_column(Boolean)
    paused: Mapped[bool] = mapped_column(Boolean)
    secret: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class SubscriptionFeedRow(Base):
    __tablename__ = "subscription_feeds"

    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"), primary_key=True, index=True)


class AnnouncementRow(Base):
    """What we say by ourselves; see core.announcements.Announcement. `day` is a local date."""

    __tablename__ = "announcements"
    __table_args__ = (Index("ix_announcements_days", "subscription_id", "kind", "day"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"))
    kind: Mapped[str] = mapped_column(String(8))
    day: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    about: Mapped[str] = mapped_column(String(64))
    silent: Mapped[bool] = mapped_column(Boolean)
    reply: Mapped[str | None] = mapped_column(PlainText)
    tried_by: Mapped[str | None] = mapped_column(String(200))
    tried_at: Mapped[datetime | None] = mapped_column(UtcTime)


class PostedRow(Base):
    """An article in a morning's list, `place` 0 the first. No foreign key to its entry or digest:
    that it was posted is known after both are gone, and kept from being posted again."""

    __tablename__ = "posted"

    announcement_id: Mapped[str] = mapped_column(ForeignKey("announcements.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    identity: Mapped[str] = mapped_column(PlainText)
    link: Mapped[str] = mapped_column(PlainText)
    title: Mapped[str] = mapped_column(PlainText)
    source: Mapped[str] = mapped_column(PlainText)
    source_id: Mapped[str] = mapped_column(String(64))
    digest_id: Mapped[str] = mapped_column(String(64), index=True)
    score: Mapped[float] = mapped_column(Float(53))


class ExplainedTermRow(Base):
    """A term that somebody asked for, so that a channel's vocabulary can be learned from."""

    __tablename__ = "explained_terms"
    __table_args__ = (Index("ix_explained_terms_channel", "platform", "workspace", "channel"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    platform: Mapped[str] = mapped_column(String(16))
    workspace: Mapped[str] = mapped_column(PlainText)
    channel: Mapped[str] = mapped_column(PlainText)
    by: Mapped[str] = mapped_column(PlainText)
    term: Mapped[str] = mapped_column(PlainText)
    language: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class LibraryRow(Base):
    """A digest as the index knows it (core.retrieval.document). `seq` grows with every change, so
    that an index in memory learns what is new; `made_by` says which code and encoder made it."""

    __tablename__ = "library"

    digest_id: Mapped[str] = mapped_column(String(64), ForeignKey("digests.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    site: Mapped[str | None] = mapped_column(PlainText)
    difficulty: Mapped[float] = mapped_column(Float(53))
    digested_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    made_by: Mapped[str] = mapped_column(PlainText)
    passages: Mapped[int] = mapped_column(Integer)
    head: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_library_seq", "seq", unique=True),)


class ProcessRow(Base):
    """A process that shares the work; see core.places.Process."""

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    host: Mapped[str] = mapped_column(PlainText)
    pid: Mapped[int] = mapped_column(Integer)
    born: Mapped[float] = mapped_column(Float(53))
    kind: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    retired: Mapped[bool] = mapped_column(Boolean)
