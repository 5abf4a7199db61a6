"""One link or file on its way through the service, watched by one person."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass
from typing import Any

from rich.status import Status

from bot import replies
from bot.cli.speaking import error_console, preparation_bar
from bot.reading import extract_one
from bot.wiring import Service, open_service
from core.article import Article, Language
from core.digest import DigestRecord
from core.progress import Checking, Drafting, Event, Finished
from core.settings import OutputLanguage, Settings


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    target: str
    language: OutputLanguage
    again: bool = False
    questions: bool = False
    url: str | None = None


async def prepared(settings: Settings, heard: Callable[[str, float], None]) -> str:
    """Opens the service once, which prepares its model; gives the model's name."""
    async with open_service(settings, progress=heard) as service:
        return service.engine.name


async def digest_one(settings: Settings, wish: Wish, ui: Language) -> DigestRecord:
    # Read first: who typed a wrong address need not wait for the model.
    article = await extract_one(settings, wish.target, wish.url)
    async with AsyncExitStack() as stack:
        with preparation_bar(ui) as heard:
            service = await stack.enter_async_context(open_service(settings, progress=heard))
        events = service.intake.digest_article(article, wish.language, again=wish.again)
        record = await _watched(events, ui)
        return await with_questions(service, article, record) if wish.questions else record


async def with_questions(service: Service, article: Article, record: DigestRecord) -> DigestRecord:
    """The record with reader questions; kept with them, so that they are asked for once."""
    if record.details.questions:
        return record
    asked = await service.digester.questions(record)
    details = record.details.model_copy(update={"questions": asked})
    richer = record.model_copy(update={"details": details})
    await service.digests.add(richer, content_hash=article.content_hash)
    return richer


def record_as_json(record: DigestRecord, *, details: bool = False) -> str:
    """Exactly the keys of the output contract; with `details` also id, article and details."""
    values: dict[str, Any] = record.digest.model_dump(mode="json")
    if details:
        beside = record.model_dump(mode="json", include={"id", "article", "details"})
        values = {**values, **beside}
    return json.dumps(values, ensure_ascii=False, indent=2)


async def _watched(events: AsyncIterator[Event], ui: Language) -> DigestRecord:
    """The finished record; meanwhile a line on the terminal says what is being done."""
    console = error_console()
    line = Status(replies.say("stage.reading", ui), console=console)
    record: DigestRecord | None = None
    with line if console.is_terminal else nullcontext():
        async with aclosing(events) as watched:  # type: ignore[type-var]
            async for event in watched:
                match event:
                    case Drafting():
                        line.update(replies.say("stage.drafting", ui))
                    case Checking():
                        line.update(replies.say("stage.checking", ui))
                    case Finished(record=record):
                        pass
                    case _:
                        pass
    if record is None:
        raise RuntimeError("a digest ended without a result")
    return record
