"""The command line: what is typed becomes a call, what comes back becomes text and an exit code.

Everything heavy is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.speaking import (
    FAILED,
    errors_spoken,
    language_of,
    preparation_bar,
    ui_of,
    utf8_streams,
    wrong_usage,
)

if TYPE_CHECKING:
    from bot.configuration import Loaded
    from core.settings import Settings

app = typer.Typer(
    name="smartdevdigest",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its frames would show secrets
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Another config.yaml.")
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="embedded, gpu or vllm.")
]
Target = Annotated[
    str | None,
    typer.Argument(metavar="LINK|FILE|-", show_default=False, help="A link, a file, or - (stdin)."),
]
CameFrom = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Where a file or stdin came from.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"smartdevdigest {version('smartdevdigest')}")
        raise typer.Exit


@app.callback()
def smartdevdigest(
    context: typer.Context,
    ui: Annotated[
        Literal["ko", "en"] | None,
        typer.Option("--ui", help="Language of messages and labels; else that of the locale."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Honest digests of technical articles, by your own model on your own machine.

    Examples:

        smartdevdigest run

        smartdevdigest digest https://example.com/post --lang ko

        smartdevdigest digest paper.pdf --json
    """
    utf8_streams()
    context.obj = ui or language_of(os.environ)


@app.command()
def run(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0: any free one.")
    ] = None,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Start the bot: Slack and Discord where tokens are set, the local page and the JSON API.

    Examples:

        smartdevdigest run

        smartdevdigest run --port 9000

        SMARTDEVDIGEST_HTTP__TOKEN=… smartdevdigest run --host 0.0.0.0
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, profile)
        given = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
        http = settings.http.model_copy(update=given)
        settings = settings.model_copy(update={"http": http})
        import uvloop

        from bot.serving import serve

        uvloop.run(serve(settings, ui))


@app.command()
def worker(context: typer.Context, profile: Profile = None, config: ConfigFile = None) -> None:
    """Make digests for bots on other machines that use the same database.

    Needs PostgreSQL (or the same machine); start as many as there are models.

    Example:

        SMARTDEVDIGEST_DATABASE__URL=postgresql://bot:…@db/digests smartdevdigest worker
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, profile)
        import uvloop

        from bot.serving import work

        uvloop.run(work(settings, ui))


@app.command()
def prepare(context: typer.Context, profile: Profile = None, config: ConfigFile = None) -> None:
    """Prepare the model now, so that the first digest need not wait for it.

    Example:

        smartdevdigest prepare
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, profile)
        from bot import replies
        from bot.oneshot import prepared

        with preparation_bar(ui) as heard:
            name = asyncio.run(prepared(settings, heard))
        typer.echo(replies.say("ready", ui, model=name))


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
        settings = _settings(config, profile)
        language = lang or settings.digest.language
        if jsonl is not None and out is not None:
            from bot.batching import digest_file

            tally = asyncio.run(digest_file(settings, jsonl, out, language, again=again, ui=ui))
            raise typer.Exit(FAILED if tally.failed else 0)
        from bot.oneshot import Wish, digest_one

        wish = Wish(str(target), language, again=again, questions=questions, url=url)
        record = asyncio.run(digest_one(settings, wish, ui))
        _show(record, ui, as_json=as_json, details=details)


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
        settings = _settings(config, profile)
        from bot import consulting_cli

        raise typer.Exit(asyncio.run(consulting_cli.explain(settings, term, ui, as_json=as_json)))


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
        settings = _settings(config, profile)
        from bot import consulting_cli

        raise typer.Exit(asyncio.run(consulting_cli.ask(settings, question, ui, as_json=as_json)))


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
        settings = _settings(config, profile)
        from bot import consulting_cli

        found = consulting_cli.search(
            settings, " ".join(words or ()), ui, limit=limit, as_json=as_json
        )
        raise typer.Exit(asyncio.run(found))


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
        settings = _settings(config, None)
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


