"""What polling needs to know of feeds and their entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEXES: dict[str, tuple[str, list[str], str]] = {
    "ix_feeds_due": ("feeds", ["next_at"], "state = 'alive'"),
    "ix_feeds_claimed": ("feeds", ["claimed_until"], "claimed_until IS NOT NULL"),
    "ix_feeds_host": ("feeds", ["host"], ""),
    "ix_feed_entries_id": ("feed_entries", ["id"], ""),
    "ix_feed_entries_identity": ("feed_entries", ["identity"], ""),
    "ix_feed_entries_link_hash": ("feed_entries", ["link_hash"], ""),
    "ix_feed_entries_feed": ("feed_entries", ["feed_id", "found_at"], ""),
    "ix_feed_entries_waiting": (
        "feed_entries",
        ["found_at"],
        "digest_id IS NULL AND error IS NULL",
    ),
}


def _columns() -> dict[str, list[sa.Column[object]]]:
    # Whatever was kept before is as new: asked once more, its entries known by their links.
    feeds: list[sa.Column[object]] = [
        sa.Column("host", sa.String(300), nullable=False, server_default=""),
        sa.Column("kind", sa.String(8), nullable=False, server_default="feed"),
        sa.Column("site", sa.Text, nullable=False, server_default=""),
        sa.Column("language", sa.String(8)),
        sa.Column("state", sa.String(8), nullable=False, server_default="alive"),
        sa.Column("body_hash", sa.String(64), nullable=False, server_default=""),
        sa.Column("interval", sa.Float(53), nullable=False, server_default="3600"),
        sa.Column("ttl", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("skip", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("polled_at", sa.DateTime(timezone=True)),
        sa.Column("worked_at", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.String(64), nullable=False, server_default=""),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
    ]
    entries: list[sa.Column[object]] = [
        sa.Column("identity", sa.String(64), nullable=False, server_default=""),
        sa.Column("link_hash", sa.String(64), nullable=False, server_default=""),
        sa.Column("summary", sa.Text, nullable=False, server_default=""),
        sa.Column("error", sa.String(64)),
    ]
    return {"feeds": feeds, "feed_entries": entries}


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE feed_entries SET identity = id, link_hash = id")
    for name, (table, names, only) in _INDEXES.items():
        where = sa.text(only) if only else None
        op.create_index(name, table, names, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "feed_keys",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("feed_id", sa.String(64), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "feed_id", name="pk_feed_keys"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_feed_keys_feed_id"),
    )
    op.create_index("ix_feed_keys_feed_id", "feed_keys", ["feed_id"])
    op.create_index("ix_feed_keys_seen_at", "feed_keys", ["seen_at"])


def downgrade() -> None:
    op.drop_table("feed_keys")
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
