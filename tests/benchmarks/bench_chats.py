"""A storm of links in a chat: the whole bot as a process, against the tests' own strict server.

    python tests/benchmarks/bench_chats.py slack                  # 500 links, 20 channels, 50 a second
    python tests/benchmarks/bench_chats.py discord --links 500
    python tests/benchmarks/bench_chats.py slack --engine echo    # without the model

By default the embedded model makes the digests on the same processors (prepared beforehand in
--data; `smartdevdigest prepare` there). `--articles` different articles are shared again and
again, as links are. Prints a table; exits with 1 where a link was not answered exactly once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.discord_server import DiscordServer, discord_server  # noqa: E402
from support.messenger import Messenger, messenger  # noqa: E402
from support.slack_server import SlackServer, slack_server  # noqa: E402
from support.whole_bot import WholeBot, digests_in_discord, digests_in_slack  # noqa: E402


@dataclass
class Storm:
    """What was measured, in seconds."""

    shared: int
    once: int
    placeholders: list[float]
    answers: list[float]
    acks: list[float]
    told: int
    refused: int
    duration: float
    asked: list[float] = field(default_factory=list)
    resumed: int = 0
    buttons: list[float] = field(default_factory=list)
    timeline: list[tuple[int, float]] = field(default_factory=list)


async def slack_storm(options: argparse.Namespace, bot: WholeBot, web: Messenger) -> Storm:
    async with slack_server() as slack:
        bot.in_slack(slack)
        bot.start()
        await slack.until(lambda: slack.sockets.open, options.starting)
        await asyncio.sleep(options.warm)
        channels = [slack.channel(f"C{number}") for number in range(options.channels)]
        began = time.monotonic()
        shared: list[tuple[Any, str, float]] = []

        async def share(number: int) -> None:
            channel = channels[number % len(channels)]
            text = f"<{web.link(number % options.articles)}>"
            ts = await slack.say(channel, user=f"U{number % 50}", text=text)
            shared.append((channel, ts, time.monotonic()))

        times = _Times(slack, shared, options.links)
        watching = asyncio.create_task(_until(times.all_answered, options.patience))
        await _paced(options, share)
        await watching
        messages = {ts for _, ts, _ in shared}  # the bot's own come back as events, too
        told = [one for one in slack.attempts if one.payload["event"].get("ts") in messages]
        acked = [attempt for attempt in told if attempt.acked]
        acks = [attempt.seconds for attempt in acked]
        timeline = [(int((attempt.sent_at or began) - began), attempt.seconds) for attempt in acked]
        limited = sum(call.status == 429 for call in slack.calls_made)
        return Storm(
            shared=len(shared),
            once=sum(len(channel.replies_to(ts)) == 1 for channel, ts, _ in shared),
            placeholders=times.placeholders(),
            answers=times.answers(),
            acks=acks,
            told=len(told),
            refused=limited,
            duration=time.monotonic() - began,
            timeline=timeline,
        )


class _Times:
    """When each link got its first message, and its digest."""

    def __init__(
        self, slack: SlackServer, shared: list[tuple[Any, str, float]], links: int
    ) -> None:
        self.slack, self.shared, self.links = slack, shared, links
        self.first: dict[str, float] = {}
        self.digest: dict[str, float] = {}

    def all_answered(self) -> bool:
        now = time.monotonic()
        for channel, ts, _ in self.shared:
            if ts not in self.first and channel.replies_to(ts):
                self.first[ts] = now
            if ts not in self.digest and digests_in_slack(channel, ts):
                self.digest[ts] = now
        return len(self.digest) == self.links

    def placeholders(self) -> list[float]:
        return [self.first[ts] - at for _, ts, at in self.shared if ts in self.first]

    def answers(self) -> list[float]:
        return [self.digest[ts] - at for _, ts, at in self.shared if ts in self.digest]


async def discord_storm(options: argparse.Namespace, bot: WholeBot, web: Messenger) -> Storm:
    async with discord_server() as discord:
        bot.in_discord(discord)
        guild = discord.guild("G")
        channels = [guild.text_channel(f"c{number}") for number in range(options.channels)]
        people = [discord.user(f"user{number}") for number in range(50)]
        bot.start()
        await discord.until(lambda: discord.gateway.sessions, options.starting)
        await asyncio.sleep(options.warm)
        began = time.monotonic()
        shared: list[tuple[Any, float]] = []
        pressed: list[Any] = []
        asking = _Asking(discord, channels[0], people[0])
        running = asyncio.create_task(asking.go_on())

        async def share(number: int) -> None:
            channel, person = channels[number % len(channels)], people[number % 50]
            message = await discord.say(channel, person, web.link(number % options.articles))
            shared.append((message, time.monotonic()))

        first: dict[int, float] = {}
        digest: dict[int, float] = {}

        def all_answered() -> bool:
            now = time.monotonic()
            for message, at in shared:
                if message.thread is None:
                    continue
                if message.id not in first and discord.by_bot(message.thread):
                    first[message.id] = now - at
                if message.id not in digest and digests_in_discord(discord, message.thread):
                    digest[message.id] = now - at
            return len(digest) == int(options.links)

        watching = asyncio.create_task(_until(all_answered, options.patience))
        if options.cut:
            asyncio.get_running_loop().call_later(options.cut, _cut, discord)
        await _paced(options, share)
        if options.restart:
            await asyncio.sleep(options.restart)
            asking.away = True
            await asyncio.to_thread(bot.stop, 30)
            pressed = [one for message, _ in shared for one in _answers(discord, message)]
            bot.start()
            sessions = len(discord.gateway.sessions)
            await discord.until(lambda: len(discord.gateway.sessions) > sessions, options.starting)
            asking.away = False
        await watching
        running.cancel()
        once = sum(
            message.thread is not None and len(discord.by_bot(message.thread)) == 1
            for message, _ in shared
        )
        buttons = await _press(discord, pressed[:3], people[0])
        return Storm(
            shared=len(shared),
            once=once,
            placeholders=[*first.values()],
            answers=[*digest.values()],
            acks=[],
            told=0,
            refused=sum(call.status == 429 for call in discord.calls()),
            asked=asking.answered(),
            resumed=len(discord.gateway.resumes),
            buttons=buttons,
            duration=time.monotonic() - began,
        )


class _Asking:
    """Somebody gives a command every other second, whatever the bot is busy with."""

    def __init__(self, discord: DiscordServer, channel: Any, person: Any) -> None:
        self.discord, self.channel, self.person = discord, channel, person
        self.away = False
        self.asked: list[Any] = []

    async def go_on(self) -> None:
        await self.discord.until(lambda: self.discord.commands.syncs, 60)
        while True:
            if not self.away:
                asked = await self.discord.slash(self.person, self.channel, "digest", "help")
                self.asked.append(asked)
            await asyncio.sleep(2)

    def answered(self) -> list[float]:
        """Seconds until the first answer; what came after three, or never, counts as infinite."""
        return [one.answered_after or float("inf") for one in self.asked]


def _answers(discord: DiscordServer, message: Any) -> list[Any]:
    return [] if message.thread is None else digests_in_discord(discord, message.thread)


def _button(message: Any) -> str:
    """The thumb up, which every digest has."""
    return str(re.findall(r"sdd:good:[^'\"]*", str(message.form.get("components")))[0])


async def _press(discord: DiscordServer, messages: list[Any], person: Any) -> list[float]:
    """Buttons of messages that an earlier process sent; seconds until each is answered."""
    took = []
    for message in messages:
        asked = await discord.press(message, _button(message), person)
        with contextlib.suppress(AssertionError):
            await discord.until(lambda asked=asked: asked.messages, 20)  # type: ignore[misc]
        took.append(asked.answered_after or float("inf"))
    return took


async def _until(answered: Callable[[], bool], patience: float) -> None:
    """Looks from the first link on: what was seen late would count as late."""
    ends = time.monotonic() + patience
    while not answered() and time.monotonic() < ends:
        await asyncio.sleep(0.1)


def _cut(discord: DiscordServer) -> None:
    """The gateway's connections break off in the middle."""
    for connection in [*discord.gateway.connections]:
        connection.reset()


