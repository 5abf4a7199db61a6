"""How the command line speaks: in whose language, through which stream, with which exit code.

0: fine. 1: the link could not be digested; one sentence on standard error says why.
2: wrong usage, wrong settings included. 130: the person stopped it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from core.article import Language

FAILED = 1
WRONG_USAGE = 2


def language_of(environ: Mapping[str, str]) -> Language:
    """Korean for a Korean locale; the first variable that is set decides, as in POSIX."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    return "ko" if re.match(r"ko(?![a-z])", locale.lower()) else "en"


def ui_of(context: typer.Context) -> Language:
    return cast("Language", context.obj or language_of(os.environ))


@contextmanager
def errors_spoken(ui: Language, subject: str | None = None) -> Iterator[None]:
    """Expected trouble becomes a sentence and an exit code, never a traceback."""
    from bot import replies
    from core.errors import DigestError, SettingsError

    try:
        yield
    except SettingsError as error:
        complain(replies.sentence(error, ui))
        raise typer.Exit(WRONG_USAGE) from error
    except DigestError as error:
        about = f" [{replies.plain(subject)}]" if subject else ""
        complain(replies.sentence(error, ui) + about)
        raise typer.Exit(FAILED) from error


def complain(text: str) -> None:
    typer.echo(text, err=True)


def wrong_usage(text: str) -> typer.Exit:
    complain(text)
    return typer.Exit(WRONG_USAGE)


def error_console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def utf8_streams() -> None:
    """Korean survives a pipe in the C locale; what cannot be shown does not stop a digest."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def preparation_bar(ui: Language) -> Iterator[Callable[[str, float], None]]:
    """A bar that appears with the first step of the preparation: a prepared model shows none."""
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

    from bot import replies

    bar = Progress(
        TextColumn(replies.say("stage.preparing", ui)),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stage]}", style="dim", markup=False),
        console=error_console(),
    )
    tasks: list[TaskID] = []

    def heard(stage: str, fraction: float) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task("", total=1.0, stage=stage))
        bar.update(tasks[0], completed=fraction, stage=stage)

    try:
        yield heard
        if tasks:
            bar.update(tasks[0], completed=1.0, stage="")
    finally:
        if tasks:  # a bar that never started would end with an empty line
            bar.stop()
