"""What Bolt hands over: acknowledge, translate, pass on.

Events are taken before they are acknowledged (`events.py`). Commands, presses and forms are
acknowledged at once, because a person is waiting; their work is an errand.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest

from bot import replies
from bot.slack import pages
from bot.slack.asking import Asking
from bot.slack.consulted import EXPLAIN, SHARE_ANSWER
from bot.slack.consulting import Consultations
from bot.slack.desk import Asked, Desk, asked_in
from bot.slack.events import Events, Told
from bot.slack.feeds import ACTIONS as FEED_ACTIONS
from bot.slack.feeds import KNOWN, SUBSCRIBE, SlackFeeds, feeds_like
from bot.slack.naming import ACTIONS, DIGEST_THIS, HELP, SETTINGS, SHARE, pressed
from bot.slack.presses import Presses
from core.errors import ChatFailed, ChatUnavailable, DigestError, StorageUnavailable
from core.ports import Deliveries

log = logging.getLogger(__name__)

# Slack waits three seconds and says it again; a little less leaves us the last word.
_BEFORE_ACK = 2.5

_SEARCH = re.compile(r"\s*(?:search|find|검색|찾기)(?:\s+|$)", re.I)

Body = Mapping[str, Any]
Ack = Callable[[], Awaitable[BoltResponse]]


class Listener:
    def __init__(self, desk: Desk, seen: Deliveries) -> None:
        self._desk = desk
        self._asking = Asking(desk)
        self._presses = Presses(desk)
        self._feeds = SlackFeeds(desk)
        self._consultations = Consultations(desk)
        self.events = Events(desk, seen, self._consultations)
        self.errands = desk.errands
        self._taking: set[asyncio.Task[Any]] = set()

    def listen(self, app: AsyncApp) -> None:
        app.use(self._event)
        app.event(re.compile(r".*"))(_acknowledged)
        app.command("/digest")(self._digest)
        app.command("/explain")(self._explain)
        app.command("/ask")(self._ask)
        app.shortcut(DIGEST_THIS)(self._digest_this)
        app.shortcut(HELP)(self._help)
        app.view(SETTINGS)(self._settings)
        app.action(SHARE)(self._share)
        app.action(SHARE_ANSWER)(self._share_answer)
        app.action(re.compile(rf"^{EXPLAIN}:\d+$"))(self._explain_offered)
        app.view(SUBSCRIBE)(self._subscribe)
        app.options(KNOWN)(_offer_feeds)
        app.action(FEED_ACTIONS)(self._manage)
        app.action(ACTIONS)(self._press)

    async def _event(
        self,
        body: Body,
        req: AsyncBoltRequest,
        context: AsyncBoltContext,
        next_: Callable[[], Awaitable[BoltResponse | None]],
    ) -> BoltResponse | None:
        """A global middleware: it runs before Bolt acknowledges."""
        if body.get("type") != "event_callback":
            return await next_()
        told = _told(body, req, context)
        self._remember_task()
        try:
            async with asyncio.timeout(_BEFORE_ACK):
                await self.events.take(told, str(body.get("event_id", "")))
        except (StorageUnavailable, ChatUnavailable, TimeoutError) as error:
            kind = told.event.get("type")
            why = str(error) or "it took too long"
            log.warning("%s is not acknowledged, Slack will say it again: %s", kind, why)
            return BoltResponse(status=503, body="")
        return await next_()

    def _remember_task(self) -> None:
        """Until it ends, and with it the acknowledgement is sent."""
        task = asyncio.current_task()
        if task is not None and task not in self._taking:
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)

    async def settle(self, seconds: float) -> None:
        """Waits for what is begun, when nothing new comes in any more."""
        if self._taking:
            await asyncio.wait([*self._taking], timeout=_BEFORE_ACK)
        await self.errands.finish(seconds)

    async def _digest(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        words = _text(body)
        search = _SEARCH.match(words)
        if search is not None:
            work = self._consultations.search(asked, words[search.end() :])
            self._errand(asked, "/digest search", work)
            return
        self._errand(asked, "/digest", self._asking.digest(asked, words))

    async def _explain(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        self._errand(asked, "/explain", self._consultations.explain(asked, _text(body)))

    async def _ask(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        self._errand(asked, "/ask", self._consultations.ask(asked, _text(body)))

    async def _explain_offered(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        """A button with another term."""
        await ack()
        asked = asked_in(body, _team(context))
        work = self._consultations.explain(asked, _value(body), instead=True)
        self._errand(asked, EXPLAIN, work)

    async def _share_answer(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        work = self._consultations.share_answer(asked, _value(body))
        self._errand(asked, SHARE_ANSWER, work)

    async def _digest_this(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        work = self._asking.digest_this(asked, body.get("message") or {})
        self._errand(asked, DIGEST_THIS, work)

    async def _help(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        self._errand(asked, HELP, self._asking.help(asked))

    async def _settings(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        self._errand(asked, SETTINGS, self._asking.save_settings(asked, body["view"]))

    async def _share(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        self._errand(asked, SHARE, self._consultations.share_explanation(asked, _value(body)))

    async def _subscribe(
        self, ack: Callable[..., Any], body: Body, context: AsyncBoltContext
    ) -> None:
        asked = asked_in(body, _team(context))
        ui = await self._desk.people.ui(asked.place.workspace, asked.by)
        wrong = self._feeds.errors_in(body["view"], ui)
        if wrong:
            await ack(response_action="errors", errors=wrong)
            return
        await ack()
        self._errand(asked, SUBSCRIBE, self._feeds.save(asked, body["view"]))

    async def _manage(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        action = body["actions"][0]
        name, value = str(action.get("action_id")), str(action.get("value", ""))
        self._errand(asked, name, self._feeds.press(asked, name, value))

    async def _press(self, ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        asked = asked_in(body, _team(context))
        found = pressed(body["actions"][0])
        if found is None:
            log.info("a button that is not understood any more: %r", body["actions"][0])
            return
        self._errand(asked, found.verb, self._presses.press(asked, found))

    def _errand(self, asked: Asked, what: str, work: Coroutine[Any, Any, None]) -> None:
        self._desk.errands.start(what, self._or_sorry(asked, work))

    async def _or_sorry(self, asked: Asked, work: Coroutine[Any, Any, None]) -> None:
        """Trouble is told to who is waiting, where there is a way to tell them."""
        try:
            await work
        except ChatFailed as error:
            # A form has to open within three seconds; else Slack itself is the trouble.
            if error.reason != "expired_trigger_id" or not asked.response_url:
                raise
            ui = await self._desk.people.ui(asked.place.workspace, asked.by)
            await self._desk.tell(asked, "too_late", ui)
        except DigestError as error:
            if not asked.response_url:
                raise
            ui = await self._desk.people.ui(asked.place.workspace, asked.by)
            await self._desk.answer(asked, pages.notice(replies.sentence(error, ui)))


def _told(body: Body, req: AsyncBoltRequest, context: AsyncBoltContext) -> Told:
    known = context.authorize_result
    return Told(
        body.get("event") or {},
        _team(context),
        (known.bot_user_id if known is not None else None) or "",
        retried=req.headers.get("x-slack-retry-num", ["0"])[0] not in ("", "0"),
    )


def _team(context: AsyncBoltContext) -> str:
    """The workspace that installed us, which in a shared channel is not always the person's."""
    known = context.authorize_result
    return str((known.team_id if known is not None else None) or context.team_id or "")


def _text(body: Body) -> str:
    return str(body.get("text") or "")


async def _acknowledged() -> None:
    """An event that no listener knows would never be acknowledged, and come again and again."""


async def _offer_feeds(ack: Callable[..., Any], body: Body) -> None:
    """What is typed into the list of feeds comes letter by letter."""
    await ack(options=feeds_like(str(body.get("value") or "")))


def _value(body: Body) -> str:
    """Of the button that was pressed."""
    return str(body["actions"][0].get("value", ""))
