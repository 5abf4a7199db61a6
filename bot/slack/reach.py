"""Whose articles somebody may see in Slack: those of public channels and of where they ask.

An answer may be shared with the channel it was asked in, so other private channels of the asking
person do not count. Guests see the public channels that they were let into. In a channel that is
shared with another organisation only what was shared in it counts: they read along.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from bot.slack.api import Api
from bot.slack.installations import Installations
from bot.slack.people import People
from core.errors import ChatFailed
from core.library import Channels
from core.places import Place

log = logging.getLogger(__name__)

_FRESH = 60.0  # seconds; a channel made private is closed to others after so long
_MOST = 2_000
_PAGE, _MOST_PAGES = 1000, 20


class Reaching:
    def __init__(
        self,
        api: Api,
        installations: Installations,
        people: People,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._installations = installations
        self._people = people
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[float, frozenset[str]]] = OrderedDict()
        self._outside: OrderedDict[tuple[str, str], tuple[float, bool]] = OrderedDict()

    async def of(self, place: Place, user: str) -> Channels:
        """Where Slack cannot say, only the channel in which it was asked."""
        try:
            public = await self._public(place.workspace)
            if await self._read_outside(place):
                public = frozenset()
            elif await self._people.is_guest(place.workspace, user):
                public &= await self._public(place.workspace, user)
        except ChatFailed as error:
            log.info("public channels are not known: %s", error)
            public = frozenset()
        return Channels("slack", place.workspace, public | {place.channel})

    async def _public(self, team: str, user: str = "") -> frozenset[str]:
        """Public channels that the bot, or somebody, is in."""
        known = self._known.get((team, user))
        if known is not None and self._clock() - known[0] < _FRESH:
            return known[1]
        found = frozenset(await self._look_up(team, user))
        self._known[team, user] = (self._clock(), found)
        self._known.move_to_end((team, user))
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found

    async def _read_outside(self, place: Place) -> bool:
        """Whether another organisation is in the channel, or asked into it."""
        key = (place.workspace, place.channel)
        known = self._outside.get(key)
        if known is not None and self._clock() - known[0] < _FRESH:
            return known[1]
        bot = await self._installations.of(place.workspace)
        arguments = {"channel": place.channel}
        channel = (await self._api.read(bot.token, "conversations.info", arguments))["channel"]
        found = bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))
        self._outside[key] = (self._clock(), found)
        while len(self._outside) > _MOST:
            self._outside.popitem(last=False)
        return found

    async def _look_up(self, team: str, user: str) -> list[str]:
        bot = await self._installations.of(team)
        arguments: dict[str, object] = {"types": "public_channel", "limit": _PAGE}
        if user:
            arguments["user"] = user
        found: list[str] = []
        for _ in range(_MOST_PAGES):
            page = await self._api.read(bot.token, "users.conversations", arguments)
            found += [
                str(channel["id"])
                for channel in page.get("channels", [])
                # asked for as public, and looked at all the same: what is said cannot be unsaid
                if not channel.get("is_private")
            ]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
            arguments["cursor"] = cursor
        return found
