"""subscribe, feeds and daily on the command line: what this machine itself is subscribed to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bot import feed_words, replies, telling
from bot.chats import Listed
from bot.cli.speaking import complain, preparation_bar
from bot.cli.terminal import meter
from bot.feed_lists import feeds_in, known_feeds
from bot.feed_words import say
from bot.oneday import OneDay
from bot.subscribing import (
    Overview,
    Subscribing,
    mistakes_in_words,
    overview_lines,
    subscribed_in_words,
)
from bot.wiring import open_day, open_subscribing
from core.announcements import posted_of
from core.article import Language
from core.feed import Subscription
from core.mornings import zone_of
from core.places import HERE
from core.settings import Settings
from core.web.opml import write_opml
from core.wishes import Mistakes

BY = "cli"


@dataclass(frozen=True)
class Change:
    """What `feeds` is to do with the subscription of that number; None: only show."""

    number: int
    verb: str


async def subscribe(
    settings: Settings,
    form: Mapping[str, str],
    change: int | None,
    ui: Language,
    opml: Path | None = None,
) -> bool:
    """False where the form has mistakes, which were told. Raises NotAFeed for what is no OPML."""
    listed = () if opml is None else feeds_in(opml)
    async with open_subscribing(settings) as subscribing:
        try:
            if change is None:
                done = await subscribing.subscribe(
                    HERE, BY, {"sources": "", **form}, ui=ui, listed=listed
                )
                told = subscribed_in_words(done, ui)
            else:
                known = await _numbered(subscribing, change)
                edited = None if known is None else await subscribing.edit(known.id, form)
                if edited is None:
                    complain(say("unknown", ui))
                    return False
                told = subscribed_in_words(edited, ui, changed=True)
        except Mistakes as error:
            complain(mistakes_in_words(error, ui))
            return False
    _print(Text(told))
    return True


async def feeds(settings: Settings, change: Change | None, ui: Language) -> bool:
    """Shows the subscriptions, after the change if there is one."""
    async with open_subscribing(settings) as subscribing:
        if change is not None:
            known = await _numbered(subscribing, change.number)
            if known is None:
                complain(say("unknown", ui))
                return False
            if change.verb == "remove":
                await subscribing.remove(known.id)
            else:
                await subscribing.pause(known.id, change.verb == "pause")
        found = await subscribing.of(HERE)
        addresses = [subscribing.addresses(one.subscription)[0] for one in found]
    _print(overviews(found, addresses, ui))
    return True


def offered(words: str) -> bool:
    """The catalogue's feeds in which the words occur. False: there is none."""
    found = known_feeds().search(words)
    for feed in found:
        _print(Text(f"{replies.plain(feed.title)}  {feed.url}"))
    return bool(found)


async def export(settings: Settings, file: Path, ui: Language) -> bool:
    """All feeds of this machine's subscriptions as OPML."""
    async with open_subscribing(settings) as subscribing:
        found = await subscribing.subscriptions.of(HERE)
        ids = dict.fromkeys(source for one in found for source in one.sources)
        sources = await subscribing.feeds.of([*ids])
    if not sources:
        complain(say("none", ui))
        return False
    await asyncio.to_thread(file.write_text, write_opml(sources, "SmartDevDigest"), "utf-8")
    return True


async def daily(settings: Settings, number: int | None, ui: Language, *, dry_run: bool) -> bool:
    """Today's choice of one subscription, or of all: feeds are asked, articles digested. Without
    `dry_run` it counts as this day's morning."""
    async with AsyncExitStack() as stack:
        with preparation_bar(ui) as heard:
            day = await stack.enter_async_context(open_day(settings, progress=heard))
        found = await day.subscribing.subscriptions.of(HERE)
        if number is not None:
            one = await _numbered(day.subscribing, number)
            found = [] if one is None else [one]
        if not found:
            complain(say("unknown" if number is not None else "none", ui))
            return False
        await day.poller.catch_up()
        for subscription in found:
            await day.prepare(subscription)
            _print(await _today(day, subscription, ui, dry_run=dry_run))
    return True


async def _today(
    day: OneDay, subscription: Subscription, ui: Language, *, dry_run: bool
) -> RenderableType:
    zone = zone_of(subscription.timezone)
    today = datetime.now(UTC).astimezone(zone).date()
    chosen = await day.daily.todays(subscription, before=today)
    if not dry_run:
        await day.daily.choose(subscription.id, today.isoformat())
    listed = [telling.listed(posted_of(one), one.record) for one in chosen]
    return todays(subscription, feed_words.long_day(today, ui), listed, ui)


async def _numbered(subscribing: Subscribing, number: int) -> Subscription | None:
    found = await subscribing.subscriptions.of(HERE)
    return found[number - 1] if 1 <= number <= len(found) else None


# --- how it looks


def overviews(found: Sequence[Overview], addresses: Sequence[str], ui: Language) -> RenderableType:
    if not found:
        return Text(say("none", ui))
    lines: list[RenderableType] = []
    for number, (one, address) in enumerate(zip(found, addresses, strict=True), start=1):
        first, *others = overview_lines(one, ui)
        lines.append(Text(f"{number}  {replies.plain(first)}", style="bold"))
        told = [*others, say("feed_out", ui, address=address)]
        lines += [Padding(Text(replies.plain(said)), (0, 0, 0, 3), expand=False) for said in told]
    return Group(*lines)


def todays(
    subscription: Subscription, day: str, listed: Sequence[Listed], ui: Language
) -> RenderableType:
    lines: list[RenderableType] = [
        Text(say("today", ui, day=day), style="bold"),
        Text(replies.plain(feed_words.wishes(subscription, ui)), style="dim"),
    ]
    if not listed:
        return Group(*lines, Text(say("today.none", ui)))
    for one in listed:
        lines.append(Text(f"\n{one.title or one.link}", style="bold"))
        minutes = say("minutes", ui, minutes=one.minutes) if one.minutes else ""
        level = f"{meter(one.score, 10)} {one.score:.1f} {replies.label(one.label, ui)}"
        small = " · ".join(filter(None, (level, minutes, one.source)))
        told = [Text(small), Text(replies.plain(one.link), style="dim cyan"), Text(one.sentence)]
        lines += [Padding(said, (0, 0, 0, 2), expand=False) for said in told if said.plain]
    return Group(*lines)


def _print(shown: RenderableType) -> None:
    Console(highlight=False).print(shown)
