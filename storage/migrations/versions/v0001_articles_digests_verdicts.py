"""Articles, their digests, and what people said of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Written with SQLAlchemy's own types: a migration must not change when our tables do.
    op.create_table(
        "articles",
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("canonical", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("site", sa.Text),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("words", sa.Integer, nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.PrimaryKeyConstraint("content_hash", name="pk_articles"),
    )
    op.create_index("ix_articles_canonical", "articles", ["canonical"])
    op.create_table(
        "digests",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["articles.content_hash"], name="fk_digests_content_hash"
        ),
    )
    op.create_index("ix_digests_content_hash", "digests", ["content_hash"])
    op.create_index("ix_digests_created_at", "digests", ["created_at"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest_id", sa.String(64), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("question", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_verdicts_digest_id"),
        sa.UniqueConstraint(
            "digest_id", "by", "question", name="uq_verdicts_digest_id_by_question"
        ),
    )


def downgrade() -> None:
    op.drop_table("verdicts")
    op.drop_table("digests")
    op.drop_table("articles")
