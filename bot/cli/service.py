"""run, worker, prepare, doctor, erase, index: the service and what it keeps."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from bot.cli.options import ConfigFile, Profile, app, loaded, settings_of
from bot.cli.speaking import (
    FAILED,
    errors_spoken,
    preparation_bar,
    ui_of,
    wrong_usage,
)


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
        settings = settings_of(config, profile)
        given = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
        http = settings.http.model_copy(update=given)
        settings = settings.model_copy(update={"http": http})
        import uvloop

        from bot.serving import serve

        uvloop.run(serve(settings, ui))


@app.command()
def worker(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve /healthz, /readyz and /metrics at this port."),
    ] = None,
    profile: Profile = None,
    config: ConfigFile = None,
) -> None:
    """Make digests for bots on other machines that use the same database.

    Needs PostgreSQL (or the same machine); start as many as there are models.

    Examples:

        SMARTDEVDIGEST_DATABASE__URL=postgresql://bot:…@db/digests smartdevdigest worker

        smartdevdigest worker --port 9001
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = settings_of(config, profile)
        if port is not None:
            http = settings.http.model_copy(update={"port": port})
            settings = settings.model_copy(update={"http": http})
        import uvloop

        from bot.serving import work

        uvloop.run(work(settings, ui, watched=port is not None))


@app.command()
def prepare(context: typer.Context, profile: Profile = None, config: ConfigFile = None) -> None:
    """Prepare the model now, so that the first digest need not wait for it.

    Example:

        smartdevdigest prepare
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        settings = settings_of(config, profile)
        from bot import replies
        from bot.cli.oneshot import prepared

        with preparation_bar(ui) as heard:
            name = asyncio.run(prepared(settings, heard))
        typer.echo(replies.say("ready", ui, model=name))


@app.command()
def doctor(context: typer.Context, profile: Profile = None, config: ConfigFile = None) -> None:
    """Check settings, model, GPU, database and disk, and say what to fix.

    Example:

        smartdevdigest doctor
    """
    ui = ui_of(context)
    with errors_spoken(ui):
        found = loaded(config, profile)
        from bot.cli.doctor import examine, report

        findings = asyncio.run(examine(found))
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
        settings = settings_of(config, None)
        from bot import replies
        from bot.cli.erasing import erase_with_consent
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
        settings = settings_of(config, profile)
        from bot import replies
        from bot.cli import indexing

        def heard(done: int, total: int) -> None:
            typer.echo(replies.say("index.progress", ui, done=done, total=total), err=True)

        if action == "status":
            typer.echo(asyncio.run(indexing.status(settings, ui)))
        else:
            work = indexing.rebuild(settings, ui, heard, anew=not missing)
            typer.echo(asyncio.run(work))
