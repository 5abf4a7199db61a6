"""What every listener has at hand, and the few things they all do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot import replies
from bot.commands import Commands
from bot.receiving import Heeded, Receiver
from bot.slack import pages
from bot.slack.api import Api
from bot.slack.blocks import Blocks, Json
from bot.slack.errands import Errands, Notices
from bot.slack.hearing import Written, is_question, without_mentions, written
from bot.slack.installations import Installations
from bot.slack.people import People
from bot.slack.sender import SlackChat
from bot.slack.words import say
from core.article import Language
from core.errors import ChatUnavailable
from core.places import Place

# Seconds between attempts to answer somebody; an address for answers takes five in all.
_AGAIN = (0.5, 2.0)
_THREAD = 100  # messages of a thread that are read again


@dataclass(frozen=True)
class Asked:
    """A command, press or shortcut: where, by whom, and where its answer goes."""

    place: Place
    by: str
    response_url: str
    trigger: str

    @property
    def name(self) -> str:
        """As verdicts and settings remember the person."""
        return f"slack:{self.place.workspace}:{self.by}"


@dataclass(frozen=True)
class Desk:
    api: Api
    installations: Installations
    people: People
    chat: SlackChat
    receiver: Receiver
    commands: Commands
    errands: Errands = field(default_factory=Errands)
    notices: Notices = field(default_factory=Notices)

    async def ui(self, place: Place, user: str, *, said: str = "") -> Language:
        """What the channel wants, else the person's own. Raises StorageUnavailable."""
        profile = await self.commands.profile(place)
        return profile.ui or await self.people.ui(place.workspace, user, said=said)

    async def answer(
        self, asked: Asked, shown: tuple[Blocks, str], *, instead: bool = False
    ) -> None:
        """Only the person sees it, so it may rather be said twice than not at all. `instead`: in
        place of what the person pressed."""
        blocks, text = shown
        body: Json = {"response_type": "ephemeral", "blocks": blocks, "text": text}
        body["replace_original"] = instead
        if asked.place.thread and not instead:
            body["thread_ts"] = asked.place.thread
        for pause in (*_AGAIN, None):
            try:
                await self.api.respond(asked.response_url, body)
                return
            except ChatUnavailable:
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def tell(self, asked: Asked, key: str, ui: Language, **values: object) -> None:
        await self.answer(asked, pages.notice(say(key, ui, **values)))

    async def whisper(self, place: Place, user: str, sentence: str) -> None:
        blocks, text = pages.notice(sentence)
        await self.chat.whisper(place, user, blocks, text)

    def limit(self, heeded: Heeded, ui: Language) -> str | None:
        """The sentence for links that were left out."""
        if heeded.limit is None:
            return None
        return replies.say(heeded.limit, ui, count=self.receiver.limits.links_per_message)

    async def message(self, place: Place, ts: str) -> Written | None:
        """A message as it stands now. Raises ChatFailed with its kin."""
        bot = await self.installations.of(place.workspace)
        arguments = {"channel": place.channel, "ts": ts, "limit": 1, "inclusive": "true"}
        found = await self.api.read(bot.token, "conversations.replies", arguments)
        for message in found.get("messages", []):
            if message.get("ts") == ts:
                version = str((message.get("edited") or {}).get("ts", ""))
                return written(message, place.channel, place.workspace, version=version)
        return None

    async def questions_before(self, place: Place, message: str) -> list[str]:
        """What people asked the bot in a thread before this message, the last one last; of a
        long thread its beginning. Raises ChatFailed with its kin."""
        bot = await self.installations.of(place.workspace)
        arguments = {"channel": place.channel, "ts": place.thread, "limit": _THREAD}
        found = await self.api.read(bot.token, "conversations.replies", arguments)
        said = [written(one, place.channel, place.workspace) for one in found.get("messages", [])]
        return [
            without_mentions(one.text)
            for one in said
            if one is not None
            and float(one.message) < float(message)
            and f"<@{bot.bot_user}" in one.text
            and is_question(one.text)
            and not one.links
        ]


def asked_in(body: Mapping[str, Any], workspace: str) -> Asked:
    """From the payload of a command, a press or a shortcut."""
    container = body.get("container") or {}
    message = body.get("message") or {}
    channel = body.get("channel_id") or (body.get("channel") or {}).get("id") or ""
    user = body.get("user_id") or (body.get("user") or {}).get("id") or ""
    thread = container.get("thread_ts") or message.get("thread_ts")
    return Asked(
        Place("slack", workspace, str(channel), thread),
        str(user),
        str(body.get("response_url") or ""),
        str(body.get("trigger_id") or ""),
    )
