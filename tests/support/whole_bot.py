"""`smartdevdigest run` as people run it, in the tests' own Slack and Discord.

Only the model is left out (`echo`) unless a caller wants it; articles come from
`support/messenger.py`, which serves as many as are asked for.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support import forks
from support.discord_entities import Channel as DiscordChannel
from support.discord_entities import Message as DiscordMessage
from support.discord_server import TOKEN, DiscordServer
from support.slack_server import SlackServer
from support.slack_world import Channel as SlackChannel
from support.slack_world import Message as SlackMessage

from bot.slack.permissions import SCOPES

ROOT = Path(__file__).parents[2]
PORT = re.compile(r"http://127\.0\.0\.1:(\d+)/")


@dataclass
class WholeBot:
    """`environ` is everything the process sees besides the usual; `quickly`: one that has imported
    everything, which nobody should measure."""

    data: Path
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | forks.Forked | None = None
    quickly: bool = True

    def articles_at(self, address: str) -> None:
        self.environ["SMARTDEVDIGEST_WEB__ALLOW_HOSTS"] = address.removeprefix("http://")
        self.environ["SMARTDEVDIGEST_WEB__RESPECT_ROBOTS"] = "false"

    def in_slack(self, slack: SlackServer) -> None:
        slack.team.scopes &= {*SCOPES}
        self.environ |= {
            "SMARTDEVDIGEST_SLACK__API_URL": slack.api_url,
            "SMARTDEVDIGEST_SLACK__BOT_TOKEN": slack.bot_token,
            "SMARTDEVDIGEST_SLACK__APP_TOKEN": slack.app_token,
        }

    def in_discord(self, discord: DiscordServer) -> None:
        self.environ |= {
            "SMARTDEVDIGEST_DISCORD__API_URL": discord.api_url,
            "SMARTDEVDIGEST_DISCORD__GATEWAY_URL": discord.gateway_url,
            "SMARTDEVDIGEST_DISCORD__TOKEN": TOKEN,
        }

    def start(self, **more: str) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        arguments, log_file = ["run", "--port", "0"], self.data / "log"
        if self.quickly:
            environ = self._environment(more)
            self.process = forks.start(forks.COMMAND, arguments, ROOT, environ, log_file)
            return
        with log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments],
                cwd=ROOT,
                env=self._environment(more),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.ended(seconds)

    def ended(self, seconds: float) -> int:
        """The exit status. Blocks: not for the loop in which a server of the test runs."""
        assert self.process is not None
        return self.process.wait(seconds)

    @property
    def log(self) -> str:
        return (self.data / "log").read_text(encoding="utf-8", errors="replace")

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "SMARTDEVDIGEST" not in name}
        return {
            **kept,
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
            "SMARTDEVDIGEST_DATA_DIR": str(self.data / "kept"),
            "SMARTDEVDIGEST_MODEL__ENGINE": "echo",
            "SMARTDEVDIGEST_LIMITS__USER_PER_HOUR": "100000",
            **self.environ,
            **more,
        }


def digests_in_slack(channel: SlackChannel, ts: str) -> list[SlackMessage]:
    """The answers in a thread that are digests: those whose difficulty may be judged."""
    return [one for one in channel.replies_to(ts) if "sdd:too_hard" in str(one.blocks)]


def digests_in_discord(discord: DiscordServer, channel: DiscordChannel) -> list[DiscordMessage]:
    return [
        message
        for message in discord.by_bot(channel)
        if "sdd:too_hard" in str(message.form.get("components"))
    ]
