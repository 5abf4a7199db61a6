"""What people ask for by a command or a shortcut; Slack has been answered before it begins."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot import replies
from bot.receiving import Heard, Heeded
from bot.slack import pages, views
from bot.slack.desk import Asked, Desk
from bot.slack.feeds import SlackFeeds
from bot.slack.hearing import written
from bot.slack.naming import asked_at
from bot.slack.words import say
from core.article import Language
from core.errors import StorageUnavailable
from core.links import find_links
from core.places import ChannelProfile, Delivery, Place

FEEDS = {"subscribe": "subscribe", "구독": "subscribe", "feeds": "feeds", "피드": "feeds"}


class Asking:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # --- /digest

    async def digest(self, asked: Asked, words: str) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        if words.strip().casefold() in ("settings", "설정"):
            await self.open_settings(asked, ui)
            return
        asked_for = FEEDS.get(words.strip().casefold())
        if asked_for is not None:
            feeds = SlackFeeds(self._desk)
            await (feeds.open_form if asked_for == "subscribe" else feeds.show)(asked, ui)
            return
        links = find_links(words)
        if links:
            await self._digest_links(asked, links, ui)
        else:
            await self._desk.tell(asked, "help", ui)

    async def _digest_links(self, asked: Asked, links: list[str], ui: Language) -> None:
        if not await self._desk.people.is_in(asked.place):
            await self._desk.tell(asked, "not_invited", ui)
            return
        message = asked_at(time.time(), asked.trigger)
        heard = Heard(asked.place, message, asked.by, links, ui, asked=True)
        await self._report(asked, await self._desk.receiver.hear(heard), ui)

    # --- shortcuts

    async def digest_this(self, asked: Asked, message: Mapping[str, Any]) -> None:
        """The message shortcut: the links of a message, whoever wrote it."""
        ui = await self._desk.ui(asked.place, asked.by)
        found = written({**message, "bot_id": None}, asked.place.channel, asked.place.workspace)
        links = found.links if found is not None else find_links(str(message.get("text") or ""))
        if not links or not message.get("ts"):
            await self._desk.tell(asked, "no_link", ui)
            return
        if not await self._desk.people.is_in(asked.place):
            await self._desk.tell(asked, "not_invited", ui)
            return
        heard = Heard(asked.place, str(message["ts"]), asked.by, links, ui, asked=True)
        heeded = await self._desk.receiver.hear(heard)
        accepted = [await self._once_more(one, asked.by) for one in heeded.accepted]
        await self._report(asked, replace(heeded, accepted=tuple(accepted)), ui)

    async def _once_more(self, delivery: Delivery, by: str) -> Delivery:
        """What was hidden or did not work out is tried again when somebody asks."""
        if delivery.state not in ("failed", "withdrawn"):
            return delivery
        return await self._desk.commands.again(delivery.id, by) or delivery

    async def help(self, asked: Asked) -> None:
        """The global shortcut: there is no channel to answer in, so a modal opens."""
        ui = await self._desk.people.ui(asked.place.workspace, asked.by)
        await self._open(asked, views.help_modal(ui))

    async def _report(self, asked: Asked, heeded: Heeded, ui: Language) -> None:
        """What becomes of the links that somebody asked for."""
        limit = self._desk.limit(heeded, ui)
        if limit is not None:
            await self._desk.answer(asked, pages.notice(limit))
        elif heeded.accepted:
            there = all(one.state == "answered" for one in heeded.accepted)
            await self._desk.tell(asked, "there_already" if there else "on_its_way", ui)
        else:
            await self._desk.tell(asked, "mode_off", ui)

    # --- settings

    async def open_settings(self, asked: Asked, ui: Language) -> None:
        if not await self._desk.people.may_set(asked.place, asked.by):
            await self._desk.tell(asked, "settings_refused", ui)
            return
        profile = await self._desk.commands.profile(asked.place)
        await self._open(asked, views.settings_modal(profile, asked.place.channel, ui))

    async def save_settings(self, asked: Asked, view: Mapping[str, Any]) -> None:
        """The form is gone when this begins: what becomes of it is whispered in the channel."""
        channel, profile = views.chosen(view)
        place = Place("slack", asked.place.workspace, channel)
        try:
            said = await self._save(place, asked, profile)
        except StorageUnavailable as error:
            ui = await self._desk.people.ui(place.workspace, asked.by)
            said = replies.sentence(error, ui)
        await self._desk.whisper(place, asked.by, said)

    async def _save(self, place: Place, asked: Asked, profile: ChannelProfile) -> str:
        allowed = await self._desk.people.may_set(place, asked.by)
        if allowed:
            await self._desk.commands.set_profile(place, profile, asked.name)
        ui = await self._desk.ui(place, asked.by)
        return say("settings_saved" if allowed else "settings_refused", ui)

    async def _open(self, asked: Asked, view: dict[str, Any]) -> None:
        bot = await self._desk.installations.of(asked.place.workspace)
        arguments = {"trigger_id": asked.trigger, "view": view}
        await self._desk.api.write(bot.token, "views.open", arguments)
