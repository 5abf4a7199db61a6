"""Daily digests as they are subscribed to and were posted.

A range of difficulty instead of levels, a time instead of an hour. What was subscribed to before
is kept: levels become the range that they span.
"""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LEVELS = ("beginner", "elementary", "intermediate", "advanced", "expert")
_time = sa.DateTime(timezone=True)
_PLACE = ("platform", "workspace", "channel")
_KEPT = ("id", *_PLACE, "by", "timezone", "size", "created_at")

# As statements see them; what is not a string or a number has to say so.
OLD = sa.table(
    "subscriptions",
    *map(sa.column, ("id", *_PLACE, "by", "hour", "timezone", "size")),
    sa.column("levels", sa.JSON),
    sa.column("created_at", _time),
)
NEW = sa.table(
    "subscriptions",
    *map(sa.column, ("id", *_PLACE, "by", "low", "high", "language", "ui", "at", "timezone")),
    *map(sa.column, ("size", "secret")),
    *(sa.column(name, sa.JSON) for name in ("include", "avoid", "days")),
    *(sa.column(name, sa.Boolean) for name in ("say_nothing_new", "paused")),
    sa.column("created_at", _time),
)
FEEDS = sa.table("subscription_feeds", sa.column("subscription_id"), sa.column("feed_id"))


def upgrade() -> None:
    subscriptions, feeds = _taken_down(OLD)
    op.create_table(
        "subscriptions",
        *_owner(),
        sa.Column("thread", sa.Text),
        sa.Column("low", sa.Float(53), nullable=False),
        sa.Column("high", sa.Float(53), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("ui", sa.String(8), nullable=False),
        sa.Column("include", sa.JSON, nullable=False),
        sa.Column("avoid", sa.JSON, nullable=False),
        sa.Column("at", sa.String(5), nullable=False),
        sa.Column("days", sa.JSON, nullable=False),
        sa.Column("quiet_from", sa.String(5)),
        sa.Column("quiet_until", sa.String(5)),
        sa.Column("say_nothing_new", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.UniqueConstraint("secret", name="uq_subscriptions_secret"),
    )
    _put_back(NEW, [_widened(one) for one in subscriptions], feeds)
    _announcements()


def downgrade() -> None:
    op.drop_table("posted")
    op.drop_table("announcements")
    subscriptions, feeds = _taken_down(NEW)
    op.create_table(
        "subscriptions",
        *_owner(),
        sa.Column("levels", sa.JSON, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
    )
    _put_back(OLD, [_narrowed(one) for one in subscriptions], feeds)


def _taken_down(table: sa.TableClause) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    connection = op.get_bind()
    kept = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    feeds = [dict(row) for row in connection.execute(sa.select(FEEDS)).mappings()]
    op.drop_table("subscription_feeds")
    op.drop_table("subscriptions")
    return kept, feeds


def _put_back(
    table: sa.TableClause, kept: list[dict[str, Any]], feeds: list[dict[str, Any]]
) -> None:
    op.create_index("ix_subscriptions_channel", "subscriptions", list(_PLACE))
    op.create_table(
        "subscription_feeds",
        sa.Column("subscription_id", sa.String(32), nullable=False),
        sa.Column("feed_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "feed_id", name="pk_subscription_feeds"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_subscription_feeds_subscription_id"
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_subscription_feeds_feed_id"),
    )
    op.create_index("ix_subscription_feeds_feed_id", "subscription_feeds", ["feed_id"])
    if kept:
        op.bulk_insert(table, kept)
    if feeds:
        op.bulk_insert(FEEDS, feeds)


def _owner() -> list[Any]:
    return [
        sa.Column("id", sa.String(32), nullable=False),
        *(
            sa.Column(name, sa.String(16) if name == "platform" else sa.Text, nullable=False)
            for name in _PLACE
        ),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
    ]


def _widened(old: dict[str, Any]) -> dict[str, Any]:
    levels = [LEVELS.index(one) + 1 for one in old["levels"] if one in LEVELS] or [1, 5]
    return {name: old[name] for name in _KEPT} | {
        "low": max(1.0, min(levels) - 0.5),
        "high": min(5.0, max(levels) + 0.5),
        "language": "auto",
        "ui": "en",
        "include": [],
        "avoid": [],
        "at": f"{old['hour']:02d}:00",
        "days": list(range(7)),
        "say_nothing_new": False,
        "paused": False,
        "secret": secrets.token_urlsafe(24),
    }


def _narrowed(new: dict[str, Any]) -> dict[str, Any]:
    spanned = [
        name for level, name in enumerate(LEVELS, start=1) if new["low"] <= level <= new["high"]
    ]
    hour = int(new["at"].partition(":")[0])
    return {name: new[name] for name in _KEPT} | {"levels": spanned or [*LEVELS], "hour": hour}


def _announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subscription_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("made_at", _time, nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("tried_by", sa.String(200)),
        sa.Column("tried_at", _time),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_announcements_subscription_id"
        ),
    )
    op.create_index("ix_announcements_days", "announcements", ["subscription_id", "kind", "day"])
    op.create_index("ix_announcements_made_at", "announcements", ["made_at"])
    op.create_table(
        "posted",
        sa.Column("announcement_id", sa.String(32), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("subscription_id", sa.String(32), nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.String(64), nullable=False),
        sa.Column("digest_id", sa.String(64), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("announcement_id", "place", name="pk_posted"),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["announcements.id"], name="fk_posted_announcement_id"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_posted_subscription_id"
        ),
    )
    op.create_index("ix_posted_subscription_id", "posted", ["subscription_id"])
    op.create_index("ix_posted_digest_id", "posted", ["digest_id"])
