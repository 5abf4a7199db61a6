"""What each channel wants: `core.ports.Profiles` on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from core.places import ChannelProfile, Place
from storage import statements
from storage.short import read
from storage.statements import utc_now
from storage.tables import ProfileRow
from storage.trouble import writing


class SqlProfiles:
    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._now = now

    async def get(self, place: Place) -> ChannelProfile:
        wanted = select(ProfileRow.mode, ProfileRow.language, ProfileRow.ui).where(
            ProfileRow.platform == place.platform,
            ProfileRow.workspace == place.workspace,
            ProfileRow.channel == place.channel,
        )
        row = await read(self._engine, lambda one: one.execute(wanted).one_or_none())
        if row is None:
            return ChannelProfile()
        return ChannelProfile(mode=row.mode, language=row.language, ui=row.ui)

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None:
        where = {
            "platform": place.platform,
            "workspace": place.workspace,
            "channel": place.channel,
        }
        values = {**where, **asdict(profile), "by": by, "changed_at": self._now()}
        async with writing(self._engine) as connection:
            await statements.put(connection, ProfileRow, values)
