"""/explain, /ask, /digest search and questions to the bot; Slack has been answered before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot import consulting_words, searching
from bot.consulting import Asker
from bot.slack import consulted, pages
from bot.slack.desk import Asked, Desk
from bot.slack.escaping import escaped
from bot.slack.hearing import Written, without_mentions
from bot.slack.reach import Reaching
from core.article import Language
from core.errors import ChatFailed
from core.explaining import Unknown
from core.places import Place

log = logging.getLogger(__name__)

_TERM, _QUESTION = 200, 600  # characters that are read of what somebody asks


class Consultations:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reaching = Reaching(desk.api, desk.installations, desk.people)

    # --- terms

    async def explain(self, asked: Asked, words: str, *, instead: bool = False) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        term = " ".join(words.split())[:_TERM]
        reach = await self._reaching.of(asked.place, asked.by)
        consulting = self._desk.commands.consulting
        if not term:
            known = await consulting.suggested(asked.place, reach)
            await self._desk.answer(asked, consulted.offered(known, ui))
            return
        found = await consulting.explain(term, ui, reach, Asker(asked.place, asked.by))
        if isinstance(found, Unknown):
            shown = consulted.unknown(found, ui)
        else:
            shown = consulted.explained(found, ui)
        await self._desk.answer(asked, shown, instead=instead)

    async def share_explanation(self, asked: Asked, term: str) -> None:
        """Everybody in the channel sees what one person had explained to them."""
        ui = await self._desk.ui(asked.place, asked.by)
        reach = await self._reaching.of(asked.place, asked.by)
        found = await self._desk.commands.consulting.explain(term, ui, reach)
        if isinstance(found, Unknown):
            await self._desk.answer(asked, consulted.unknown(found, ui))
            return
        await self._share(asked, consulted.explained(found, ui, shared=True))

    # --- questions

    async def ask(self, asked: Asked, words: str) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        question = " ".join(words.split())[:_QUESTION]
        if not question:
            said = consulting_words.say("which_question", ui, command="/ask")
            await self._desk.answer(asked, pages.notice(escaped(said)))
            return
        if not await self._allowed(asked, ui):
            return
        reach = await self._reaching.of(asked.place, asked.by)
        thread = f"{asked.name}:{asked.place.channel}:{asked.place.thread or ''}"
        found = await self._desk.commands.consulting.ask(question, reach, thread=thread)
        await self._desk.answer(asked, consulted.answered(found, ui, asked=question))

    async def share_answer(self, asked: Asked, question: str) -> None:
        """Found anew: what may be said to everybody is decided when it is said."""
        ui = await self._desk.ui(asked.place, asked.by)
        if not await self._allowed(asked, ui):
            return
        reach = await self._reaching.of(asked.place, asked.by)
        found = await self._desk.commands.consulting.ask(question, reach)
        await self._share(asked, consulted.answered(found, ui, asked=question, where="shared"))

    async def mentioned(self, found: Written) -> None:
        """A question to the bot: answered for everybody, in the thread of the question."""
        place = found.place
        ui = await self._desk.ui(place, found.by, said=found.text)
        question = " ".join(without_mentions(found.text).split())[:_QUESTION]
        name = f"slack:{place.workspace}:{found.by}"
        if not self._desk.commands.consulting.may_ask(name):
            said = consulting_words.say("limit.questions", ui)
            await self._desk.whisper(place, found.by, escaped(said))
            return
        direct = place.channel.startswith("D")
        thread = place.thread or (None if direct else found.message)
        reach = await self._reaching.of(place, found.by)
        conversation = f"slack:{place.workspace}:{place.channel}:{thread or ''}"
        await self._recall(found, conversation)
        answer = await self._desk.commands.consulting.ask(question, reach, thread=conversation)
        shown = consulted.answered(answer, ui, asked=question, where="thread")
        await self._desk.chat.tell(Place("slack", place.workspace, place.channel, thread), *shown)

    async def _recall(self, found: Written, conversation: str) -> None:
        """What was asked in this thread before this process began, or in another one: it stands
        in Slack, so that we need not keep it."""
        consulting = self._desk.commands.consulting
        thread = found.place.thread
        if not thread or thread == found.message or consulting.conversations.earlier(conversation):
            return
        try:
            asked = await self._desk.questions_before(found.place, found.message)
        except ChatFailed as error:
            log.info("what was asked before in a thread cannot be read: %s", error)
            return
        await consulting.recall(conversation, [one[:_QUESTION] for one in asked])

    async def _allowed(self, asked: Asked, ui: Language) -> bool:
        if self._desk.commands.consulting.may_ask(asked.name):
            return True
        said = consulting_words.say("limit.questions", ui)
        await self._desk.answer(asked, pages.notice(escaped(said)))
        return False

    # --- searches

    async def search(self, asked: Asked, words: str) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        search = searching.understood(words, datetime.now(UTC))
        if search.mistakes:
            said = _mistaken(search.mistakes, ui)
            await self._desk.answer(asked, pages.notice(said))
            return
        reach = await self._reaching.of(asked.place, asked.by)
        found = await self._desk.commands.consulting.search(
            search.query, reach, search.filters, limit=consulted.SHOWN_HITS
        )
        await self._desk.answer(asked, consulted.hits(found, search.query or words, ui))

    async def _share(self, asked: Asked, shown: consulted.Shown) -> None:
        blocks, text = shown
        body: dict[str, Any] = {"response_type": "in_channel", "replace_original": False}
        if asked.place.thread:
            body["thread_ts"] = asked.place.thread
        await self._desk.api.respond(asked.response_url, {**body, "blocks": blocks, "text": text})


def _mistaken(mistakes: Sequence[str], ui: Language) -> str:
    named = ", ".join(escaped(one[:60]) for one in mistakes[:5])
    # the examples in it hold colons and a host, none of which is a link
    return consulting_words.say("no_such_filter", ui, filters=named)
