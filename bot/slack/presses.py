"""What follows when somebody presses a button under a digest, or turns a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot import replies
from bot.slack import pages
from bot.slack.desk import Asked, Desk
from bot.slack.naming import Pressed, Verb
from core.article import Language
from core.digest import DigestRecord
from core.places import Delivery
from core.ports import Verdict

_VERDICTS: Mapping[Verb, Verdict] = {
    "too_easy": "too_easy",
    "too_hard": "too_hard",
    "good": "good",
    "bad": "bad",
}


class Presses:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        further: Mapping[Verb, Callable[[Asked, Pressed, Language], Awaitable[None]]] = {
            "terms": self._terms,
            "questions": self._questions,
            "again": self._once_more,
            "language": self._once_more,
            "hide": self._hide,
        }
        self._further = further

    async def press(self, asked: Asked, pressed: Pressed) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        verdict = _VERDICTS.get(pressed.verb)
        if verdict is None:
            await self._further[pressed.verb](asked, pressed, ui)
            return
        kept = await self._desk.commands.verdict(pressed.digest, verdict, asked.name)
        await self._desk.tell(asked, "thanks" if kept else "gone", ui)

    async def _terms(self, asked: Asked, pressed: Pressed, ui: Language) -> None:
        record = await self._record(asked, pressed, ui)
        if record is not None:
            told = pages.terms(record, ui)
            await self._turn(asked, pressed, told, "terms", ui)

    async def _questions(self, asked: Asked, pressed: Pressed, ui: Language) -> None:
        if await self._record(asked, pressed, ui) is None:
            return
        found = await self._desk.commands.questions(pressed.digest)
        await self._turn(asked, pressed, pages.questions(found), "questions", ui)

    async def _turn(
        self,
        asked: Asked,
        pressed: Pressed,
        told: Sequence[pages.Paragraph],
        key: str,
        ui: Language,
    ) -> None:
        found = pages.paged(told)
        if not found:
            await self._desk.tell(asked, f"no_{key}", ui)
            return
        shown = pages.page(found, pressed, replies.say(key, ui), ui)
        await self._desk.answer(asked, shown, instead=pressed.page is not None)

    async def _once_more(self, asked: Asked, pressed: Pressed, ui: Language) -> None:
        commands = self._desk.commands
        ask = commands.again if pressed.verb == "again" else commands.in_other_language
        delivery = await ask(pressed.delivery, asked.by)
        await self._desk.tell(asked, "gone" if delivery is None else "on_its_way", ui)

    async def _hide(self, asked: Asked, pressed: Pressed, ui: Language) -> None:
        delivery = await self._desk.commands.delivery(pressed.delivery)
        if delivery is None:
            await self._desk.tell(asked, "gone", ui)
        elif not await self._may_hide(asked, delivery):
            await self._desk.tell(asked, "hide_refused", ui)
        else:
            await self._desk.commands.hide(pressed.delivery)
            await self._desk.tell(asked, "hidden", ui)

    async def _may_hide(self, asked: Asked, delivery: Delivery) -> bool:
        if delivery.shared.by == asked.by:
            return True
        return await self._desk.people.is_admin(asked.place.workspace, asked.by)

    async def _record(self, asked: Asked, pressed: Pressed, ui: Language) -> DigestRecord | None:
        record = await self._desk.commands.record(pressed.digest)
        if record is None:
            await self._desk.tell(asked, "gone", ui)
        return record
