"""The application commands: /digest link, search, settings and help, /explain, /ask, and a
message's menu."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.commands import Commands
from bot.discord import feeds, places
from bot.discord.answering import Answer, Interaction, place_of, respond
from bot.discord.consulting import Consultations
from bot.discord.escaping import escaped
from bot.discord.listener import limit_sentence
from bot.discord.marks import Diary
from bot.discord.naming import asked_by, jump_address, reply_ids
from bot.discord.pressing import may_set, show_settings
from bot.discord.refusals import refusal
from bot.discord.troubles import BROKEN
from bot.discord.words import say
from bot.receiving import Heard, Heeded, Receiver
from core.article import Language
from core.links import canonical, find_links
from core.places import Delivery, Place

log = logging.getLogger(__name__)

KOREAN = {
    "digest": "요약",
    "link": "링크",
    "settings": "설정",
    "help": "도움말",
    "explain": "설명",
    "term": "용어",
    "Digest this": "요약하기",
    "Digests of technical articles": "기술 글 요약",
    "Digest one link in this channel": "이 채널에서 링크 하나를 요약합니다",
    "The article's address": "글의 주소",
    "What this channel wants (Manage Server)": "이 채널의 설정(서버 관리하기 권한)",
    "What I can do": "할 수 있는 일",
    "Explain a technical term": "기술 용어를 설명합니다",
    "The term": "설명할 용어",
    "ask": "질문",
    "question": "질문",
    "Ask the articles that were read here": "여기서 읽은 글에 묻습니다",
    "The question": "궁금한 것",
    "search": "검색",
    "words": "낱말",
    "level": "난이도",
    "language": "언어",
    "site": "출처",
    "since": "이후",
    "Search the articles that were read here": "여기서 읽은 글을 찾습니다",
    "What to look for": "찾을 낱말",
    "How difficult: 1 to 5, a range such as 1-3, or beginner": "난이도: 1~5, 1-3 같은 범위, 또는 입문",
    "Language of the article": "글의 언어",
    "Where it stands: example.com": "글이 있는 곳: example.com",
    "Read since: 2026-01-31, 7d, 2w, 3m": "언제부터 읽은 글: 2026-01-31, 7일, 2주, 3개월",
    "Korean": "한국어",
    "English": "영어",
    **feeds.KOREAN,
}


class Korean(app_commands.Translator):
    """Names and descriptions of the commands in Korean."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        return KOREAN.get(string.message) if locale is discord.Locale.korean else None


Tree = app_commands.CommandTree[Any]
_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True)


def fill(tree: Tree, slash: Slash) -> None:
    """discord.py reads signatures of functions, so each command is one of five lines."""
    digest = app_commands.Group(
        name="digest", description="Digests of technical articles", allowed_contexts=_CONTEXTS
    )

    @digest.command(name="link", description="Digest one link in this channel")
    @app_commands.describe(link="The article's address")
    async def link(interaction: Interaction, link: str) -> None:
        await slash.digest(interaction, link)

    @digest.command(name="search", description="Search the articles that were read here")
    @app_commands.describe(
        words="What to look for",
        level="How difficult: 1 to 5, a range such as 1-3, or beginner",
        language="Language of the article",
        site="Where it stands: example.com",
        since="Read since: 2026-01-31, 7d, 2w, 3m",
    )
    @app_commands.choices(
        language=[
            app_commands.Choice(name=locale_str("Korean"), value="ko"),
            app_commands.Choice(name=locale_str("English"), value="en"),
        ]
    )
    async def search(
        interaction: Interaction,
        words: app_commands.Range[str, 0, 300] = "",
        level: app_commands.Range[str, 0, 20] = "",
        language: str = "",
        site: app_commands.Range[str, 0, 200] = "",
        since: app_commands.Range[str, 0, 20] = "",
    ) -> None:
        filters = {"level": level, "lang": language, "site": site, "since": since}
        given = (f"{key}:{value.strip()}" for key, value in filters.items() if value.strip())
        await slash.consultations.search(interaction, " ".join((words, *given)))

    feeds.add_commands(digest, slash.feeds)

    @digest.command(name="settings", description="What this channel wants (Manage Server)")
    async def settings(interaction: Interaction) -> None:
        await slash.settings(interaction)

    @digest.command(name="help", description="What I can do")
    async def explain_yourself(interaction: Interaction) -> None:
        await slash.help(interaction)

    async def terms(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=one, value=one)
            for one in await slash.consultations.terms(interaction, typed)
        ]

    @tree.command(name="explain", description="Explain a technical term")
    @app_commands.describe(term="The term")
    @app_commands.autocomplete(term=terms)
    @app_commands.allowed_contexts(guilds=True, dms=True)
    async def explain(interaction: Interaction, term: str) -> None:
        await slash.consultations.explain(interaction, term)

    @tree.command(name="ask", description="Ask the articles that were read here")
    @app_commands.describe(question="The question")
    @app_commands.allowed_contexts(guilds=True, dms=True)
    async def ask(interaction: Interaction, question: app_commands.Range[str, 1, 600]) -> None:
        await slash.consultations.ask(interaction, question)

    @tree.context_menu(name=locale_str("Digest this"))
    @app_commands.allowed_contexts(guilds=True, dms=True)
    async def digest_this(interaction: Interaction, message: discord.Message) -> None:
        await slash.digest_message(interaction, message)

    @tree.error
    async def on_error(interaction: Interaction, error: app_commands.AppCommandError) -> None:
        """Of ours nothing comes here; a command that somebody's app remembers from before does."""
        log.error("a command could not be understood", exc_info=error)
        await slash.help(interaction)

    tree.add_command(digest)


