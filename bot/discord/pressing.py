"""What happens when somebody presses one of our buttons, on whatever message, however old.

Nothing is remembered between showing a button and its press: the custom id says it all.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import discord

from bot import replies
from bot.commands import Commands
from bot.discord import pages, wording
from bot.discord.answering import Answer, Interaction, place_of, respond
from bot.discord.consulting import Consultations
from bot.discord.feeds import DiscordFeeds
from bot.discord.naming import Pressed, Verb, pressed
from bot.discord.once import Once
from bot.discord.words import say
from core.digest import DigestRecord
from core.errors import DigestError
from core.places import ChannelProfile
from core.ports import Deliveries, Verdict

log = logging.getLogger(__name__)
_VERDICTS: Mapping[Verb, Verdict] = {
    "good": "good",
    "bad": "bad",
    "too_easy": "too_easy",
    "too_hard": "too_hard",
}
# Their list changes in place; the button beneath a morning opens it.
_FEEDS: frozenset[Verb] = frozenset({"feed_pause", "feed_resume", "feed_remove"})
_SETTINGS: frozenset[Verb] = frozenset({"set_mode", "set_language", "set_ui"})


class Buttons:
    def __init__(self, commands: Commands, seen: Deliveries) -> None:
        self._commands = commands
        self._seen = seen
        self._once = Once(minutes=1)
        self._consultations = Consultations(commands)
        self._feeds = DiscordFeeds(commands)

    async def press(self, interaction: Interaction) -> None:
        at = pressed(str(pressed_data(interaction).get("custom_id", "")))
        if at is None:
            return
        in_place = at.page is not None or at.verb in _SETTINGS | _FEEDS
        act = partial(self._act_for(at.verb), at=at)
        await respond(interaction, self._commands, act, in_place=in_place)

    def _act_for(self, verb: Verb) -> Callable[..., Awaitable[None]]:
        if verb in _VERDICTS:
            return self._judge
        if verb in _SETTINGS:
            return self._set
        return {
            "terms": self._terms,
            "questions": self._questions,
            "details": self._details,
            "again": self._again,
            "language": self._again,
            "hide": self._hide,
            "term": self._consultations.chosen,
            "feeds": self._feeds.pressed,
            **dict.fromkeys(_FEEDS, self._feeds.pressed),
        }[verb]

    # --- looking closer

    async def _terms(self, answer: Answer, at: Pressed) -> None:
        record = await self._commands.record(at.digest)
        lines = [] if record is None else wording.terms(record, answer.ui)
        await self._turn(answer, at, record, lines, "terms", "no_terms")

    async def _details(self, answer: Answer, at: Pressed) -> None:
        record = await self._commands.record(at.digest)
        lines = [] if record is None else wording.whole(record, answer.ui)
        await self._turn(answer, at, record, lines, "summary", "gone")

    async def _questions(self, answer: Answer, at: Pressed) -> None:
        record = await self._commands.record(at.digest)
        asked = () if record is None else await self._commands.questions(at.digest)
        await self._turn(answer, at, record, wording.numbered(asked), "questions", "no_questions")

    async def _turn(
        self,
        answer: Answer,
        at: Pressed,
        record: DigestRecord | None,
        lines: Sequence[tuple[str, str]],
        title: str,
        nothing: str,
    ) -> None:
        found = pages.paged(lines)
        if record is None or not found:
            await answer.say(say("gone" if record is None else nothing, answer.ui))
            return
        await answer.show(pages.turning(found, at, replies.say(title, answer.ui), answer.ui))

    # --- telling us

    async def _judge(self, answer: Answer, at: Pressed) -> None:
        place, who = place_of(answer.interaction), answer.interaction.user.id
        by = f"discord:{place.workspace}:{who}"
        kept = await self._commands.verdict(at.digest, _VERDICTS[at.verb], by)
        await answer.say(say("thanks" if kept else "gone", answer.ui))

    async def _again(self, answer: Answer, at: Pressed) -> None:
        interaction = answer.interaction
        workspace = place_of(interaction).workspace
        # RESUME replays presses as it replays messages; this one would digest once more each time.
        if await self._seen.seen("discord", workspace, f"press:{interaction.id}"):
            return
        # Impatient fingers: the digest that the first of them asked for is on its way.
        pressing = (interaction.user.id, at.delivery, at.verb)
        if not self._once.first(pressing):
            await answer.say(say("on_its_way", answer.ui))
            return
        commands, by = self._commands, str(interaction.user.id)
        act = commands.again if at.verb == "again" else commands.in_other_language
        try:
            made = await act(at.delivery, by)
        except DigestError:
            self._once.forget(pressing)
            raise
        await answer.say(say("gone" if made is None else "on_its_way", answer.ui))

    async def _hide(self, answer: Answer, at: Pressed) -> None:
        delivery = await self._commands.delivery(at.delivery)
        if delivery is None:
            await answer.say(say("gone", answer.ui))
            return
        mine = str(answer.interaction.user.id) == delivery.shared.by
        if not mine and not answer.interaction.permissions.manage_messages:
            await answer.say(say("hide_refused", answer.ui))
            return
        await self._commands.hide(at.delivery)
        await answer.say(say("hidden", answer.ui))

    # --- settings

    async def _set(self, answer: Answer, at: Pressed) -> None:
        interaction = answer.interaction
        if not may_set(interaction):
            # The panel stays; the refusal is a message of its own.
            await interaction.followup.send(say("settings_refused", answer.ui), ephemeral=True)
            return
        values = pressed_data(interaction).get("values") or ["auto"]
        place = place_of(interaction)
        profile = changed(await self._commands.profile(place), at.verb, str(values[0]))
        await self._commands.set_profile(place, profile, str(interaction.user.id))
        await show_settings(answer, profile)


def pressed_data(interaction: Interaction) -> Mapping[str, Any]:
    """What Discord says of the press, in its own words."""
    data: Any = interaction.data
    return data or {}


def changed(profile: ChannelProfile, verb: Verb, value: str) -> ChannelProfile:
    """A value that no menu of ours offers changes nothing."""
    if verb == "set_mode":
        return next(
            (replace(profile, mode=one) for one in ("auto", "ask", "off") if one == value), profile
        )
    if verb == "set_language":
        return next(
            (replace(profile, language=one) for one in ("auto", "ko", "en") if one == value),
            profile,
        )
    return next(
        (replace(profile, ui=one) for one in ("ko", "en") if one == value),
        replace(profile, ui=None) if value == "auto" else profile,
    )


def may_set(interaction: Interaction) -> bool:
    return interaction.guild_id is not None and interaction.permissions.manage_guild


async def show_settings(answer: Answer, profile: ChannelProfile) -> None:
    channel = answer.interaction.channel
    if isinstance(channel, discord.Thread):
        channel = channel.parent  # settings are the channel's, not the thread's
    name = f"#{getattr(channel, 'name', '?')}"
    ui = profile.ui or answer.ui
    await answer.show(pages.settings(profile, name, ui), public=False)
