"""The command line: what is typed becomes a call, what comes back becomes text and an exit code.

Everything heavy is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

from bot.cli import service  # in the order of --help

# isort: split
from bot.cli import articles, asking, mornings
from bot.cli.options import app

__all__ = ["articles", "asking", "main", "mornings", "service"]


def main() -> None:
    app(prog_name="smartdevdigest")
