"""response_url: five answers within thirty minutes, also in place of an earlier message."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from support.slack_api import check_blocks
from support.slack_faults import SlackRefused
from support.slack_world import Channel, Json, Message, Workspace

if TYPE_CHECKING:
    from support.slack_core import SlackCore

USES = 5
SECONDS = 1800.0


@dataclass
class ResponseUrl:
    """Where the app may answer a command or a press. `messages` are the answers that stand."""

    id: str
    workspace: Workspace
    channel: Channel
    user: str
    expires: float  # of time.monotonic()
    original: Message | None = None
    uses: int = 0
    messages: list[Message] = field(default_factory=list)
    received: list[Json] = field(default_factory=list)


class ResponseUrls:
    def __init__(self, slack: SlackCore) -> None:
        self.slack = slack
        self.known: dict[str, ResponseUrl] = {}
        self.failing: list[int] = []  # statuses of the next answers, nothing done; 0: cut off

    def new(
        self, workspace: Workspace, channel: Channel, user: str, original: Message | None = None
    ) -> ResponseUrl:
        made = ResponseUrl(
            self.slack.next_id("answer-"),
            workspace,
            channel,
            user,
            time.monotonic() + SECONDS,
            original,
        )
        self.known[made.id] = made
        return made

    def address(self, place: ResponseUrl) -> str:
        return f"{self.slack.url}/response/{place.id}"

    async def handle(self, request: web.Request) -> web.Response:
        place = self.known.get(request.match_info["id"])
        if self.failing:
            return self._failed(request, self.failing.pop(0))
        try:
            if place is None or time.monotonic() > place.expires:
                raise SlackRefused("expired_url")
            if place.uses >= USES:
                raise SlackRefused("used_url")
            body = await request.json()
            place.uses += 1
            place.received.append(body)
            self.answer(place, body)
        except SlackRefused as refused:
            status = 404 if refused.error.endswith("_url") else 400
            told = {"ok": False, "error": refused.error, **refused.more}
            return web.json_response(told, status=status)
        finally:
            self.slack.changed()
        return web.Response(text="ok")

    @staticmethod
    def _failed(request: web.Request, status: int) -> web.Response:
        if not status and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status or 500)

    def answer(self, place: ResponseUrl, body: Json) -> None:
        """Show this to the person, or to all with `response_type: in_channel`."""
        if body.get("delete_original"):
            self._delete(place)
            return
        blocks, text = body.get("blocks") or [], body.get("text") or ""
        check_blocks(blocks)
        if not blocks and not text and not body.get("attachments"):
            raise SlackRefused("no_text")
        content = {"text": text, "blocks": blocks}
        if body.get("replace_original") and place.original is not None:
            self._replace(place, place.original, content)
            return
        self._show(place, body, content)

    def _show(self, place: ResponseUrl, body: Json, content: Json) -> None:
        public = body.get("response_type") == "in_channel"
        message = Message(
            self.slack.clock.next(),
            place.channel.id,
            place.workspace.bot_user,
            bot_id=place.workspace.bot_id,
            app_id=place.workspace.app_id,
            thread_ts=body.get("thread_ts"),
            ephemeral_for=None if public else place.user,
            **content,
        )
        place.messages.append(message)
        place.original = place.original or message
        if public:
            self.slack.posted(place.workspace, place.channel, message)
        else:
            place.channel.ephemeral[message.ts] = message

    def _replace(self, place: ResponseUrl, message: Message, content: Json) -> None:
        if message.ephemeral_for is None:
            by = place.workspace.bot_user
            self.slack.changed_message(place.workspace, place.channel, message, content, by=by)
            return
        message.versions.append(message.text)
        message.text, message.blocks = content["text"], content["blocks"]

    def _delete(self, place: ResponseUrl) -> None:
        message = place.original
        if message is None:
            raise SlackRefused("no_original")
        if message.ephemeral_for is None:
            self.slack.removed_message(place.workspace, place.channel, message)
        else:
            message.deleted = True
            place.channel.ephemeral.pop(message.ts, None)
