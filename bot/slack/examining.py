"""`doctor` asks Slack itself: are the tokens taken, has the app the scopes it uses?"""

from __future__ import annotations

import asyncio

from pydantic import SecretStr

from bot.findings import Finding, State, told
from bot.slack.api import Api
from bot.slack.permissions import missing
from bot.slack.words import WORDS
from core.errors import ChatRefused, ChatUnavailable
from core.settings import SlackSettings

_PATIENCE = 10.0  # seconds for one answer


async def examine(settings: SlackSettings) -> list[Finding]:
    """Each token that is set and used; those of many workspaces came by OAuth and are not asked
    about."""
    bot_token = settings.bot_token if settings.client_id is None else None
    app_token = settings.app_token if settings.mode == "socket" else None
    found: list[Finding] = []
    api = Api(settings.api_url)
    await api.open()
    try:
        async with asyncio.timeout(_PATIENCE):
            found += [] if bot_token is None else await _bot(api, bot_token)
            found += [] if app_token is None else await _app(api, app_token)
    except (ChatUnavailable, TimeoutError) as error:
        cause = error.reason if isinstance(error, ChatUnavailable) else type(error).__name__
        found.append(_told("bad", "slack_away", url=settings.api_url, cause=cause))
    finally:
        await api.close()
    return found


async def _bot(api: Api, token: SecretStr) -> list[Finding]:
    try:
        who, granted = await api.identity(token.get_secret_value())
    except ChatRefused as error:
        return [_told("bad", "bot_token_wrong", cause=error.reason)]
    known = _told("ok", "known_in", team=who.get("team") or who.get("team_id"))
    lacking = missing(granted)
    if lacking:
        return [known, _told("bad", "scopes_missing", scopes=", ".join(lacking))]
    return [known]


async def _app(api: Api, token: SecretStr) -> list[Finding]:
    """An address for a connection is asked for and left unused."""
    try:
        await api.write(token.get_secret_value(), "apps.connections.open", {})
    except ChatRefused as error:
        return [_told("bad", "app_token_wrong", cause=error.reason)]
    return []


def _told(state: State, key: str, **values: object) -> Finding:
    return told(state, "slack", WORDS[key], **values)
