"""Who somebody is: their language, and whether they may change a channel's settings."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.chat_words import language_of
from bot.slack.api import Api
from bot.slack.installations import Installations
from core.article import Language
from core.errors import ChatFailed
from core.places import Place

log = logging.getLogger(__name__)

_REMEMBERED = 3600.0  # seconds
_FORGIVEN = 60.0  # seconds before somebody whom Slack did not tell us about is asked for again
_FRESH = 60.0  # seconds; for what gives permission
# Seconds. Slack waits three for an acknowledgement and answers this question in a tenth; a
# channel in which fifty strangers share at once must not wait for the slowest of them.
_PATIENCE = 0.25
_MOST = 10_000
_HANGUL = re.compile(r"[\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class Person:
    ui: Language
    admin: bool
    guest: bool = False
    timezone: str = "UTC"


class People:
    def __init__(
        self,
        api: Api,
        installations: Installations,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._installations = installations
        self._clock = clock
        self.patience = _PATIENCE
        self._known: OrderedDict[tuple[str, str], tuple[float, Person | None]] = OrderedDict()
        self._speak: dict[str, Counter[Language]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Person | None]] = {}

    async def ui(self, team: str, user: str, *, said: str = "") -> Language:
        """The person's language, soon: before Slack's answer comes, what they wrote tells, and
        else what most of those speak whom we know there."""
        person = await self._ask(team, user, _REMEMBERED, patience=self.patience)
        if person is not None:
            return person.ui
        if _HANGUL.search(said):
            return "ko"
        speak = self._speak.get(team)
        return speak.most_common(1)[0][0] if speak else "en"

    async def timezone(self, team: str, user: str) -> str:
        """The IANA name in the person's profile, soon; else UTC."""
        person = await self._ask(team, user, _REMEMBERED, patience=_PATIENCE)
        return "UTC" if person is None else person.timezone

    async def is_admin(self, team: str, user: str) -> bool:
        person = await self._ask(team, user, _FRESH)
        return person is not None and person.admin

    async def is_guest(self, team: str, user: str) -> bool:
        """Whether somebody sees only the channels they were let into; True where nobody knows."""
        person = await self._ask(team, user, _FRESH)
        return person is None or person.guest

    async def may_set(self, place: Place, user: str) -> bool:
        """Admins, owners, whoever made the channel; in direct messages everybody."""
        if place.channel.startswith("D"):
            return True
        admin, maker = await asyncio.gather(self.is_admin(place.workspace, user), self.made(place))
        return admin or maker == user

    async def is_in(self, place: Place) -> bool:
        """Whether the bot is in a channel; True where Slack cannot say now."""
        try:
            channel = await self._info(place)
        except ChatFailed as error:
            log.info("channel %s: Slack does not say who is in it: %s", place.channel, error)
            return error.reason != "channel_not_found"
        return bool(channel.get("is_im") or channel.get("is_member"))

    async def made(self, place: Place) -> str:
        """Who made a channel; "" where Slack does not say."""
        try:
            return str((await self._info(place)).get("creator") or "")
        except ChatFailed as error:
            log.info("channel %s is not known: %s", place.channel, error)
            return ""

    async def _info(self, place: Place) -> dict[str, Any]:
        bot = await self._installations.of(place.workspace)
        arguments = {"channel": place.channel}
        answer = await self._api.read(bot.token, "conversations.info", arguments)
        return dict(answer["channel"])

    async def close(self) -> None:
        asking = [*self._asking.values()]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(
        self, team: str, user: str, age: float, *, patience: float | None = None
    ) -> Person | None:
        key = (team, user)
        known = self._known.get(key)
        if known is not None:
            at, person = known
            if self._clock() - at < (_FORGIVEN if person is None else age):
                return person
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._look_up(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        done, _ = await asyncio.wait([task], timeout=patience)
        return task.result() if done and not task.cancelled() else None

    async def _look_up(self, key: tuple[str, str]) -> Person | None:
        team, user = key
        person: Person | None = None
        try:
            bot = await self._installations.of(team)
            arguments = {"user": user, "include_locale": "true"}
            found = (await self._api.read(bot.token, "users.info", arguments))["user"]
            admin = bool(found.get("is_admin") or found.get("is_owner"))
            # somebody of another organisation in a shared channel sees no more of ours than a guest
            foreign = found.get("team_id") not in (None, "", team) or found.get("is_stranger")
            guest = bool(found.get("is_restricted") or found.get("is_ultra_restricted") or foreign)
            timezone = str(found.get("tz") or "UTC")
            person = Person(language_of(found.get("locale", "")), admin, guest, timezone)
        except ChatFailed as error:
            log.info("user %s is not known: %s", user, error)
        before = self._known.get(key)
        if person is not None and (before is None or before[1] is None):
            self._speak.setdefault(team, Counter())[person.ui] += 1
        self._known[key] = (self._clock(), person)
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return person
