"""/digest subscribe and /digest feeds on Discord: options of a command, a list with buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

import discord
from discord import app_commands
from discord import ui as parts
from discord.app_commands import locale_str

from bot.commands import Commands
from bot.discord import pages
from bot.discord.answering import Answer, Interaction, place_of, respond
from bot.discord.escaping import escaped, fitted, width
from bot.discord.naming import Pressed, Verb
from bot.discord.render import MORNING, Button, Layout
from bot.feed_lists import known_feeds
from bot.feed_words import say
from bot.subscribing import (
    Overview,
    Subscribing,
    mistakes_in_words,
    overview_lines,
    subscribed_in_words,
)
from core.article import Language
from core.feed import Subscription
from core.places import Place
from core.wishes import Mistakes

KOREAN = {
    "subscribe": "구독",
    "feeds": "피드",
    "difficulty": "난이도",
    "at": "시각",
    "timezone": "시간대",
    "days": "요일",
    "size": "개수",
    "include": "포함",
    "avoid": "제외",
    "quiet": "조용한시간",
    "nothing": "새글없음알림",
    "change": "바꾸기",
    "language": "언어",
    "Post a digest of feeds in this channel every morning": "매일 아침 이 채널에 피드의 요약을 올립니다",
    "What this channel is subscribed to": "이 채널의 구독",
    "Feeds or sites, separated by spaces": "피드나 블로그 주소(띄어쓰기로 구분)",
    "How difficult articles may be: 2-3.5": "글의 난이도: 2-3.5",
    "The time of the day: 08:00": "올릴 시각: 08:00",
    "The time zone: Asia/Seoul": "시간대: Asia/Seoul",
    "The days: daily, weekdays, mon-fri": "요일: 매일, 평일, 월-금",
    "At most so many articles a day": "하루에 최대 몇 편",
    "Language of the digests": "요약의 언어",
    "Only articles with one of these words": "이런 말이 있는 글만",
    "No articles with one of these words": "이런 말이 있는 글은 제외",
    "Hours in which nothing is posted: 22:00-07:00": "올리지 않는 시간: 22:00-07:00",
    "Say so on days without anything new": "새 글이 없는 날 알릴지",
    "Change the subscription with this number in /digest feeds": "/digest feeds에서 이 번호의 구독을 바꿉니다",
    "As the article": "글의 언어 그대로",
}
_VERBS: Mapping[Verb, str] = {
    "feed_pause": "pause",
    "feed_resume": "resume",
    "feed_remove": "remove",
}
# Of the 40 components of a message each subscription has five.
_SHOWN, _LIST, _LINE, _OFFERED = 7, 3300, 400, 25
_CHOICE = 100  # characters of a name and of a value that is offered
_EMOJI: Mapping[Verb, str] = {"feed_pause": "⏸️", "feed_resume": "▶️", "feed_remove": "🗑️"}


def add_commands(digest: app_commands.Group, feeds: DiscordFeeds) -> None:
    """`subscribe` and `feeds` of /digest."""

    async def timezones(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one) for one in zones_like(typed)]

    async def known(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=value) for name, value in feeds_like(typed)]

    @digest.command(
        name="subscribe", description="Post a digest of feeds in this channel every morning"
    )
    @app_commands.describe(
        feeds="Feeds or sites, separated by spaces",
        difficulty="How difficult articles may be: 2-3.5",
        at="The time of the day: 08:00",
        timezone="The time zone: Asia/Seoul",
        days="The days: daily, weekdays, mon-fri",
        size="At most so many articles a day",
        language="Language of the digests",
        include="Only articles with one of these words",
        avoid="No articles with one of these words",
        quiet="Hours in which nothing is posted: 22:00-07:00",
        nothing="Say so on days without anything new",
        change="Change the subscription with this number in /digest feeds",
    )
    @app_commands.choices(
        language=[
            app_commands.Choice(name=locale_str("As the article"), value="auto"),
            app_commands.Choice(name=locale_str("Korean"), value="ko"),
            app_commands.Choice(name=locale_str("English"), value="en"),
        ]
    )
    @app_commands.autocomplete(timezone=timezones, feeds=known)
    async def subscribe(
        interaction: Interaction,
        feeds: app_commands.Range[str, 1, 2000] | None = None,
        difficulty: app_commands.Range[str, 1, 20] | None = None,
        at: app_commands.Range[str, 1, 20] | None = None,
        timezone: app_commands.Range[str, 1, 64] | None = None,
        days: app_commands.Range[str, 1, 60] | None = None,
        size: app_commands.Range[int, 1, 15] | None = None,
        language: str | None = None,
        include: app_commands.Range[str, 1, 500] | None = None,
        avoid: app_commands.Range[str, 1, 500] | None = None,
        quiet: app_commands.Range[str, 1, 20] | None = None,
        nothing: bool | None = None,
        change: app_commands.Range[int, 1, 50] | None = None,
    ) -> None:
        given = {
            "sources": feeds,
            "difficulty": difficulty,
            "at": at,
            "timezone": timezone,
            "days": days,
            "size": None if size is None else str(size),
            "language": language,
            "include": include,
            "avoid": avoid,
            "quiet": quiet,
            "say_nothing_new": None if nothing is None else ("yes" if nothing else "no"),
        }
        form = {name: value for name, value in given.items() if value is not None}
        await mine.subscribe(interaction, form, change)

    mine = feeds

    @digest.command(name="feeds", description="What this channel is subscribed to")
    async def shown(interaction: Interaction) -> None:
        await mine.show(interaction)


def feeds_like(typed: str) -> list[tuple[str, str]]:
    """Of the catalogue by the last word typed; what stands before it stays."""
    before, _, last = typed.rpartition(" ")
    found = []
    for feed in known_feeds().search(last, limit=2 * _OFFERED):
        value = f"{before} {feed.url}".strip()
        if len(value) <= _CHOICE:
            found.append((feed.title[:_CHOICE], value))
    return found[:_OFFERED]


def zones_like(typed: str) -> list[str]:
    """Those that begin so come before those that have it within."""
    wanted = typed.strip().casefold().replace(" ", "_")
    found = [one for one in available_timezones() if wanted in one.casefold() and "/" in one]
    begins = [one for one in found if any(p.startswith(wanted) for p in one.casefold().split("/"))]
    return sorted(found, key=lambda one: (one not in begins, one))[:_OFFERED]


class DiscordFeeds:
    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def subscribe(
        self, interaction: Interaction, form: dict[str, str], change: int | None
    ) -> None:
        async def act(answer: Answer) -> None:
            subscribing = await self._allowed(answer)
            if subscribing is not None:
                said = await self._keep(answer, subscribing, form, change)
                await answer.say("\n".join(map(escaped, said.split("\n"))))

        await respond(interaction, self._commands, act)

    async def _keep(
        self, answer: Answer, subscribing: Subscribing, form: dict[str, str], change: int | None
    ) -> str:
        place = channel_of(place_of(answer.interaction))
        known = await subscribing.subscriptions.of(place)
        try:
            if change is None:
                form = {"timezone": usual_timezone(known, answer.ui), **form}
                by = str(answer.interaction.user.id)
                done = await subscribing.subscribe(place, by, {"sources": "", **form}, ui=answer.ui)
                return subscribed_in_words(done, answer.ui)
            if not 1 <= change <= len(known):
                return say("unknown", answer.ui)
            changed = await subscribing.edit(known[change - 1].id, form)
        except Mistakes as error:
            return mistakes_in_words(error, answer.ui)
        if changed is None:
            return say("unknown", answer.ui)
        return subscribed_in_words(changed, answer.ui, changed=True)

    async def show(self, interaction: Interaction) -> None:
        await respond(interaction, self._commands, self._show)

    async def pressed(self, answer: Answer, at: Pressed) -> None:
        """A button of the list, or the one beneath a morning."""
        if at.verb == "feeds":
            await self._show(answer)
            return
        subscribing = await self._allowed(answer)
        if subscribing is None:
            return
        known = await subscribing.get(at.digest, channel_of(place_of(answer.interaction)))
        if known is None:
            await answer.say(say("unknown", answer.ui))
            return
        if at.verb == "feed_remove":
            await subscribing.remove(known.id)
        else:
            await subscribing.pause(known.id, at.verb == "feed_pause")
        await self._show(answer)

    async def _show(self, answer: Answer) -> None:
        subscribing = self._commands.subscribing
        if subscribing is None:
            await answer.say(say("off", answer.ui))
            return
        found = await subscribing.of(channel_of(place_of(answer.interaction)))
        await answer.show(overview(found, answer.ui), public=False)

    async def _allowed(self, answer: Answer) -> Subscribing | None:
        """Whoever may change the channel's settings; in direct messages everybody."""
        interaction, subscribing = answer.interaction, self._commands.subscribing
        may = interaction.guild_id is None or interaction.permissions.manage_guild
        if subscribing is None or not may:
            await answer.say(say("refused" if subscribing is not None else "off", answer.ui))
            return None
        return subscribing


