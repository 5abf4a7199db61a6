"""`doctor` asks Discord itself: is the token taken, is the intent granted? Nothing is changed.

A token or an intent that was taken back ends the connection of a running bot (4004, 4014); asked
afterwards, Discord says the same here.
"""

from __future__ import annotations

import asyncio

import discord

from bot.discord.client import grants_content, intents, point_at
from bot.discord.places import INVITED_WITH
from bot.discord.troubles import BROKEN
from bot.discord.words import WORDS
from bot.findings import Finding, State, told
from core.settings import DiscordSettings

_PATIENCE = 10.0  # seconds; discord.py itself would try for half a minute
_SCOPES = ("bot", "applications.commands")


async def examine(settings: DiscordSettings) -> list[Finding]:
    """Nothing where there is no token to ask about."""
    if settings.token is None:
        return []
    point_at(settings)
    async with discord.Client(intents=intents(settings)) as client:
        try:
            async with asyncio.timeout(_PATIENCE):
                await client.login(settings.token.get_secret_value())
        except discord.LoginFailure:
            return [_told("bad", "token_wrong")]
        except (discord.HTTPException, *BROKEN) as error:
            cause = str(error) or type(error).__name__
            return [_told("bad", "discord_away", url=settings.api_url, cause=cause)]
        application = client.application
    assert application is not None  # noqa: S101 - a login looks it up
    return _about(application, settings)


def _about(application: discord.AppInfo, settings: DiscordSettings) -> list[Finding]:
    address = discord.utils.oauth_url(application.id, permissions=INVITED_WITH, scopes=_SCOPES)
    known = _told("ok", "known_as", name=application.name, address=address)
    if settings.message_content and not grants_content(application.flags):
        return [known, _told("bad", "intent_missing")]
    return [known]


def _told(state: State, key: str, **values: object) -> Finding:
    return told(state, "discord", WORDS[key], **values)
