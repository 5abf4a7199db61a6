"""Deliveries and what belongs to people and channels; articles with their text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW = """deliveries events channel_profiles workspaces subscription_feeds subscriptions feed_entries
feeds explained_terms processes readings""".split()


def upgrade() -> None:
    op.add_column("articles", sa.Column("article", sa.LargeBinary))
    # Nothing looks for it any more, and PostgreSQL refuses to index a long address.
    op.drop_index("ix_articles_canonical", "articles")
    op.create_table(
        "readings",
        sa.Column("link_hash", sa.String(64), nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        _time("read_at"),
        sa.PrimaryKeyConstraint("link_hash", name="pk_readings"),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["articles.content_hash"], name="fk_readings_content_hash"
        ),
    )
    op.create_index("ix_readings_content_hash", "readings", ["content_hash"])
    _deliveries()
    _channels()
    _feeds()
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("born", sa.Float(53), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        _time("seen_at"),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )


def downgrade() -> None:
    for name in NEW:
        op.drop_table(name)
    op.create_index("ix_articles_canonical", "articles", ["canonical"])
    op.drop_column("articles", "article")


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _place() -> list[sa.Column[str]]:
    return [
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
    ]


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), nullable=False),
        *_place(),
        sa.Column("thread", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("ui", sa.String(8), nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("again", sa.Boolean, nullable=False),
        sa.Column("canonical", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        _time("accepted_at"),
        sa.Column("reply", sa.Text),
        sa.Column("tried_by", sa.String(200)),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("digest_id", sa.String(64)),
        sa.Column("error", sa.String(64)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    waiting = sa.text("state = 'waiting'")
    for name, columns in {
        "waiting_turn": ["turn"],
        "waiting_channel": ["platform", "workspace", "channel", "turn"],
        "waiting_id": ["id"],
    }.items():
        op.create_index(
            f"ix_deliveries_{name}",
            "deliveries",
            columns,
            sqlite_where=waiting,
            postgresql_where=waiting,
        )
    for name, columns in {
        "message": ["platform", "workspace", "channel", "message"],
        "reply": ["platform", "workspace", "channel", "reply"],
        "by": ["platform", "workspace", "by", "accepted_at"],
        "channel": ["platform", "workspace", "channel", "accepted_at"],
        "workspace": ["platform", "workspace", "accepted_at"],
        "accepted_at": ["accepted_at"],
        "digest_id": ["digest_id"],
    }.items():
        op.create_index(f"ix_deliveries_{name}", "deliveries", columns)
    op.create_table(
        "events",
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("platform", "workspace", "event", name="pk_events"),
    )
    op.create_index("ix_events_seen_at", "events", ["seen_at"])


def _channels() -> None:
    op.create_table(
        "channel_profiles",
        *_place(),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("ui", sa.String(8)),
        sa.Column("by", sa.Text, nullable=False),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("platform", "workspace", "channel", name="pk_channel_profiles"),
    )
    op.create_table(
        "workspaces",
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("training", sa.Boolean, nullable=False),
        _time("installed_at"),
        sa.PrimaryKeyConstraint("platform", "id", name="pk_workspaces"),
    )
    op.create_table(
        "explained_terms",
        sa.Column("id", sa.Integer, nullable=False),
        *_place(),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("term", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name="pk_explained_terms"),
    )
    op.create_index(
        "ix_explained_terms_channel", "explained_terms", ["platform", "workspace", "channel"]
    )
    op.create_index("ix_explained_terms_at", "explained_terms", ["at"])


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        _time("next_at"),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
    )
    op.create_index("ix_feeds_next_at", "feeds", ["next_at"])
    op.create_table(
        "feed_entries",
        sa.Column("feed_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        _time("published_at", nullable=True),
        _time("found_at"),
        sa.Column("digest_id", sa.String(64)),
        sa.PrimaryKeyConstraint("feed_id", "id", name="pk_feed_entries"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_feed_entries_feed_id"),
    )
    op.create_index("ix_feed_entries_found_at", "feed_entries", ["found_at"])
    op.create_index("ix_feed_entries_digest_id", "feed_entries", ["digest_id"])
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(32), nullable=False),
        *_place(),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("levels", sa.JSON, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
    )
    op.create_index(
        "ix_subscriptions_channel", "subscriptions", ["platform", "workspace", "channel"]
    )
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
