"""A process at work: signs of life first, then the queue, then the chats; and back again.

beat → take part in the work → adopt what the dead left → open the chats … close them →
finish or leave begun → say that we are gone
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from bot.chats import Surface
from bot.durable.workflows import Workflows
from bot.presence import Presence
from core.errors import DigestError

log = logging.getLogger(__name__)

_HOUSE_SECONDS = 3600.0
_CONNECTING_SECONDS = 10.0


@asynccontextmanager
async def at_work(
    workflows: Workflows,
    presence: Presence,
    surfaces: Sequence[Surface],
    keep_house: Callable[[], Awaitable[None]],
    *,
    beside: Sequence[Callable[[], AbstractAsyncContextManager[object]]] = (),
) -> AsyncIterator[None]:
    """`beside` is opened last and closed first: what happens without being asked. Raises SettingsError where a chat's tokens are wrong."""
    async with AsyncExitStack() as stack:
        workflows.connected.clear()
        await presence.beat()
        stack.push_async_callback(presence.leave)
        await stack.enter_async_context(workflows.open())
        await presence.begin()
        stack.push_async_callback(_ended, asyncio.create_task(presence.run()))
        stack.push_async_callback(_ended, asyncio.create_task(_housekeeping(keep_house)))
        for surface in surfaces:
            stack.push_async_callback(surface.close)
        stack.push_async_callback(_ended, *await _started(surfaces))
        workflows.connected.set()
        for opened in beside:
            await stack.enter_async_context(opened())
        yield


async def _started(surfaces: Sequence[Surface]) -> list[asyncio.Task[None]]:
    """All of them connect at once. One whose platform is away goes on trying and keeps nobody
    else waiting; those are returned."""
    starting = [asyncio.create_task(surface.start()) for surface in surfaces]
    if not starting:
        return []
    done, away = await asyncio.wait(starting, timeout=_CONNECTING_SECONDS)
    try:
        for task in done:
            task.result()
    except BaseException:
        await _ended(*away)
        raise
    for task in away:
        task.add_done_callback(_tell)
    return [*away]


def _tell(starting: asyncio.Task[None]) -> None:
    if not starting.cancelled() and (error := starting.exception()) is not None:
        log.error("a chat could not be connected: %s", error)


async def _housekeeping(keep_house: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await keep_house()
        except DigestError as error:
            log.warning("old things could not be cleared away: %s", error)
        except Exception:
            log.exception("clearing away old things failed")
        await asyncio.sleep(_HOUSE_SECONDS)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
