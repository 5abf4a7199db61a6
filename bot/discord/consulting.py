"""/explain, /ask, /digest search and questions to the bot; Discord has been answered before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import discord

from bot import consulting_words, searching
from bot.commands import Commands
from bot.consulting import Asker
from bot.discord import consulted, pages, places, reach
from bot.discord.answering import NOBODY, Answer, Interaction, place_of, respond
from bot.discord.escaping import escaped
from bot.discord.looking_back import question_before
from bot.discord.naming import Pressed
from bot.discord.troubles import BROKEN
from bot.replies import plain
from core.article import Language
from core.errors import DigestError
from core.explaining import Unknown
from core.places import Place

log = logging.getLogger(__name__)
_TERM, _QUESTION = 200, 600  # characters that are read of what somebody asks
_OFFERED, _OPTION = 25, 100  # Discord's
_AUTOCOMPLETE_SECONDS = 2.0  # Discord waits for three


class Consultations:
    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._consulting = commands.consulting

    # --- terms

    async def explain(self, interaction: Interaction, term: str) -> None:
        async def act(answer: Answer) -> None:
            await self._explain(answer, term)

        await respond(interaction, self._commands, act)

    async def chosen(self, answer: Answer, at: Pressed) -> None:
        """From the menu under an explanation."""
        data: Mapping[str, object] = dict(answer.interaction.data or {})
        values = data.get("values")
        await self._explain(answer, str(values[0]) if isinstance(values, list) and values else "")

    async def _explain(self, answer: Answer, term: str) -> None:
        place = place_of(answer.interaction)
        within = reach.of_member(place, answer.interaction.guild, answer.interaction.user)
        asker = Asker(place, str(answer.interaction.user.id))
        found = await self._consulting.explain(term[:_TERM], answer.ui, within, asker)
        if isinstance(found, Unknown):
            shown = consulted.unknown(found, answer.ui)
        else:
            shown = consulted.explained(found, answer.ui)
        # only this person may read what it quotes
        await answer.show(shown, public=False)

    async def terms(self, interaction: Interaction, typed: str) -> list[str]:
        """Nothing is better than something too late: it is only an offer."""
        within = reach.of_member(place_of(interaction), interaction.guild, interaction.user)
        try:
            async with asyncio.timeout(_AUTOCOMPLETE_SECONDS):
                found = await self._consulting.terms(typed[:_TERM], within, limit=_OFFERED)
        except (DigestError, TimeoutError) as error:
            log.info("known terms cannot be looked up: %s", error)
            return []
        shown = dict.fromkeys(plain(one) for one in found)
        return [one for one in shown if 0 < len(one) <= _OPTION]

    # --- questions

    async def ask(self, interaction: Interaction, question: str) -> None:
        async def act(answer: Answer) -> None:
            await self._ask(answer, " ".join(question.split())[:_QUESTION])

        await respond(interaction, self._commands, act)

    async def _ask(self, answer: Answer, question: str) -> None:
        interaction = answer.interaction
        place = place_of(interaction)
        if not self._consulting.may_ask(f"discord:{place.workspace}:{interaction.user.id}"):
            await answer.say(consulting_words.say("limit.questions", answer.ui))
            return
        thread = f"discord:{place.workspace}:{place.channel}:{place.thread}:{interaction.user.id}"
        within = reach.of_member(place, interaction.guild, interaction.user)
        found = await self._consulting.ask(question, within, thread=thread)
        if await answer.show_privately(consulted.answered(found, answer.ui, asked=question)):
            return
        # A quarter of an hour has passed. In the channel others read along, so it is found anew
        # among what all of them may read.
        narrow = reach.of_everybody(place, interaction.guild, interaction.user)
        found = await self._consulting.ask(question, narrow)
        await answer.show(consulted.answered(found, answer.ui, asked=question))

    async def mentioned(
        self, message: discord.Message, place: Place, question: str, ui: Language
    ) -> None:
        """Answered for everybody, beneath the question."""
        if places.missing(message.channel):
            return
        if not self._consulting.may_ask(f"discord:{place.workspace}:{message.author.id}"):
            await self._reply(
                message, pages.notice(escaped(consulting_words.say("limit.questions", ui)))
            )
            return
        replied_to = message.reference.message_id if message.reference else None
        thread = reach.conversation(place, replied_to)
        within = reach.of_everybody(place, message.guild, message.author)
        asked = " ".join(question.split())[:_QUESTION]
        try:
            async with message.channel.typing():
                await self._recall(message, thread)
                found = await self._consulting.ask(asked, within, thread=thread)
        except (discord.HTTPException, *BROKEN) as error:
            log.info("a question cannot be answered here: %s", error)
            return
        sent = await self._reply(message, consulted.answered(found, ui, asked=asked, beneath=True))
        if sent is not None:
            # whoever replies to this answer asks on
            conversations = self._consulting.conversations
            conversations.keep(reach.of_answer(sent.id), found.question)

    async def asks_on(self, message: discord.Message) -> bool:
        """Whether a message replies to one of our answers."""
        answer = message.reference.message_id if message.reference else None
        return answer is not None and await self._recall(message, reach.of_answer(answer))

    async def _recall(self, message: discord.Message, thread: str) -> bool:
        """Whether something was asked before in a conversation; if that was before this process
        began, or in another one, it stands in Discord."""
        if not thread:
            return False
        if not self._consulting.conversations.earlier(thread):
            question = await question_before(message)
            if question is None:
                return False
            await self._consulting.recall(thread, [question[:_QUESTION]])
        return True

    async def _reply(
        self, message: discord.Message, view: discord.ui.LayoutView
    ) -> discord.Message | None:
        view.stop()
        try:
            return await message.reply(
                view=view, mention_author=False, allowed_mentions=NOBODY, suppress_embeds=True
            )
        except (discord.HTTPException, *BROKEN) as error:
            log.info("an answer could not be sent: %s", error)
            return None

    # --- searches

    async def search(self, interaction: Interaction, written: str) -> None:
        """`written`: the words and the filters, as they are typed elsewhere in one line."""

        async def act(answer: Answer) -> None:
            found = searching.understood(written, datetime.now(UTC))
            if found.mistakes:
                named = ", ".join(one[:60] for one in found.mistakes[:5])
                said = consulting_words.say("no_such_filter", answer.ui, filters=named)
                await answer.say(escaped(said))
                return
            place = place_of(interaction)
            within = reach.of_member(place, interaction.guild, interaction.user)
            hits = await self._consulting.search(
                found.query, within, found.filters, limit=consulted.SHOWN_HITS
            )
            await answer.show(consulted.hits(hits, found.query, answer.ui), public=False)

        await respond(interaction, self._commands, act)
