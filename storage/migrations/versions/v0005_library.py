"""The index over what was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "library",
        sa.Column("digest_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("site", sa.Text),
        sa.Column("difficulty", sa.Float(53), nullable=False),
        sa.Column("digested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest_id", name="pk_library"),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name="fk_library_digest_id_digests"),
    )
    op.create_index("ix_library_seq", "library", ["seq"], unique=True)
    op.create_index("ix_library_digested_at", "library", ["digested_at"])


def downgrade() -> None:
    op.drop_table("library")
