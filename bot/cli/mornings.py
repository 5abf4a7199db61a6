"""subscribe, feeds, daily: what comes every morning."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.options import ConfigFile, Profile, app, settings_of
from bot.cli.speaking import FAILED, errors_spoken, ui_of


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
        settings = settings_of(config, None)
        from bot.cli import subscriptions

        given: Mapping[str, str | None] = {
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
        done = asyncio.run(subscriptions.subscribe(settings, form, change, ui, opml))
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
        settings = settings_of(config, None)
        from bot.cli import subscriptions

        if find is not None:
            raise typer.Exit(0 if subscriptions.offered(find) else FAILED)
        if export is not None:
            raise typer.Exit(
                0 if asyncio.run(subscriptions.export(settings, export, ui)) else FAILED
            )
        wanted = {"pause": pause, "resume": resume, "remove": remove}
        changes = [subscriptions.Change(n, verb) for verb, n in wanted.items() if n is not None]
        if len(changes) > 1:
            raise typer.BadParameter("give one of --pause, --resume and --remove")
        shown = asyncio.run(subscriptions.feeds(settings, changes[0] if changes else None, ui))
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
            raise typer.BadParameter(
                "mornings come by themselves while the service runs; else --now"
            )
        settings = settings_of(config, profile)
        from bot.cli import subscriptions

        done = asyncio.run(subscriptions.daily(settings, number, ui, dry_run=dry_run))
        raise typer.Exit(0 if done else FAILED)


def _own_zone() -> str:
    """The IANA name of this machine's zone, where it tells one."""
    given = os.environ.get("TZ", "").lstrip(":")
    link = Path("/etc/localtime")
    if not given and link.is_symlink():
        given = str(link.resolve()).partition("zoneinfo/")[2]
    return given or "UTC"