@app.command()
def doctor(context: typer.Context, profile: Profile = None, config: ConfigFile = None) -> None:
    """Check settings, model, GPU, database and disk, and say what to fix.

    Example:

        smartdevdigest doctor
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        loaded = _loaded(config, profile)
        from bot.doctor import examine, report

        findings = asyncio.run(examine(loaded))
        report(findings, ui)
        if any(finding.state == "bad" for finding in findings):
            raise typer.Exit(FAILED)


@app.command()
def erase(
    context: typer.Context,
    platform: Annotated[Literal["slack", "discord"], typer.Option(help="Where it is kept from.")],
    workspace: Annotated[
        str,
        typer.Option(metavar="ID", help="A Slack team or a Discord server; @me: direct messages."),
    ],
    channel: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what belongs to this channel.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what belongs to this person.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
) -> None:
    """Delete everything kept of a workspace, a channel or a person. It is shown first.

    Examples:

        smartdevdigest erase --platform slack --workspace T0123ABCD --user U0456EFGH

        smartdevdigest erase --platform discord --workspace 81384788765712384 --yes
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, None)
        from bot import replies
        from bot.erasing import erase_with_consent
        from core.places import Scope

        if channel and user:
            raise wrong_usage(replies.say("erase.one_of", ui))
        if not workspace.strip():
            raise typer.BadParameter("a workspace is needed")
        scope = Scope(platform, workspace.strip(), channel or "", user or "")

        def agreed() -> bool:
            return yes or typer.confirm(replies.say("erase.ask", ui))

        done = asyncio.run(erase_with_consent(settings, scope, agreed, typer.echo, ui))
        raise typer.Exit(0 if done else FAILED)


Fields = Mapping[str, str | None]


