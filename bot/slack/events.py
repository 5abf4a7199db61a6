"""What happens in a workspace becomes deliveries, before Slack is told that we know of it.

    event → our words → accepted durably → acknowledged → what is said besides, once

Slack repeats what was not acknowledged, so a database that is away loses nothing. Heard twice,
an event changes nothing: a link is accepted once, and what is said besides is said once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.receiving import Heard, Heeded
from bot.slack import views
from bot.slack.consulting import Consultations
from bot.slack.desk import Desk
from bot.slack.hearing import (
    LOOKING_GLASSES,
    Erased,
    Written,
    heard,
    is_question,
    written,
)
from bot.slack.words import say
from core.errors import ChatFailed, ChatRefused, MessageGone
from core.places import Place
from core.ports import Deliveries

log = logging.getLogger(__name__)

_MOST = 20_000
_ENDED = "~"  # greater than any timestamp
_HOME_DIGESTS = 100  # deliveries looked through for a person's own

Key = TypeVar("Key")
Value = TypeVar("Value")
After = Coroutine[Any, Any, object]


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its workspace. `retried`: Slack says it again, it may be old."""

    event: Mapping[str, Any]
    workspace: str
    bot_user: str
    retried: bool


Handler = Callable[[Told], Awaitable[After | None]]


