"""Discord as `bot/serving.py` runs it: connects, stays connected, catches up, stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord

from bot.chats import Chat
from bot.commands import Commands
from bot.discord import slash
from bot.discord.catching_up import catch_up
from bot.discord.client import DigestClient, grants_content, point_at
from bot.discord.listener import Listener
from bot.discord.marks import Diary, Marks
from bot.discord.pressing import Buttons
from bot.discord.sender import DiscordChat
from bot.discord.troubles import BROKEN
from bot.discord.words import say
from bot.receiving import Receiver
from core.errors import ChatUnavailable, SettingsError, StorageUnavailable
from core.judging.glossary import warm_up
from core.places import Workspace
from core.ports import Deliveries, Workspaces
from core.settings import DiscordSettings

log = logging.getLogger(__name__)
_REFUSED_TOKEN = 4004
_REFUSED_INTENT = 4014
_LONGEST_WAIT = 30.0  # seconds between attempts to reach a Discord that is away
_SURPRISED_SECONDS = 1.0
_DIARY_SECONDS = 30.0
_SENDING_SECONDS = 5.0  # to finish what is being sent when stopping


class DiscordSurface:
    """`folder`: where the diary lies (see marks.Diary)."""

    def __init__(
        self,
        settings: DiscordSettings,
        receiver: Receiver,
        commands: Commands,
        *,
        seen: Deliveries,
        workspaces: Workspaces,
        folder: Path | None = None,
        guild_ready_timeout: float = 2.0,
    ) -> None:
        self._settings = settings
        self._seen = seen
        self._workspaces = workspaces
        self._diary = Diary(folder)
        self._marks = Marks(self._was_there())
        self._slash = slash.Slash(receiver, commands)
        self._listener = Listener(
            receiver,
            self._marks,
            self._slash.consultations,
            reads_content=settings.message_content,
        )
        self._buttons = Buttons(commands, seen)
        self._guild_ready_timeout = guild_ready_timeout
        self._client: DigestClient | None = None
        self._running: asyncio.Task[None] | None = None
        self._life: asyncio.Task[None] | None = None
        self._closing = False
        self._ended_by = ""
        self._beside: set[asyncio.Task[Any]] = set()
        self._chat = DiscordChat(self._connected)

    @property
    def chat(self) -> Chat:
        return self._chat

    @property
    def routes(self) -> tuple[()]:
        """None: everything comes over the gateway."""
        return ()

    @property
    def ended_by(self) -> str:
        """A token or an intent that Discord took back while we were connected."""
        return self._ended_by

    def _was_there(self) -> datetime | None:
        """A dead connection may have looked alive for as long as the heartbeat's patience."""
        alive = self._diary.alive_at()
        slack = timedelta(seconds=self._settings.heartbeat_timeout + _DIARY_SECONDS)
        return None if alive is None else alive - slack

    # --- starting

    async def start(self) -> None:
        """Raises SettingsError for a token or an intent that Discord refuses. A Discord that is
        away is waited for."""
        token = self._settings.token
        if token is None:
            raise settings_error("token_missing")
        point_at(self._settings)
        await self._connect(token.get_secret_value())
        self._diary.write(alive=_now())
        self._life = asyncio.create_task(self._stay_connected(token.get_secret_value()))
        self._life.add_done_callback(self._tell_end)
        self._start_beside(self._keep_diary())
        self._start_beside(self._sync())
        self._start_beside(asyncio.to_thread(warm_up))

    async def _connect(self, token: str) -> None:
        wait = 1.0
        while not await self._attempt(token):
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _stay_connected(self, token: str) -> None:
        """discord.py reconnects by itself; an event it cannot make sense of ends its client."""
        connected = True
        while True:
            try:
                if not connected:
                    await self._connect(token)
                    connected = True
                await self._over()
            except SettingsError:
                raise
            except Exception:
                log.exception("the connection ended by a surprise and is made anew")
            if self._closing:
                return
            connected = False
            await asyncio.sleep(_SURPRISED_SECONDS)

    async def _attempt(self, token: str) -> bool:
        self._client = client = DigestClient(
            self._settings,
            self._listener,
            self._buttons,
            self._slash,
            self,
            guild_ready_timeout=self._guild_ready_timeout,
        )
        try:
            await client.login(token)
            self._check_intent(client)
            self._running = asyncio.create_task(client.connect())
            await self._ready_or_ended(client, self._running)
            return True
        except discord.LoginFailure as error:
            await client.close()
            raise settings_error("token_wrong") from error
        except (discord.HTTPException, discord.GatewayNotFound, *BROKEN) as error:
            log.warning("Discord cannot be reached yet: %s", error)
            await client.http.close()
            return False

    def _check_intent(self, client: DigestClient) -> None:
        """Before the gateway refuses us: a supervisor starts us again and again, and after a
        thousand attempts a day Discord would take the token away."""
        granted = grants_content(client.application_flags)
        if self._settings.message_content and not granted:
            raise settings_error("intent_missing")

    async def _ready_or_ended(self, client: DigestClient, running: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(client.wait_until_ready())
        try:
            await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if running.done():
            await self._over()

    async def ended(self) -> None:
        """Waits until the connection is over for good: after `close`, or when Discord refuses
        the token or the intent from now on (SettingsError)."""
        if self._life is not None:
            await asyncio.shield(self._life)

    async def _over(self) -> None:
        """Waits for the end of the present client."""
        if self._running is None:
            return
        try:
            await asyncio.shield(self._running)
        except discord.PrivilegedIntentsRequired as error:
            raise settings_error("intent_missing") from error
        except discord.ConnectionClosed as error:
            key = {_REFUSED_TOKEN: "token_wrong", _REFUSED_INTENT: "intent_missing"}.get(error.code)
            if key is None:
                raise
            raise settings_error(key) from error

    async def _sync(self) -> None:
        client = self._client
        assert client is not None  # noqa: S101 - called once it is connected
        for seconds in (5.0, 60.0, 600.0, None):
            try:
                if await slash.sync_once(client.tree, self._diary):
                    log.info("Discord knows the commands as they are now")
                return
            except (discord.HTTPException, discord.app_commands.AppCommandError, *BROKEN) as error:
                log.warning("the commands could not be synced: %s", error)
                if seconds is None:
                    return
                await asyncio.sleep(seconds)

    # --- stopping

    async def close(self) -> None:
        client = self._client
        if client is None:
            return
        client.deaf = True
        self._closing = True
        await self._chat.finish(_SENDING_SECONDS)
        for task in [*self._beside]:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if self._is_connected():
            self._diary.write(alive=_now())
        await client.close()
        ending = {task for task in (self._running, self._life) if task is not None}
        if ending:
            await asyncio.wait(ending, timeout=_SENDING_SECONDS)

    # --- what the client tells

    def session_begins(self, shard: int) -> None:
        self._marks.session_begins(shard)

    async def guilds_known(self, shard: int, guilds: list[discord.Guild]) -> None:
        for guild in guilds:
            await self._keep_workspace(guild)
        client = self._client
        if client is not None and not client.deaf:
            self._start_beside(self._catch_up(client, shard, guilds))

    async def guild_joined(self, guild: discord.Guild) -> None:
        await self._keep_workspace(guild)

    async def _catch_up(
        self, client: DigestClient, shard: int, guilds: list[discord.Guild]
    ) -> None:
        began = datetime.now(UTC)
        count = 0
        for guild in guilds:
            last = await self._last_answer(guild)
            count += await catch_up(client, guild, self._marks, self._listener, last)
        self._marks.caught_up(shard, began)
        if count:
            log.info("%d messages were read that came while we were away", count)

    async def _last_answer(self, guild: discord.Guild) -> datetime | None:
        try:
            newest = await self._seen.recent("discord", str(guild.id), 1)
        except StorageUnavailable:
            return None
        return newest[0].accepted_at if newest else None

    async def _keep_workspace(self, guild: discord.Guild) -> None:
        try:
            known = await self._workspaces.get("discord", str(guild.id))
            if known is None or known.name != guild.name:
                training = known is not None and known.training
                await self._workspaces.put(
                    Workspace("discord", str(guild.id), guild.name, training)
                )
        except StorageUnavailable as error:
            log.warning("guild %s cannot be kept yet: %s", guild.id, error)

    # --- beside

    def _connected(self) -> discord.Client:
        if self._client is None or self._client.is_closed():
            raise ChatUnavailable("discord", "not connected")
        return self._client

    def _is_connected(self) -> bool:
        client = self._client
        return (
            client is not None
            and client.is_ready()
            and not any(shard.is_closed() for shard in client.shards.values())
        )

    async def _keep_diary(self) -> None:
        while True:
            await asyncio.sleep(_DIARY_SECONDS)
            if self._is_connected():
                self._diary.write(alive=_now())

    def _tell_end(self, life: asyncio.Task[None]) -> None:
        if not life.cancelled() and (error := life.exception()) is not None:
            self._ended_by = str(error)
            log.error("Discord is left alone until the next start. %s", error)

    def _start_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._done_beside)

    def _done_beside(self, task: asyncio.Task[Any]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work beside the gateway failed", exc_info=error)


def settings_error(key: str) -> SettingsError:
    return SettingsError([say(key, "en")])


def _now() -> str:
    return datetime.now(UTC).isoformat()
