"""A process at work: signs of life first, then the queue, then the chats; and back again.

beat → take part in the work → adopt what the dead left → open the chats … close them →
finish or leave begun → say that we are gone
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bot.chats import Surface
from bot.presence import Presence
from bot.workflows import Workflows
from core.errors import DigestError

log = logging.getLogger(__name__)

_HOUSE_SECONDS = 3600.0


@asynccontextmanager
async def at_work(
    workflows: Workflows,
    presence: Presence,
    surfaces: Sequence[Surface],
    keep_house: Callable[[], Awaitable[None]],
) -> AsyncIterator[None]:
    """Raises SettingsError where a chat's tokens are wrong."""
    async with AsyncExitStack() as stack:
        await presence.beat()
        stack.push_async_callback(presence.leave)
        await stack.enter_async_context(workflows.open())
        await presence.begin()
        stack.push_async_callback(_ended, asyncio.create_task(presence.run()))
        stack.push_async_callback(_ended, asyncio.create_task(_housekeeping(keep_house)))
        for surface in surfaces:
            stack.push_async_callback(surface.close)
            await surface.start()
        yield


async def _housekeeping(keep_house: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await keep_house()
        except DigestError as error:
            log.warning("old things could not be cleared away: %s", error)
        except Exception:
            log.exception("clearing away old things failed")
        await asyncio.sleep(_HOUSE_SECONDS)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