async def sync_once(tree: Tree, diary: Diary) -> bool:
    """Tells Discord of our commands, if they have changed since the last time. Raises
    discord.HTTPException and what stands in `BROKEN`."""
    translator = tree.translator or Korean()
    forms = [await one.get_translated_payload(tree, translator) for one in tree.get_commands()]
    whole = json.dumps([str(tree.client.application_id), *forms], sort_keys=True)
    known = hashlib.sha256(whole.encode()).hexdigest()
    if diary.read().get("commands") == known:
        return False
    await tree.sync()
    diary.write(commands=known)
    return True


class Slash:
    """What the commands do."""

    def __init__(self, receiver: Receiver, commands: Commands) -> None:
        self._receiver = receiver
        self._commands = commands
        self.feeds = feeds.DiscordFeeds(commands)
        self.consultations = Consultations(commands)

    async def help(self, interaction: Interaction) -> None:
        async def act(answer: Answer) -> None:
            await answer.say(say("help", answer.ui))

        await respond(interaction, self._commands, act)

    # --- links

    async def digest(self, interaction: Interaction, link: str) -> None:
        async def act(answer: Answer) -> None:
            links = find_links(link) or [link]
            for one in links:
                canonical(one)  # raises BadLink, which is answered with a sentence
            await self._hear(answer, links, asked_by(interaction.id))

        await respond(interaction, self._commands, act)

    async def digest_message(self, interaction: Interaction, message: discord.Message) -> None:
        async def act(answer: Answer) -> None:
            links = [] if self._is_mine(interaction, message) else find_links(message.content)
            if not links:
                await answer.say(say("no_link", answer.ui))
                return
            await self._hear(answer, links, str(message.id))

        await respond(interaction, self._commands, act)

    def _is_mine(self, interaction: Interaction, message: discord.Message) -> bool:
        return message.author.id == interaction.application_id

    async def _hear(self, answer: Answer, links: list[str], message: str) -> None:
        channel = answer.interaction.channel
        names = places.missing(channel)
        if names:
            called = f"#{getattr(channel, 'name', '?')}"
            await answer.say(refusal(names, escaped(called), answer.ui))
            return
        heard = Heard(
            place=place_of(answer.interaction),
            message=message,
            by=str(answer.interaction.user.id),
            links=links,
            ui=answer.ui,
            asked=True,
        )
        heeded = await self._receiver.hear(heard)
        for delivery in heeded.accepted:
            if await self._is_over(answer, delivery):
                await self._commands.again(delivery.id, heard.by)
                await answer.say(say("on_its_way", answer.ui))
                return
        await answer.say(self._told(heeded, heard.place, answer.ui))

    async def _is_over(self, answer: Answer, delivery: Delivery) -> bool:
        """Whether there is nothing (any more) to be seen of an earlier answer to this link."""
        if delivery.state in ("withdrawn", "failed"):
            return True
        if delivery.state != "answered" or delivery.reply is None:
            return False
        try:
            await answer.interaction.client.http.get_message(*reply_ids(delivery.reply))
        except discord.NotFound:
            return True
        except (discord.HTTPException, *BROKEN) as error:
            log.info("the answer %s cannot be looked at: %s", delivery.reply, error)
        return False

    def _told(self, heeded: Heeded, place: Place, ui: Language) -> str:
        if heeded.limit is not None:
            return limit_sentence(heeded, self._receiver.limits, ui)
        if not heeded.accepted:
            return say("mode_off", ui)
        first = heeded.accepted[0]
        if first.state == "answered" and first.reply is not None:
            return say("there_already", ui, address=jump_address(place.workspace, first.reply))
        return say("on_its_way", ui)

    # --- settings

    async def settings(self, interaction: Interaction) -> None:
        async def act(answer: Answer) -> None:
            if interaction.guild_id is None:
                await answer.say(say("settings_direct", answer.ui))
            elif not may_set(interaction):
                await answer.say(say("settings_refused", answer.ui))
            else:
                profile = await self._commands.profile(place_of(interaction))
                await show_settings(answer, profile)

        await respond(interaction, self._commands, act)
