"""What the bot says in Slack: posts, edits, finds and removes its answers, a channel at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.chats import AboutTo, Ready, Shown, Trouble, Waiting, unasked
from bot.pacing import Lanes
from bot.slack import render
from bot.slack.api import REVOKED, Api
from bot.slack.blocks import Json
from bot.slack.installations import Installation, Installations
from bot.slack.naming import (
    DELIVERY_EVENT,
    asked_at,
    message_ts,
    moment_of,
    reply_name,
    reply_parts,
)
from core.errors import ChatRefused, ChatUnavailable, MessageGone
from core.places import Place, Platform, SharedLink

log = logging.getLogger(__name__)

BURST = 4.0  # Slack lets about five through at once
PATIENCE = 20.0  # seconds that one message waits out 429s in its lane before it comes again later
_CLOCKS = 120.0  # seconds by which our clock and Slack's may differ
_PAGE, _MOST_PAGES = 200, 25

_FIRST, _NEXT, _LAST = 0, 1, 2


class SlackChat:
    """The port `bot.chats.Chat`."""

    platform: Platform = "slack"

    def __init__(self, api: Api, installations: Installations, per_second: float) -> None:
        self._api = api
        self._installations = installations
        self._lanes = Lanes(per_second, BURST)

    async def post(
        self, shared: SharedLink, shown: Shown, *, key: str, about_to: AboutTo = unasked
    ) -> str:
        place = shared.place
        thread = place.thread or message_ts(shared.message)
        arguments = {
            **_content(shared, shown, key),
            "channel": place.channel,
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": thread} if thread else {}),
        }
        urgency = _NEXT if isinstance(shown, Ready | Trouble) else _LAST
        posted = await self._write(place, "chat.postMessage", arguments, urgency, about_to)
        return reply_name(place.channel, str(posted["ts"]))

    async def edit(self, shared: SharedLink, reply: str, shown: Shown, *, key: str) -> None:
        channel, ts = reply_parts(reply)
        arguments = {**_content(shared, shown, key), "channel": channel, "ts": ts}
        urgency = _NEXT if isinstance(shown, Waiting) else _FIRST
        await self._write(shared.place, "chat.update", arguments, urgency)

    async def remove(self, shared: SharedLink, reply: str) -> None:
        channel, ts = reply_parts(reply)
        try:
            await self._write(shared.place, "chat.delete", {"channel": channel, "ts": ts}, _FIRST)
        except MessageGone:
            return

    async def whisper(self, place: Place, user: str, blocks: list[Json], text: str) -> None:
        """Only this person sees it."""
        arguments = {
            "channel": place.channel,
            "user": user,
            "blocks": blocks,
            "text": text,
            **({"thread_ts": place.thread} if place.thread else {}),
        }
        await self._write(place, "chat.postEphemeral", arguments, _LAST)

    async def tell(self, place: Place, blocks: list[Json], text: str) -> None:
        """Everybody in the place sees it."""
        arguments = {
            "channel": place.channel,
            "blocks": blocks,
            "text": text,
            "unfurl_links": False,
            "unfurl_media": False,
            **({"thread_ts": place.thread} if place.thread else {}),
        }
        await self._write(place, "chat.postMessage", arguments, _FIRST)

    async def find(self, shared: SharedLink, key: str) -> str | None:
        bot = await self._installations.of(shared.place.workspace)
        cursor = ""
        for _ in range(_MOST_PAGES):
            try:
                page = await self._page(bot, shared, cursor)
            except MessageGone:
                return None  # no thread, nothing in it
            for message in page.get("messages", []):
                if _is_ours(message, bot, key):
                    return reply_name(shared.place.channel, str(message["ts"]))
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return None
        log.warning("delivery %s: its thread is too long to look through", key)
        return None

    def unprompted(self, at: datetime, key: str) -> str:
        return asked_at(at.timestamp(), key)

    def beneath(self, place: Place, reply: str) -> tuple[Place, str]:
        _, ts = reply_parts(reply)
        return replace(place, thread=ts), ts

    async def _page(self, bot: Installation, shared: SharedLink, cursor: str) -> Json:
        """Answers stand after the message they answer."""
        place, message = shared.place, message_ts(shared.message)
        arguments: dict[str, Any] = {
            "channel": place.channel,
            "include_all_metadata": "true",
            "limit": _PAGE,
            **({"cursor": cursor} if cursor else {}),
        }
        if message is None:
            arguments["oldest"] = f"{moment_of(shared.message) - _CLOCKS:.6f}"
            return await self._read(bot, "conversations.history", arguments)
        arguments |= {"ts": place.thread or message, "oldest": message}
        return await self._read(bot, "conversations.replies", arguments)

    async def _read(self, bot: Installation, method: str, arguments: Mapping[str, Any]) -> Json:
        try:
            return await self._api.read(bot.token, method, arguments)
        except ChatRefused as error:
            self._notice_revoked(bot, error)
            raise

    async def _write(
        self,
        place: Place,
        method: str,
        arguments: Mapping[str, Any],
        urgency: int,
        about_to: AboutTo = unasked,
    ) -> Json:
        """In the channel's lane. A 429 did nothing: it is waited out there, and nobody overtakes."""
        lane = f"{place.workspace}:{place.channel}"
        given_up = time.monotonic() + PATIENCE
        async with self._lanes.turn(lane, urgency=urgency):
            while True:
                bot = await self._installations.of(place.workspace)
                await about_to()
                try:
                    return await self._api.write(bot.token, method, arguments)
                except ChatUnavailable as error:
                    pause = error.retry_after
                    if pause is None:
                        raise
                    self._lanes.hold(lane, pause)
                    if time.monotonic() + pause > given_up:
                        raise
                    log.info("%s: a pause of %.0f s in channel %s", method, pause, place.channel)
                    await asyncio.sleep(pause)
                except ChatRefused as error:
                    self._notice_revoked(bot, error)
                    raise

    def _notice_revoked(self, bot: Installation, error: ChatRefused) -> None:
        if error.reason in REVOKED:
            self._installations.gone(bot.team, error.reason)


def _content(shared: SharedLink, shown: Shown, key: str) -> Json:
    blocks, text = render.message(shown, shared, key)
    metadata = {"event_type": DELIVERY_EVENT, "event_payload": {"key": key}}
    return {"blocks": blocks, "text": text, "metadata": metadata}


def _is_ours(message: Mapping[str, Any], bot: Installation, key: str) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    mine = bot.bot_id in (message.get("bot_id"), "") or message.get("user") == bot.bot_user
    return bool(mine and metadata.get("event_type") == DELIVERY_EVENT and payload.get("key") == key)