def usual_timezone(known: Sequence[Subscription], ui: Language) -> str:
    """Discord tells nobody's time zone: that of the channel's last subscription, else a guess that
    the answer shows."""
    if known:
        return known[-1].timezone
    return "Asia/Seoul" if ui == "ko" else "UTC"


def channel_of(place: Place) -> Place:
    return Place(place.platform, place.workspace, place.channel)


def overview(found: Sequence[Overview], ui: Language) -> Layout:
    if not found:
        return pages.notice(escaped(say("none", ui)))
    inside: list[parts.Item[Any]] = [parts.TextDisplay(f"### {say('yours', ui)}")]
    room = _LIST // len(found[:_SHOWN])
    for number, one in enumerate(found[:_SHOWN], start=1):
        inside.append(parts.Separator())
        inside.append(parts.TextDisplay(_lines(number, overview_lines(one, ui), room)))
        inside.append(parts.ActionRow(*_buttons(one.subscription, ui)))
    view = Layout(timeout=None)
    view.add_item(parts.Container(*inside, accent_colour=MORNING))
    return view


def _lines(number: int, lines: Sequence[str], room: int) -> str:
    """As many as there is room for."""
    shown: list[str] = []
    for index, said in enumerate(lines):
        before = f"**{number}** " if index == 0 else "-# "
        line = before + fitted(said, _LINE)
        room -= width(line) + 1
        if room < 0:
            return "\n".join([*shown, "-# …"])
        shown.append(line)
    return "\n".join(shown)


def _buttons(subscription: Subscription, ui: Language) -> list[Button]:
    wanted: Verb = "feed_resume" if subscription.paused else "feed_pause"
    verbs: tuple[Verb, ...] = (wanted, "feed_remove")
    return [
        Button(
            label=say(_VERBS[verb], ui),
            emoji=_EMOJI[verb],
            custom_id=Pressed(verb, subscription.id).custom_id,
            style=discord.ButtonStyle.secondary,
        )
        for verb in verbs
    ]
