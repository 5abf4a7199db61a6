"""Slack's installations: which workspaces gave us which token, in slack_sdk's own tables.

Their form is the library's, so they stand outside our migrations; they are made where somebody
sets `slack.client_id`, and only there.
"""

from __future__ import annotations

from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from sqlalchemy import Connection, column, delete, inspect, table
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import MIGRATION_LOCK
from storage.trouble import writing

# Time to answer "may it be installed?".
STATE_SECONDS = 600
_TABLES = ("slack_bots", "slack_installations")


async def open_installations(
    database: AsyncEngine, client_id: str
) -> tuple[AsyncSQLAlchemyInstallationStore, AsyncSQLAlchemyOAuthStateStore]:
    """The two stores, their tables made where they are missing (by one process at a time)."""
    installations = AsyncSQLAlchemyInstallationStore(client_id, database)
    states = AsyncSQLAlchemyOAuthStateStore(STATE_SECONDS, database)
    async with writing(database) as connection:
        if database.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        await connection.run_sync(installations.metadata.create_all)
        await connection.run_sync(states.metadata.create_all)
    return installations, states


async def forget_installation(database: AsyncEngine, team: str) -> int:
    """Deletes the tokens of a workspace; how many rows that were."""
    async with writing(database) as connection:
        known = await connection.run_sync(_known)
        gone = 0
        for name in known:
            whose = table(name, column("team_id"))
            done = await connection.execute(delete(whose).where(whose.c.team_id == team))
            gone += done.rowcount
    return gone


def _known(connection: Connection) -> list[str]:
    return [name for name in _TABLES if inspect(connection).has_table(name)]
