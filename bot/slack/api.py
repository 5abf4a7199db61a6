"""Slack's Web API: one call, one answer, and what went wrong in our own words.

A write whose connection broke may have been done; nothing here repeats it. Who wants to say it
again looks first (`bot/delivering.py`). Reads may be repeated freely and are.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.blocks import Json
from core.errors import ChatFailed, ChatRefused, ChatUnavailable, MessageGone

log = logging.getLogger(__name__)

# The libraries format every request for their log where a logger is not set to a level.
library_log = logging.getLogger("slack_bolt.bot")
library_log.setLevel(logging.WARNING)

_TIMEOUT = 15.0  # seconds for one answer; less than bot/delivering.py's SETTLED
_READS = 3  # attempts
_LONGEST_PAUSE = 5.0  # seconds between them; whoever is asked to wait longer comes again later

_AWAY = frozenset(
    "ratelimited rate_limited internal_error fatal_error service_unavailable request_timeout "
    "accesslimited team_added_to_org".split()
)
_GONE = frozenset(
    "message_not_found cant_update_message thread_not_found edit_window_closed "
    "cannot_reply_to_message".split()
)
# The workspace threw us out, or its token is worthless.
REVOKED = frozenset(
    "token_revoked token_expired account_inactive invalid_auth not_authed app_uninstalled".split()
)


class Api:
    """The calls of all workspaces; each is made with the token of one.

    Before it is open it answers as a Slack that is away. After closing it still works, with a
    connection for each call: answers that were begun are finished.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        self._session = aiohttp.ClientSession(timeout=timeout)
        # Without retry handlers: the library's own repeats writes that were done.
        self._client = AsyncWebClient(
            base_url=self._base_url,
            session=self._session,
            timeout=int(_TIMEOUT),
            logger=library_log,
            retry_handlers=[],
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def client(self) -> AsyncWebClient:
        """The library's, without a token, for Bolt."""
        if self._client is None:
            raise ChatUnavailable("slack", "not connected yet", retry_after=1.0)
        return self._client

    async def write(self, token: str, method: str, arguments: Mapping[str, Any]) -> Json:
        """Once. Raises ChatUnavailable (it may have been done all the same), ChatRefused,
        MessageGone."""
        with_token = {**arguments, "token": token}
        return await self._call(method, json=with_token)

    async def read(self, token: str, method: str, arguments: Mapping[str, Any]) -> Json:
        """Again after trouble. Raises as `write` does."""
        for attempt in range(1, _READS):
            try:
                return await self._call(method, params={**arguments, "token": token})
            except ChatUnavailable as error:
                pause = error.retry_after if error.retry_after is not None else 0.3 * attempt
                if pause > _LONGEST_PAUSE:
                    raise
                await asyncio.sleep(pause)
        return await self._call(method, params={**arguments, "token": token})

    async def identity(self, token: str) -> tuple[Json, frozenset[str] | None]:
        """Who we are with this token, and the scopes that were granted with it; None where Slack
        does not say. Raises as `write` does."""
        answer = await self._ask("auth.test", params={"token": token})
        granted = answer.headers.get("x-oauth-scopes")
        scopes = None if granted is None else frozenset(re.split(r"[,\s]+", granted.strip()))
        return _data(answer), scopes

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Answers a command or a press at its response_url. Raises as `write` does."""
        if self._session is None or self._session.closed:
            raise ChatUnavailable("response_url", "not connected")
        try:
            async with self._session.post(url, json=body) as answer:
                said = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ChatUnavailable("response_url", type(error).__name__) from error
        if answer.status >= 500 or answer.status == 429:
            raise ChatUnavailable("response_url", str(answer.status))
        if answer.status != 200:
            raise ChatRefused("response_url", said[:200])

    async def _call(self, method: str, **sent: dict[str, Any]) -> Json:
        return _data(await self._ask(method, **sent))

    async def _ask(self, method: str, **sent: dict[str, Any]) -> AsyncSlackResponse:
        verb = "POST" if "json" in sent else "GET"
        try:
            return await self.client.api_call(method, http_verb=verb, **sent)
        except SlackApiError as error:
            raise translated(method, error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise ChatUnavailable(method, type(error).__name__) from error


def translated(method: str, error: SlackApiError) -> ChatFailed:
    """Slack's refusal in our words; `reason` is Slack's own word for it."""
    response = error.response
    # Where the answer was no JSON it is the raw one.
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    word = _word(response)
    if status == 429 or word in _AWAY or status >= 500:
        pause = _retry_after(response)
        return ChatUnavailable(method, word or str(status), retry_after=pause)
    if word in _GONE:
        return MessageGone(method, word)
    if word.startswith(("invalid_blocks", "msg_")):
        log.error("%s: Slack does not take what we say: %s", method, _data(response))
    return ChatRefused(method, word or str(status))


def _data(response: Any) -> dict[str, Any]:
    data = getattr(response, "data", response)
    return data if isinstance(data, dict) else {}


def _word(response: Any) -> str:
    return str(_data(response).get("error") or "")


def _retry_after(response: Any) -> float | None:
    headers = getattr(response, "headers", None) or {}
    value = str(headers.get("Retry-After", ""))
    return float(value) if value.isascii() and value.isdigit() else None
