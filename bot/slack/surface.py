"""Slack as a whole: tokens checked, connected, closed in order. `bot/serving.py` runs it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from urllib.parse import urljoin

from pydantic import SecretStr
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from starlette.routing import BaseRoute

from bot.chats import Chat
from bot.commands import Commands
from bot.receiving import Receiver
from bot.slack.api import Api, library_log
from bot.slack.desk import Desk
from bot.slack.http import INSTALL, REDIRECT, SlackHttp
from bot.slack.installations import ByTeam, Installation, Installations
from bot.slack.listener import Listener
from bot.slack.people import People
from bot.slack.permissions import SCOPES, missing
from bot.slack.sender import SlackChat
from bot.slack.socket import Socket
from bot.slack.words import say
from core.errors import ChatRefused, ChatUnavailable, SettingsError
from core.places import Workspace
from core.ports import Deliveries, Workspaces
from core.settings import SlackSettings

log = logging.getLogger(__name__)

_GRACE = 5.0  # seconds for what is begun when closing
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between attempts to reach Slack at the start


class SlackSurface:
    """The port `bot.chats.Surface`. With `client_id` it serves every workspace that installs it,
    then `installation_store` (and `state_store`) keep the tokens; else the one of `bot_token`."""

    def __init__(
        self,
        settings: SlackSettings,
        receiver: Receiver,
        commands: Commands,
        *,
        seen: Deliveries,
        workspaces: Workspaces,
        installation_store: AsyncInstallationStore | None = None,
        state_store: AsyncOAuthStateStore | None = None,
    ) -> None:
        self._settings = settings
        self._workspaces = workspaces
        self._state_store = state_store
        self._many = settings.client_id is not None
        if self._many and installation_store is None:
            raise ValueError("many workspaces need a store of their installations")
        self._api = Api(settings.api_url)
        self._installations = Installations(installation_store if self._many else None)
        people = People(self._api, self._installations)
        chat = SlackChat(self._api, self._installations, settings.messages_per_second)
        self._desk = Desk(self._api, self._installations, people, chat, receiver, commands)
        self.listener = Listener(self._desk, seen)
        self._app: AsyncApp | None = None
        self._socket: Socket | None = None
        self._first_address = ""
        self._http = SlackHttp(lambda: self._app, _secret(settings.signing_secret))

    @property
    def chat(self) -> Chat:
        return self._desk.chat

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What the HTTP application is to serve for Slack: /slack/events where events come by
        HTTP, /slack/install and /slack/oauth_redirect where many workspaces install."""
        events = [self._http.events_route()] if self._settings.mode == "http" else []
        return [*events, *(self._http.install_routes() if self._many else [])]

    @property
    def ended_by(self) -> str:
        """Nothing that Slack says ends us: a token may be given back to us any time."""
        return ""

    @property
    def connected(self) -> bool:
        """Whether events can come in now."""
        if self._settings.mode == "http":
            return self._app is not None
        return self._socket is not None and self._socket.connected

    async def start(self) -> None:
        problems = _missing(self._settings)
        if problems:
            raise SettingsError(problems)
        await self._api.open()
        try:
            await self._check_tokens()
        except SettingsError:
            await self._api.close()
            raise
        app = self._bolt()
        self.listener.listen(app)
        self._app = app
        if self._settings.mode == "socket":
            token = _secret(self._settings.app_token)
            self._socket = Socket(app, token, self._settings.ping_interval)
            await self._socket.start(self._first_address)

    async def close(self) -> None:
        """Answers that are begun may still be sent afterwards."""
        self._app = None
        if self._socket is not None:
            self._socket.take_no_more()
        await self.listener.settle(_GRACE)
        if self._socket is not None:
            await self._socket.close()
        await self._desk.people.close()
        await self._api.close()

    # --- tokens

    async def _check_tokens(self) -> None:
        """Both, before anything is promised: with a wrong one the libraries try for ever, or
        acknowledge events and drop them. A Slack that is away is waited for."""
        checks = [] if self._many else [self._bot_token]
        if self._settings.mode == "socket":
            checks.append(self._app_token)
        problems = [problem for check in checks if (problem := await self._patiently(check))]
        if problems:
            raise SettingsError(problems)

    async def _patiently(self, check: Callable[[], Awaitable[str]]) -> str:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await check()
            except ChatUnavailable as error:
                url = self._settings.api_url
                log.warning("%s", say("slack_away", "en", url=url, cause=error.reason))
                await asyncio.sleep(error.retry_after or pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _bot_token(self) -> str:
        """What is wrong with it, or nothing. Raises ChatUnavailable."""
        token = _secret(self._settings.bot_token)
        try:
            found, granted = await self._api.identity(token)
        except ChatRefused as error:
            return say("bot_token_wrong", "en", cause=error.reason)
        if not found.get("bot_id"):
            return say("bot_token_wrong", "en", cause="it is no bot's")
        lacking = missing(granted)
        if lacking:
            log.warning("%s", say("scopes_missing", "en", scopes=", ".join(lacking)))
        team = str(found["team_id"])
        bot = Installation(team, token, str(found["bot_id"]), str(found["user_id"]))
        self._installations.single = bot
        await self._installed(team, str(found.get("team") or ""))
        return ""

    async def _app_token(self) -> str:
        """What is wrong with it, or nothing. Raises ChatUnavailable."""
        token = _secret(self._settings.app_token)
        try:
            opened = await self._api.write(token, "apps.connections.open", {})
        except ChatRefused as error:
            return say("app_token_wrong", "en", cause=error.reason)
        self._first_address = str(opened["url"])
        return ""

    async def _installed(self, team: str, name: str) -> None:
        self._installations.installed(team)
        known = await self._workspaces.get("slack", team)
        training = known.training if known is not None else False
        await self._workspaces.put(Workspace("slack", team, name, training))

    # --- Bolt

    def _bolt(self) -> AsyncApp:
        return AsyncApp(
            name="smartdevdigest",
            logger=library_log,
            client=self._api.client,
            signing_secret=_secret(self._settings.signing_secret),
            # The library takes its own kind of object here, too, and says so only in its code.
            authorize=cast("Any", self._installations),
            oauth_settings=self._oauth(),
        )

    def _oauth(self) -> AsyncOAuthSettings | None:
        if self._installations.store is None:
            return None
        return AsyncOAuthSettings(
            client_id=self._settings.client_id,
            client_secret=_secret(self._settings.client_secret),
            scopes=SCOPES,
            # Beside the Web API, so that a GovSlack workspace is asked in GovSlack.
            authorization_url=urljoin(self._settings.api_url, "../oauth/v2/authorize"),
            user_scopes=[],
            install_path=INSTALL,
            redirect_uri_path=REDIRECT,
            installation_store=ByTeam(self._installations.store),
            state_store=self._state_store,
            callback_options=AsyncCallbackOptions(self._welcomed, self._refused),
            logger=library_log,
        )

    async def _welcomed(self, args: AsyncSuccessArgs) -> BoltResponse:
        """Somebody installed us in a workspace."""
        found = args.installation
        if found.is_enterprise_install:
            log.warning("an installation for a whole organisation was refused")
            said = "\n".join(say("organisation_refused", ui) for ui in ("ko", "en"))
            return BoltResponse(
                status=400, body=said, headers={"content-type": "text/plain; charset=utf-8"}
            )
        await self._installed(found.team_id or "", found.team_name or "")
        log.info("installed in workspace %s", found.team_id)
        return await args.default.success(args)

    async def _refused(self, args: AsyncFailureArgs) -> BoltResponse:
        log.warning("an installation did not succeed: %s", args.reason)
        return await args.default.failure(args)


def _missing(settings: SlackSettings) -> list[str]:
    needed = {
        "bot_token_missing": settings.client_id is None and settings.bot_token is None,
        "client_secret_missing": settings.client_id is not None and settings.client_secret is None,
        "app_token_missing": settings.mode == "socket" and settings.app_token is None,
        "signing_secret_missing": settings.mode == "http" and settings.signing_secret is None,
    }
    return [say(key, "en") for key, lacking in needed.items() if lacking]


def _secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()
