"""digest, extract, schema: one article, or a file of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.options import CameFrom, ConfigFile, Profile, Target, app, settings_of
from bot.cli.speaking import FAILED, errors_spoken, ui_of


@app.command()
def digest(
    context: typer.Context,
    target: Target = None,
    lang: Annotated[
        Literal["auto", "ko", "en"] | None,
        typer.Option(help="Language of the digest; auto: that of the article."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The output contract as JSON.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="With --json: id, article and details beside it.")
    ] = False,
    questions: Annotated[
        bool, typer.Option("--questions", help="Five questions readers are likely to ask.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Digest anew; with --out: begin the file anew.")
    ] = False,
    url: CameFrom = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", metavar="IN", help="Articles, one a line.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT", help="Digests, one a line.")
    ] = None,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Digest a link, a file (HTML, PDF, Markdown, text, a JSON article) or standard input.

    With --jsonl IN --out OUT every article of a file is digested; run it again to go on where
    it stopped. Rows that fail are listed in OUT.errors.jsonl.

    Examples:

        smartdevdigest digest https://example.com/post

        smartdevdigest digest https://example.com/post --lang ko --questions

        curl -s https://example.com/post | smartdevdigest digest - --json

        smartdevdigest digest --jsonl articles.jsonl --out digests.jsonl
    """
    ui = ui_of(context)
    _check_digest_usage(target, jsonl, out, as_json=as_json, details=details, questions=questions)
    with errors_spoken(ui, target):
        settings = settings_of(config, profile)
        language = lang or settings.digest.language
        if jsonl is not None and out is not None:
            from bot.cli.batching import digest_file

            tally = asyncio.run(digest_file(settings, jsonl, out, language, again=again, ui=ui))
            raise typer.Exit(FAILED if tally.failed else 0)
        from bot.cli.oneshot import Wish, digest_one

        wish = Wish(str(target), language, again=again, questions=questions, url=url)
        record = asyncio.run(digest_one(settings, wish, ui))
        _show(record, ui, as_json=as_json, details=details)


@app.command()
def extract(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="LINK|FILE|-", help="A link, a file, or -.")],
    url: CameFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="The input contract as JSON.")] = False,
    config: ConfigFile = None,
) -> None:
    """Show the article found in a page, as Markdown or in the input contract. No model is used.

    Examples:

        smartdevdigest extract https://example.com/post

        smartdevdigest extract saved.html --url https://example.com/post --json
    """
    ui = ui_of(context)
    with errors_spoken(ui, target):
        settings = settings_of(config, None)
        from bot.reading import article_as_markdown, extract_one

        article = asyncio.run(extract_one(settings, target, url))
        typer.echo(article.model_dump_json(indent=2) if as_json else article_as_markdown(article))


@app.command()
def schema(
    which: Annotated[Literal["article", "digest"], typer.Argument(help="Input or output.")],
) -> None:
    """Print the JSON Schema of the input contract (article) or the output contract (digest).

    Example:

        smartdevdigest schema digest
    """
    import json

    from core.article import Article
    from core.digest import Digest

    model = Article if which == "article" else Digest
    mode: Literal["validation", "serialization"] = (
        "validation" if which == "article" else "serialization"
    )
    typer.echo(json.dumps(model.model_json_schema(mode=mode), ensure_ascii=False, indent=2))


def _check_digest_usage(
    target: str | None,
    jsonl: Path | None,
    out: Path | None,
    *,
    as_json: bool,
    details: bool,
    questions: bool,
) -> None:
    if (target is None) == (jsonl is None):
        raise typer.BadParameter("name either LINK|FILE|- or --jsonl IN --out OUT")
    if (jsonl is None) != (out is None):
        raise typer.BadParameter("--jsonl and --out belong together")
    if details and not as_json:
        raise typer.BadParameter("--details needs --json (the plain output shows them anyway)")
    if questions and (jsonl is not None or (as_json and not details)):
        raise typer.BadParameter("the output contract has no questions: add --json --details")


def _show(record: object, ui: Literal["ko", "en"], *, as_json: bool, details: bool) -> None:
    from bot.cli.oneshot import record_as_json
    from core.digest import DigestRecord

    assert isinstance(record, DigestRecord)  # noqa: S101 - for mypy; imported late
    if as_json:
        typer.echo(record_as_json(record, details=details))
        return
    from rich.console import Console

    from bot.cli.terminal import digest_view

    Console(highlight=False).print(digest_view(record, ui))
