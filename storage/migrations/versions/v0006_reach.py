"""What a channel's members may find, looked up in an index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    answered = sa.text("state = 'answered' AND digest_id IS NOT NULL")
    op.create_index(
        "ix_deliveries_answered",
        "deliveries",
        ["platform", "workspace", "channel", "digest_id"],
        sqlite_where=answered,
        postgresql_where=answered,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_answered", table_name="deliveries")