async def _paced(options: argparse.Namespace, share: Callable[[int], Awaitable[None]]) -> None:
    began = time.monotonic()
    for number in range(options.links):
        await asyncio.sleep(max(0.0, began + number / options.rate - time.monotonic()))
        await share(number)


def _print_timeline(timeline: list[tuple[int, float]]) -> None:
    """Acknowledgements by the second in which their events were sent."""
    for second in sorted({at for at, _ in timeline}):
        took = sorted(seconds for at, seconds in timeline if at == second)
        print(f"{second:4} s: {len(took):3}, p50 {took[len(took) // 2]:.3f}, most {took[-1]:.3f}")


def _row(name: str, seconds: list[float]) -> str:
    if not seconds:
        return f"| {name} | – |"
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"| {name}, p50 / p99 | {p50:.3f} / {p99:.3f} s |"


class Lag:
    """How late this process's own loop is: what people measure here is no shorter than that."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.late: list[tuple[int, float]] = []

    async def watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            now = time.monotonic()
            self.late.append((int(now - self.began), now - before - 0.01))


async def measure(options: argparse.Namespace) -> int:
    storm_of = {"slack": slack_storm, "discord": discord_storm}[options.chat]
    with tempfile.TemporaryDirectory() as folder:
        bot = WholeBot(Path(folder), quickly=False)
        bot.environ["SMARTDEVDIGEST_MODEL__ENGINE"] = options.engine
        if options.data:
            bot.environ["SMARTDEVDIGEST_DATA_DIR"] = str(options.data.resolve())
            bot.environ["SMARTDEVDIGEST_DATABASE__URL"] = f"sqlite:///{folder}/bench.sqlite3"
        async with messenger() as web:
            bot.articles_at(web.address)
            lag = Lag()
            watching = asyncio.create_task(lag.watch())
            try:
                storm = await storm_of(options, bot, web)
                code = await asyncio.to_thread(bot.stop)
            finally:
                watching.cancel()
                bot.kill()
                if options.log:
                    options.log.write_text(bot.log, encoding="utf-8")
    print(f"\n| {options.chat}, engine {options.engine} | |\n|---|---|")
    print(f"| links shared | {storm.shared} in {options.channels} channels, {options.rate:g}/s |")
    print(f"| answered exactly once | {storm.once} |")
    print(f"| digests | {len(storm.answers)} in {storm.duration:.0f} s |")
    print(_row("how late the server itself was", [late for _, late in lag.late]))
    if storm.acks:
        print(_row(f"acknowledged {len(storm.acks)} of {storm.told} hand-overs", storm.acks))
    print(_row("first message", storm.placeholders))
    print(_row("digest", storm.answers))
    if storm.asked:
        print(_row(f"answer to {len(storm.asked)} commands meanwhile", storm.asked))
        print(f"| sessions resumed | {storm.resumed} |")
    if options.restart:
        print(_row(f"{len(storm.buttons)} buttons of before the restart", storm.buttons))
    print(f"| answers of 429 | {storm.refused} |")
    print(f"| graceful stop | exit {code} |")
    if options.timeline:
        _print_timeline(storm.timeline)
    return 0 if storm.once == storm.shared == len(storm.answers) else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chat", choices=["slack", "discord"])
    parser.add_argument("--links", type=int, default=500)
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--articles", type=int, default=40)
    parser.add_argument("--rate", type=float, default=50.0, help="links a second")
    parser.add_argument("--engine", default="ctranslate2")
    parser.add_argument("--data", type=Path, help="a data folder with the prepared model")
    parser.add_argument("--starting", type=float, default=120.0, help="seconds it may take")
    parser.add_argument("--warm", type=float, default=10.0, help="seconds before the storm")
    parser.add_argument(
        "--cut",
        type=float,
        default=0.0,
        help="Discord: cut the gateway so many seconds after the first link",
    )
    parser.add_argument(
        "--restart",
        type=float,
        default=0.0,
        help="Discord: stop and start so many seconds after the last link",
    )
    parser.add_argument("--log", type=Path, help="keep what the bot logged in this file")
    parser.add_argument("--timeline", action="store_true", help="acknowledgements by the second")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds")
    options = parser.parse_args()
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    return asyncio.run(measure(options))


if __name__ == "__main__":
    sys.exit(main())