class Events:
    """Handlers of events; each returns what is left to do once Slack was answered."""

    def __init__(self, desk: Desk, seen: Deliveries, consultations: Consultations) -> None:
        self._desk = desk
        self._consultations = consultations
        self._seen = seen
        self._done: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._one_change = asyncio.Lock()
        self.handlers: Mapping[str, Handler] = {
            "message": self._message,
            "app_mention": self._mention,
            "reaction_added": self._reaction,
            "app_home_opened": self._home,
            "member_joined_channel": self._joined,
            "channel_archive": self._archived,
            "group_archive": self._archived,
            "app_uninstalled": self._removed,
            "tokens_revoked": self._removed,
        }

    async def take(self, told: Told, event_id: str) -> None:
        """Raises StorageUnavailable and ChatUnavailable: then nothing is promised."""
        handler = self.handlers.get(str(told.event.get("type")))
        if handler is None or event_id in self._done:
            return
        after = await handler(told)
        if after is not None:
            await self._afterwards(told, event_id, after)
        _remember(self._done, event_id, None)

    async def _afterwards(self, told: Told, event_id: str, after: After) -> None:
        """Only what is said besides needs the event to be remembered: links are known by their
        key, so most of what is said in a workspace costs no write at all."""
        try:
            before = await self._seen.seen("slack", told.workspace, event_id)
        except BaseException:
            after.close()
            raise
        if before:
            after.close()
        else:
            self._desk.errands.start(str(told.event.get("type")), after)

    # --- messages

    async def _message(self, told: Told) -> After | None:
        found = heard(told.event, told.workspace)
        if isinstance(found, Erased):
            await self._erase(found)
            return None
        if found is not None and told.retried:
            found = await self._as_it_stands(found)
        if found is None or found.by == told.bot_user:
            return None
        if found.version:
            return await self._change(found)
        if self._version(found):
            return None  # it was changed or erased meanwhile
        if not found.links:
            return self._help_directly(found)
        return self._notice(found, await self._hear(found, asked=False))

    async def _change(self, found: Written) -> After | None:
        ui = await self._desk.ui(found.place, found.by, said=found.text)
        async with self._one_change:
            if self._version(found) > found.version:
                return None
            self._keep_version(found.place, found.message, found.version)
            heeded = await self._desk.receiver.edited(
                Heard(found.place, found.message, found.by, found.links, ui)
            )
        return self._notice(found, heeded)

    async def _as_it_stands(self, found: Written) -> Written | None:
        """What Slack says again may be overtaken by what we did not hear; None where the message
        is gone."""
        try:
            return await self._desk.message(found.place, found.message)
        except MessageGone:
            return None
        except ChatFailed as error:
            log.info("a message is taken as it was told: %s", error)
            return found

    async def _erase(self, found: Erased) -> None:
        async with self._one_change:
            self._keep_version(found.place, found.message, _ENDED)
            await self._desk.receiver.deleted(found.place, found.message)

    async def _mention(self, told: Told) -> After | None:
        event = told.event
        found = written(event, str(event.get("channel", "")), told.workspace)
        if found is None or found.by == told.bot_user:
            return None
        if not found.links:
            return self._answer(found)
        heeded = await self._hear(found, asked=True)
        return self._notice(found, heeded) or await self._off(found, heeded)

    async def _reaction(self, told: Told) -> After | None:
        event, item = told.event, told.event.get("item") or {}
        if event.get("reaction") not in LOOKING_GLASSES or item.get("type") != "message":
            return None
        place = Place("slack", told.workspace, str(item.get("channel", "")))
        try:
            found = await self._desk.message(place, str(item.get("ts", "")))
        except (ChatRefused, MessageGone) as error:
            log.info("a message with a reaction cannot be read: %s", error)
            return None
        if found is None or not found.links or self._version(found) == _ENDED:
            return None
        asker = Written(found.place, found.message, str(event.get("user", "")), found.text)
        heeded = await self._hear(asker, asked=True)
        return self._notice(asker, heeded) or await self._off(asker, heeded)

    async def _hear(self, found: Written, *, asked: bool) -> Heeded:
        ui = await self._desk.ui(found.place, found.by, said=found.text)
        return await self._desk.receiver.hear(
            Heard(found.place, found.message, found.by, found.links, ui, asked)
        )

    # --- what is said besides

    def _notice(self, found: Written, heeded: Heeded) -> After | None:
        if heeded.limit is None:
            return None
        return self._say_limit(found, heeded)

    async def _say_limit(self, found: Written, heeded: Heeded) -> None:
        ui = await self._desk.ui(found.place, found.by, said=found.text)
        sentence = self._desk.limit(heeded, ui)
        if sentence is not None:
            await self._say_once(found, str(heeded.limit), sentence)

    async def _off(self, found: Written, heeded: Heeded) -> After | None:
        """Asked for in a channel where nothing is digested."""
        if heeded.accepted or (await self._desk.commands.profile(found.place)).mode != "off":
            return None
        return self._say(found, "mode_off")

    def _help_directly(self, found: Written) -> After | None:
        """In a direct message whatever is no link is meant for us; the rest is no affair of
        ours."""
        return self._answer(found) if found.place.channel.startswith("D") else None

    def _answer(self, found: Written) -> After:
        question = is_question(found.text)
        return self._consultations.mentioned(found) if question else self._help(found)

    async def _help(self, found: Written) -> None:
        ui = await self._desk.ui(found.place, found.by, said=found.text)
        await self._say_once(found, "help", say("help", ui))

    async def _say(self, found: Written, key: str) -> None:
        ui = await self._desk.ui(found.place, found.by, said=found.text)
        await self._say_once(found, key, say(key, ui))

    async def _say_once(self, found: Written, key: str, sentence: str) -> None:
        place = found.place
        where = "" if key == "limit.user" else place.channel  # that one follows a person around
        if self._desk.notices.may_say(place.workspace, where, found.by, key):
            await self._desk.whisper(place, found.by, sentence)

    # --- workspaces and channels

    async def _home(self, told: Told) -> After | None:
        user = str(told.event.get("user", ""))
        if told.event.get("tab", "home") != "home" or not user:
            return None
        return self._publish_home(told.workspace, user)

    async def _publish_home(self, workspace: str, user: str) -> None:
        """Shows a person's own digests: others' may stem from channels that are closed to them."""
        answered = await self._seen.recent("slack", workspace, _HOME_DIGESTS)
        mine = dict.fromkeys(
            one.digest_id for one in answered if one.shared.by == user and one.digest_id
        )
        ids = [*mine][: views.SHOWN_AT_HOME]
        found = [await self._desk.commands.record(digest_id) for digest_id in ids]
        ui = await self._desk.people.ui(workspace, user)
        view = views.home_view([one for one in found if one is not None], ui)
        bot = await self._desk.installations.of(workspace)
        arguments = {"user_id": user, "view": view}
        await self._desk.api.write(bot.token, "views.publish", arguments)

    async def _joined(self, told: Told) -> After | None:
        inviter = told.event.get("inviter")
        if told.event.get("user") != told.bot_user or not inviter:
            return None
        place = Place("slack", told.workspace, str(told.event.get("channel", "")))
        return self._help(Written(place, "", str(inviter), ""))

    async def _archived(self, told: Told) -> None:
        channel = told.event.get("channel")
        log.info("workspace %s: channel %s is archived", told.workspace, channel)

    async def _removed(self, told: Told) -> None:
        kind = str(told.event.get("type"))
        if kind == "tokens_revoked" and not (told.event.get("tokens") or {}).get("bot"):
            return  # a person's token, of which we have none
        await self._desk.installations.removed(told.workspace, kind)

    # --- which change of a message is the newest

    def _version(self, found: Written) -> str:
        key = (found.place.workspace, found.place.channel, found.message)
        return self._versions.get(key, "")

    def _keep_version(self, place: Place, message: str, version: str) -> None:
        _remember(self._versions, (place.workspace, place.channel, message), version)


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _MOST:
        kept.popitem(last=False)
