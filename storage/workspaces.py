"""Who has installed the bot: `core.ports.Workspaces` on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.places import Platform, Workspace
from storage import statements
from storage.statements import utc_now
from storage.tables import WorkspaceRow
from storage.trouble import reading, writing

_table = WorkspaceRow.__table__


class SqlWorkspaces:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def put(self, workspace: Workspace) -> None:
        values = {**asdict(workspace), "installed_at": self._now()}
        async with writing(self._engine) as connection:
            await statements.put(connection, WorkspaceRow, values, keep=["installed_at"])

    async def get(self, platform: Platform, workspace_id: str) -> Workspace | None:
        wanted = select(_table).where(
            WorkspaceRow.platform == platform, WorkspaceRow.id == workspace_id
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else _workspace(row)

    async def all(self, platform: Platform) -> list[Workspace]:
        wanted = select(_table).where(WorkspaceRow.platform == platform)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted.order_by(WorkspaceRow.id))).all()
        return [_workspace(row) for row in rows]


def _workspace(row: Row[Any]) -> Workspace:
    return Workspace(cast("Platform", row.platform), row.id, row.name, row.training)
