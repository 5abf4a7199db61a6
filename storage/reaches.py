"""Which digests somebody may find: what was shared in the channels that they may read.

Asked with each search, so what is asked is made once and answered by an index alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection

from sqlalchemy import BindParameter, Select, bindparam, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from core.library import Channels
from storage.orphans import batches
from storage.tables import DeliveryRow, PostedRow, SubscriptionRow
from storage.trouble import reading

# Up to so many digests are listed; where there are more a list takes longer than looking the best
# of everything up.
_FEW = 10_000
_ALL = 2**62
_KNOWN = 300.0  # seconds in which a reach is known to be large
_REMEMBERED = 10_000


class Reaches:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._large: dict[Channels, float] = {}

    async def few(self, reach: Channels) -> set[str] | None:
        """All digests within reach; None where they are many, which is remembered for a while."""
        if self._large.get(reach, -math.inf) > time.monotonic() - _KNOWN:
            return None
        found = await self._listed(reach, None, most=_FEW)
        if len(found) < _FEW:
            return set(found)
        if len(self._large) >= _REMEMBERED:
            self._large.clear()
        self._large[reach] = time.monotonic()
        return None

    async def visible(self, reach: Channels, digest_ids: Collection[str] | None = None) -> set[str]:
        """Digests within reach: of these, or all."""
        return set(await self._listed(reach, digest_ids))

    async def _listed(
        self, reach: Channels, digest_ids: Collection[str] | None, *, most: int = _ALL
    ) -> list[str]:
        """As often as they were shared, at most so many for a batch of channels."""
        found: list[str] = []
        wanted = _IN_ONE[digest_ids is None]
        who = {"platform": reach.platform, "workspace": reach.workspace, "most": most}
        async with reading(self._engine) as connection:
            for channels in batches(reach.channels):
                for ids in [[]] if digest_ids is None else batches(digest_ids):
                    given = {**who, "channels": channels, "ids": ids}
                    joined = (await connection.execute(wanted, given)).scalar_one()
                    found += (joined or "").split()
        return found


def _shared(*, only: bool) -> Select[str]:
    """Digests that answered a link in these channels, or stood in a morning's list there; `only`:
    of some."""
    channels: BindParameter[str] = bindparam("channels", expanding=True)
    ids: BindParameter[str] = bindparam("ids", expanding=True)
    answered = select(DeliveryRow.digest_id).where(
        DeliveryRow.platform == bindparam("platform"),
        DeliveryRow.workspace == bindparam("workspace"),
        DeliveryRow.channel.in_(channels),
        # As it is written in the index ix_deliveries_answered, or that would not be used.
        text("deliveries.state = 'answered' AND deliveries.digest_id IS NOT NULL"),
    )
    posted = (
        select(PostedRow.digest_id)
        .join(SubscriptionRow, SubscriptionRow.id == PostedRow.subscription_id)
        .where(
            SubscriptionRow.platform == bindparam("platform"),
            SubscriptionRow.workspace == bindparam("workspace"),
            SubscriptionRow.channel.in_(channels),
        )
    )
    if only:
        answered = answered.where(DeliveryRow.digest_id.in_(ids))
        posted = posted.where(PostedRow.digest_id.in_(ids))
    return select(union_all(answered, posted).subquery().c.digest_id)


ALL_SHARED = _shared(only=False)
# In one long text, since thousands of rows take longer; the key: whether of all.
_IN_ONE = {
    every: select(
        func.aggregate_strings(
            _shared(only=not every).limit(bindparam("most")).subquery().c.digest_id, " "
        )
    )
    for every in (True, False)
}
