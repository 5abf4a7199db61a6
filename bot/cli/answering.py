"""Terms, questions and searches on the command line: all that is kept on this machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import typer
from rich.console import Console, Group, RenderableType
from rich.text import Text

from bot import consulting_words, replies, searching
from bot.cli.speaking import FAILED, preparation_bar, wrong_usage
from bot.consulting_words import origin, title
from bot.http.reading import hit_values
from bot.wiring import Service, open_service
from core.article import Language
from core.explaining import Explanation, Unknown
from core.library import Everything, Hit
from core.retrieval.answering import Answer, NotRead
from core.settings import Settings

ALL = Everything()


async def explain(settings: Settings, term: str, ui: Language, *, as_json: bool) -> int:
    """The exit status: a term that nobody knows is a failure."""
    async with _service(settings, ui) as service:
        found = await service.consulting.explain(term, ui, ALL)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(_explained(found, ui))
    return FAILED if isinstance(found, Unknown) else 0


async def ask(settings: Settings, question: str, ui: Language, *, as_json: bool) -> int:
    async with _service(settings, ui) as service:
        found = await service.consulting.ask(question, ALL)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(_answered(found, ui))
    return FAILED if isinstance(found, NotRead) else 0


async def search(settings: Settings, words: str, ui: Language, *, limit: int, as_json: bool) -> int:
    asked = searching.understood(words, datetime.now(UTC))
    if asked.mistakes:
        named = ", ".join(asked.mistakes)
        raise wrong_usage(consulting_words.say("no_such_filter", ui, filters=named))
    async with _service(settings, ui) as service:
        found = await service.consulting.search(asked.query, ALL, asked.filters, limit=limit)
    if as_json:
        typer.echo(json.dumps([hit_values(hit) for hit in found], ensure_ascii=False, indent=2))
    else:
        _print(_hits(found, asked.query, ui))
    return 0 if found else FAILED


@asynccontextmanager
async def _service(settings: Settings, ui: Language) -> AsyncIterator[Service]:
    with preparation_bar(ui) as heard:
        opened = open_service(settings, progress=heard)
        service = await opened.__aenter__()
    try:
        yield service
    finally:
        await opened.__aexit__(None, None, None)


def _print(lines: Iterator[RenderableType]) -> None:
    Console(highlight=False).print(Group(*lines))


def _text(text: str, style: str = "") -> Text:
    """Pages can neither move the cursor nor be taken for markup."""
    return Text(replies.plain(text), style=style)


def _explained(found: Explanation | Unknown, ui: Language) -> Iterator[RenderableType]:
    if isinstance(found, Unknown):
        yield _text(consulting_words.say("unknown_term", ui, term=found.term))
        if found.near:
            yield _listed("near", found.near, ui)
        return
    yield _text(found.term, "bold")
    if found.names:
        yield _text(consulting_words.names(found.names, ui), "dim")
    for one in found.said:
        yield Text()
        yield _text(one.text)
        yield _text(f"— {origin(one, ui)}", "dim")
        if one.article is not None:
            yield _source(one.article.title, one.article.link, ui)
    yield Text()
    if found.easiest is not None:
        easiest = found.easiest
        level = consulting_words.level(easiest, ui)
        named = title(easiest.title, easiest.link, ui)
        yield _text(f"{consulting_words.say('easiest', ui)}: {named} ({level})", "dim")
    for key, offered in (("senses", found.senses), ("related", found.related)):
        if offered:
            yield _listed(key, offered, ui)


def _listed(key: str, names: Sequence[str], ui: Language) -> Text:
    return _text(f"{consulting_words.say(key, ui)}: {', '.join(names)}", "dim")


def _source(name: str | None, link: str | None, ui: Language) -> Text:
    shown = title(name, link, ui)
    return _text(f"  {shown}" if not link or shown == link else f"  {shown}  {link}", "dim cyan")


def _answered(found: Answer | NotRead, ui: Language) -> Iterator[RenderableType]:
    if isinstance(found, NotRead):
        yield _text(consulting_words.say("not_read", ui))
        if found.near:
            yield _text(consulting_words.say("closest", ui), "dim")
            for near in found.near:
                yield _source(near.title, near.link, ui)
        return
    for one in found.sentences:
        yield _text(f"{one.text} {''.join(f'[{number}]' for number in one.cited)}")
    yield Text()
    for cited in found.citations:
        yield Text.assemble(_text(f"[{cited.number}]"), _source(cited.title, cited.link, ui))
    kinds = {one.origin for one in found.sentences}
    yield _text(consulting_words.say("written" if "model" in kinds else "own_words", ui), "dim")


def _hits(found: Sequence[Hit], query: str, ui: Language) -> Iterator[RenderableType]:
    if not found:
        yield _text(consulting_words.say("found_nothing", ui, query=query))
        return
    for one in found:
        yield _text(title(one.title, one.link, ui), "bold")
        beside = (one.site or "", consulting_words.level(one, ui), f"{one.digested_at:%Y-%m-%d}")
        yield _text(" · ".join(filter(None, beside)), "dim")
        if one.link:
            yield _text(one.link, "dim cyan")
        yield _text(one.text if len(one.text) <= 300 else f"{one.text[:299]}…")
        yield Text()
