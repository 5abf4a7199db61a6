"""What all commands share: the application, its options, the settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.speaking import language_of, utf8_streams

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


def loaded(config: Path | None, profile: str | None) -> Loaded:
    from bot.configuration import load_explained
    from bot.logs import set_up_logging
    from bot.tracing import set_up_tracing

    found = load_explained(config, profile)
    set_up_logging(found.settings.log)
    set_up_tracing(found.settings.log.traces)
    return found


def settings_of(config: Path | None, profile: str | None) -> Settings:
    return loaded(config, profile).settings
