"""explain, ask, search: what was read."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.options import ConfigFile, Profile, app, settings_of
from bot.cli.speaking import errors_spoken, ui_of


@app.command()
def explain(
    context: typer.Context,
    term: Annotated[str, typer.Argument(metavar="TERM", help="A term, short form or question.")],
    as_json: Annotated[bool, typer.Option("--json", help="All that is known as JSON.")] = False,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Explain a term from the articles read here, then from the bundled glossary.

    Exits with 1 where neither knows it. Examples:

        smartdevdigest explain "service mesh"

        smartdevdigest --ui ko explain k8s --json
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = settings_of(config, profile)
        from bot.cli import answering

        raise typer.Exit(asyncio.run(answering.explain(settings, term, ui, as_json=as_json)))


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In Korean or English.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer and sources as JSON.")] = False,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Answer a question from the articles read here, each sentence with its source.

    Exits with 1 where nothing that was read answers it. Examples:

        smartdevdigest ask "Why use a connection pool?"

        smartdevdigest ask "커넥션 풀은 왜 쓰나요?" --json
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = settings_of(config, profile)
        from bot.cli import answering

        raise typer.Exit(asyncio.run(answering.ask(settings, question, ui, as_json=as_json)))


@app.command()
def search(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORDS", help="Words and filters; none: the newest."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Articles at most.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Search the articles read here by words and meaning.

    Filters: level:1-3 or level:beginner, lang:ko, site:example.com, since:7d or since:2026-01-31.

    Examples:

        smartdevdigest search connection pool

        smartdevdigest search 멱등성 level:1-3 lang:ko since:30d --limit 5
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = settings_of(config, profile)
        from bot.cli import answering

        found = answering.search(settings, " ".join(words or ()), ui, limit=limit, as_json=as_json)
        raise typer.Exit(asyncio.run(found))
