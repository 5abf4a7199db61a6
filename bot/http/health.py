"""Whether the service can do its work now: what /readyz asks besides the chats."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import DigestError

if TYPE_CHECKING:
    from bot.wiring import Service  # at run time we are given one; its imports stay there

_DATABASE_SECONDS = 2.0


async def away(service: Service, engine: object) -> list[str]:
    """What does not answer: "database", "model". Asked for every few seconds, so it is cheap."""
    missing = []
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            await service.digests.recent(1)
    except (DigestError, TimeoutError):
        missing.append("database")
    servers = getattr(engine, "healthy", None)
    if servers is not None and not any(servers.values()):
        missing.append("model")
    return missing
