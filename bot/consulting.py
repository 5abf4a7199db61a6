"""What people ask of the articles that were read, in words that no platform owns.

Whoever asks says how far they may see (`core.library.Reach`); it is handed on with every call,
so that nothing has to be hidden afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from core.article import Language
from core.errors import StorageUnavailable
from core.explaining import Explainer, Explanation, Unknown
from core.judging import glossary
from core.library import Filters, Hit, Reach
from core.places import Place
from core.ports import AskedTerms, Digests, Encoder, Engine, Library
from core.retrieval.answering import Answer, Answerer, NotRead
from core.retrieval.questions import understood
from core.vocabulary import offered

log = logging.getLogger(__name__)

_HOUR = 3600.0
_REMEMBERED = 10_000  # threads and people kept in mind at most
_DAY = 24 * _HOUR
_TURNS = 4  # questions of a thread that are kept


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked where: remembered with the term, erased with the person."""

    place: Place
    by: str


class Conversations:
    """The last questions of each thread, for a day and in this process only: they are what people
    wrote in a chat, which we do not keep. Where the chat still has them they are read there again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, tuple[str, ...]]] = OrderedDict()

    def earlier(self, thread: str) -> tuple[str, ...]:
        at, questions = self._kept.get(thread, (0.0, ()))
        return questions if questions and self._clock() - at < _DAY else ()

    def keep(self, thread: str, question: str) -> None:
        questions = (*self.earlier(thread), question)[-_TURNS:]
        self._kept[thread] = (self._clock(), questions)
        self._kept.move_to_end(thread)
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)


class Allowance:
    """So many questions of one person in an hour; a model answers one at a time."""

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_hour = per_hour
        self._clock = clock
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def spend(self, who: str) -> bool:
        """False where it is used up."""
        now = self._clock()
        asked = self._asked.setdefault(who, deque())
        self._asked.move_to_end(who)
        while asked and asked[0] <= now - _HOUR:
            asked.popleft()
        while len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        if len(asked) >= self._per_hour:
            return False
        asked.append(now)
        return True


class Consulting:
    """`per_hour`: questions of one person."""

    def __init__(
        self,
        library: Library,
        explainer: Explainer,
        answerer: Answerer,
        asked: AskedTerms,
        *,
        per_hour: int = 60,
    ) -> None:
        self._library = library
        self._explainer = explainer
        self._answerer = answerer
        self._asked = asked
        self._allowance = Allowance(per_hour)
        self.conversations = Conversations()

    async def explain(
        self, typed: str, ui: Language, reach: Reach, asker: Asker | None = None
    ) -> Explanation | Unknown:
        """Raises StorageUnavailable. `asker`: then the term is remembered."""
        found = await self._explainer.explain(typed, ui, reach)
        if asker is not None and found.term:
            await self._remember(found.term, ui, asker)
        return found

    async def ask(
        self, question: str, reach: Reach, *, thread: str = "", filters: Filters | None = None
    ) -> Answer | NotRead:
        """`thread`: whatever names the conversation; what was asked in it before is understood.

        Takes as long as the model does: acknowledge first. Raises StorageUnavailable.
        """
        earlier = self.conversations.earlier(thread) if thread else ()
        found = await self._answerer.ask(question, reach, earlier=earlier, filters=filters)
        if thread:
            # as it was understood: a third question may lean on the first through the second
            self.conversations.keep(thread, found.question)
        return found

    async def recall(self, thread: str, asked: Sequence[str]) -> None:
        """What was asked in a conversation before, as the chat still has it, the last one last."""
        for question in asked[-_TURNS:]:
            earlier = self.conversations.earlier(thread)
            meant = await asyncio.to_thread(understood, question, earlier)
            self.conversations.keep(thread, meant.text)

    async def ask_on(self, question: str, reach: Reach, earlier: Sequence[str]) -> Answer | NotRead:
        """As `ask`, where the asking side keeps the conversation itself."""
        return await self._answerer.ask(question, reach, earlier=earlier)

    def may_ask(self, who: str) -> bool:
        """Whether this person's allowance has room for one more question, which it then has not."""
        return self._allowance.spend(who)

    async def search(
        self, query: str, reach: Reach, filters: Filters | None = None, *, limit: int = 10
    ) -> list[Hit]:
        """The best first; without a query the newest."""
        return await self._library.search(query, reach=reach, filters=filters, limit=limit)

    async def terms(self, typed: str, reach: Reach, *, limit: int = 25) -> list[str]:
        """What can be explained and begins with, or holds, what was typed so far."""
        return offered(typed, await self._explainer.known(typed, reach), limit=limit)

    async def suggested(self, place: Place, reach: Reach, *, limit: int = 5) -> list[str]:
        """For who names no term: what is asked for most in this channel, then what was read lately."""
        often = await self._asked.often(place, limit)
        known = await self._explainer.vocabulary.of(reach, limit=limit)
        return list(dict.fromkeys((*often, *known)))[:limit]

    async def _remember(self, term: str, language: Language, asker: Asker) -> None:
        try:
            await self._asked.add(asker.place, asker.by, term, language)
        except StorageUnavailable as error:
            log.warning("a term that was asked for is not remembered: %s", error)


def consulting_over(
    library: Library,
    digests: Digests,
    engine: Engine | None,
    encoder: Encoder,
    asked: AskedTerms,
    *,
    per_hour: int = 60,
) -> Consulting:
    """Put together, with the bundled glossary. `engine` None: no model writes anything."""

    @cache
    def names() -> tuple[str, ...]:
        return (*glossary.names("ko"), *glossary.names("en"))

    explainer = Explainer(library, digests, engine, glossary.lookup, names)
    answerer = Answerer(library, encoder, engine)
    return Consulting(library, explainer, answerer, asked, per_hour=per_hour)