@app.command()
def subscribe(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FEED|SITE]...", show_default=False, help="Feeds, or sites."),
    ] = None,
    difficulty: Annotated[
        str | None, typer.Option(metavar="RANGE", help="Between 1 and 5, as in 2-3.5.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="As in 08:00.")] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="As in Asia/Seoul; else this machine's.")
    ] = None,
    days: Annotated[
        str | None, typer.Option(metavar="DAYS", help="daily, weekdays, mon-fri, tue,thu.")
    ] = None,
    size: Annotated[int | None, typer.Option(min=1, max=15, help="At most so many a day.")] = None,
    lang: Annotated[
        Literal["auto", "ko", "en"] | None, typer.Option(help="Language of the digests.")
    ] = None,
    include: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Only with one of these words.")
    ] = None,
    avoid: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Without any of these words.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="HOURS", help="As in 22:00-07:00; none: no such hours.")
    ] = None,
    change: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Change this one instead.")
    ] = None,
    opml: Annotated[
        Path | None, typer.Option("--opml", metavar="FILE", help="And the feeds of this list.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Subscribe to a daily digest on this machine, or change one. The page shows it, too.

    Examples:

        smartdevdigest subscribe https://netflixtechblog.com --difficulty 2-3.5 --at 08:00

        smartdevdigest subscribe d2.naver.com/d2.atom --include "java,kafka" --days weekdays

        smartdevdigest subscribe --opml feeds.opml --difficulty 2-3.5

        smartdevdigest subscribe --change 1 --size 3
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, None)
        from bot import daily_cli

        given: Fields = {
            "sources": " ".join(sources) if sources else None,
            "difficulty": difficulty,
            "at": at,
            "timezone": timezone or (None if change else _own_zone()),
            "days": days,
            "size": None if size is None else str(size),
            "language": lang,
            "include": include,
            "avoid": avoid,
            "quiet": quiet,
        }
        form = {name: value for name, value in given.items() if value is not None}
        done = asyncio.run(daily_cli.subscribe(settings, form, change, ui, opml))
        raise typer.Exit(0 if done else FAILED)


@app.command()
def feeds(
    context: typer.Context,
    pause: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Pause it.")] = None,
    resume: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Go on.")] = None,
    remove: Annotated[int | None, typer.Option(metavar="NUMBER", min=1, help="Remove it.")] = None,
    find: Annotated[
        str | None, typer.Option("--find", metavar="WORDS", help="Look in the catalogue instead.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write all feeds as OPML.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Show this machine's subscriptions: what comes from where, and when it last worked.

    Examples:

        smartdevdigest feeds

        smartdevdigest feeds --pause 1

        smartdevdigest feeds --find netflix

        smartdevdigest feeds --export feeds.opml
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, None)
        from bot import daily_cli

        if find is not None:
            raise typer.Exit(0 if daily_cli.offered(find) else FAILED)
        if export is not None:
            raise typer.Exit(0 if asyncio.run(daily_cli.export(settings, export, ui)) else FAILED)
        wanted = {"pause": pause, "resume": resume, "remove": remove}
        changes = [daily_cli.Change(n, verb) for verb, n in wanted.items() if n is not None]
        if len(changes) > 1:
            raise typer.BadParameter("give one of --pause, --resume and --remove")
        shown = asyncio.run(daily_cli.feeds(settings, changes[0] if changes else None, ui))
        raise typer.Exit(0 if shown else FAILED)


@app.command()
def daily(
    context: typer.Context,
    number: Annotated[
        int | None, typer.Argument(metavar="[NUMBER]", min=1, show_default=False)
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the morning.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show it: it is still new tomorrow.")
    ] = False,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Make today's digest now: ask the feeds, digest what is new, print the choice.

    Examples:

        smartdevdigest daily --now --dry-run

        smartdevdigest daily 1 --now
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        if not now:
            raise typer.BadParameter("mornings come by themselves while `serve` runs; else --now")
        settings = _settings(config, profile)
        from bot import daily_cli

        done = asyncio.run(daily_cli.daily(settings, number, ui, dry_run=dry_run))
        raise typer.Exit(0 if done else FAILED)


def _own_zone() -> str:
    """The IANA name of this machine's zone, where it tells one."""
    given = os.environ.get("TZ", "").lstrip(":")
    link = Path("/etc/localtime")
    if not given and link.is_symlink():
        given = str(link.resolve()).partition("zoneinfo/")[2]
    return given or "UTC"


@app.command()
def index(
    context: typer.Context,
    action: Annotated[
        Literal["status", "rebuild"], typer.Argument(help="Look at it, or make it anew.")
    ],
    missing: Annotated[
        bool, typer.Option("--missing", help="rebuild: only what is not in it yet.")
    ] = False,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """The index in which articles are searched. It keeps itself; this shows it or makes it anew.

    Examples:

        smartdevdigest index status

        smartdevdigest index rebuild
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = _settings(config, profile)
        from bot import indexing, replies

        def heard(done: int, total: int) -> None:
            typer.echo(replies.say("index.progress", ui, done=done, total=total), err=True)

        if action == "status":
            typer.echo(asyncio.run(indexing.status(settings, ui)))
        else:
            work = indexing.rebuild(settings, ui, heard, anew=not missing)
            typer.echo(asyncio.run(work))


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
    from bot.oneshot import record_as_json
    from core.digest import DigestRecord

    assert isinstance(record, DigestRecord)  # noqa: S101 - for mypy; imported late
    if as_json:
        typer.echo(record_as_json(record, details=details))
        return
    from rich.console import Console

    from bot.terminal import digest_view

    Console(highlight=False).print(digest_view(record, ui))


def _loaded(config: Path | None, profile: str | None) -> Loaded:
    from bot.configuration import load_explained
    from bot.logs import set_up_logging
    from bot.tracing import set_up_tracing

    loaded = load_explained(config, profile)
    set_up_logging(loaded.settings.log)
    set_up_tracing(loaded.settings.log.traces)
    return loaded


def _settings(config: Path | None, profile: str | None) -> Settings:
    return _loaded(config, profile).settings


def main() -> None:
    app(prog_name="smartdevdigest")


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[func-returns-value]
