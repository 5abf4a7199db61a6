"""How Alembic reaches the database: always through the connection that `storage.database`
hands it, which holds the lock and the transaction."""

from __future__ import annotations

from alembic import context

from storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by building it anew
)
context.run_migrations()
