"""Which workspaces have us, and with which token: one by its token, or many by OAuth.

Bolt asks here instead of calling `auth.test` for every event, and would drop an event (with an
acknowledgement) when that call failed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.installation import (
    Installation as StoredInstallation,
)

from core.errors import ChatRefused, ChatUnavailable

log = logging.getLogger(__name__)

_REMEMBERED = 300.0  # seconds; another process may have installed or removed it
_LEFT_ALONE = 300.0  # seconds before a workspace that refused our token is tried again
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Installation:
    """A workspace's bot."""

    team: str
    token: str
    bot_id: str
    bot_user: str


class ByTeam(AsyncInstallationStore):
    """Installations are kept under their workspace alone: where a message is sent we know no
    organisation, and in an Enterprise Grid the library would keep them under both."""

    def __init__(self, inner: AsyncInstallationStore) -> None:
        self._inner = inner

    @property
    def logger(self) -> logging.Logger:
        return self._inner.logger

    async def async_save(self, installation: StoredInstallation) -> None:
        # One install for all workspaces of an organisation has no workspace to be kept under.
        # Its token would lie about and never be used: the person is told instead.
        if installation.is_enterprise_install:
            return
        installation.enterprise_id = None
        await self._inner.async_save(installation)


class Installations(AsyncAuthorize):
    """`single` is the workspace whose token is in the settings; else the store knows them."""

    def __init__(
        self,
        store: AsyncInstallationStore | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.single: Installation | None = None
        self._clock = clock
        self._known: dict[str, tuple[float, Installation]] = {}
        self._gone: dict[str, float] = {}

    async def __call__(
        self, *, context: Any, enterprise_id: str | None, team_id: str | None, **_: Any
    ) -> AuthorizeResult | None:
        found = await self._find(team_id or "")
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=found.team,
            bot_id=found.bot_id,
            bot_user_id=found.bot_user,
            bot_token=found.token,
        )

    async def of(self, team: str) -> Installation:
        """Raises ChatRefused where we are not (any more), ChatUnavailable before we know."""
        if self.store is None and self.single is None:
            raise ChatUnavailable(team, "not connected yet", retry_after=1.0)
        found = None if self._is_gone(team) else await self._find(team)
        if found is None:
            raise ChatRefused(team, "not installed")
        return found

    def gone(self, team: str, why: str) -> None:
        """Nothing is sent there until it is installed again, or a while has passed."""
        if not self._is_gone(team):
            log.warning("workspace %s: the bot is not installed any more (%s)", team, why)
        self._gone[team] = self._clock() + _LEFT_ALONE
        self._known.pop(team, None)

    def _is_gone(self, team: str) -> bool:
        return self._gone.get(team, 0.0) > self._clock()

    async def removed(self, team: str, why: str) -> None:
        """It was uninstalled, or its tokens were revoked: its token is forgotten."""
        self.gone(team, why)
        if self.store is not None:
            await self.store.async_delete_all(enterprise_id=None, team_id=team)

    def installed(self, team: str) -> None:
        """Once more, perhaps with another token."""
        self._gone.pop(team, None)
        self._known.pop(team, None)

    async def _find(self, team: str) -> Installation | None:
        if self.single is not None:
            return self.single
        known = self._known.get(team)
        if known is not None and self._clock() - known[0] < _REMEMBERED:
            return known[1]
        found = await self._stored(team)
        if found is None:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[team] = (self._clock(), found)
        return found

    async def _stored(self, team: str) -> Installation | None:
        if self.store is None or not team:
            return None
        bot = await self.store.async_find_bot(enterprise_id=None, team_id=team)
        if bot is None or bot.bot_token is None:
            return None
        return Installation(team, bot.bot_token, bot.bot_id or "", bot.bot_user_id or "")
