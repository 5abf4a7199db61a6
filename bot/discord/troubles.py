"""What Discord refuses, in our words: which errors mean "again later", "never" and "gone"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from core.errors import ChatRefused, ChatUnavailable, MessageGone

# Codes of discord/discord-api-docs, `developers/topics/opcodes-and-status-codes.mdx`.
INVALID_FORM = 50035
ARCHIVED = 50083
THREAD_EXISTS = 160004
NO_MORE_THREADS = 160006
NO_THREADS_HERE = 50024
UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, TOKEN_EXPIRED = 10015, 10062, 50027
ALREADY_ANSWERED = 40060
LOST_TOKEN = frozenset({UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, TOKEN_EXPIRED})

# An answer that never came: discord.py repeats most 5xx, but neither 503 nor a broken connection.
BROKEN = (aiohttp.ClientError, OSError, TimeoutError)


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Raises ChatUnavailable, ChatRefused and MessageGone for what discord.py raises."""
    try:
        yield
    except discord.NotFound as error:
        raise MessageGone(subject, error.text) from error
    except discord.Forbidden as error:
        raise ChatRefused(subject, error.text) from error
    except discord.RateLimited as error:
        raise ChatUnavailable(subject, "429", retry_after=error.retry_after) from error
    except discord.HTTPException as error:
        raise _of_status(error, subject) from error
    except BROKEN as error:
        raise ChatUnavailable(subject, type(error).__name__) from error
    except RuntimeError as error:
        if "closed" not in str(error).lower():
            raise
        # aiohttp's session is closed: we are stopping, and somebody goes on where this ended.
        raise ChatUnavailable(subject, "this process is stopping") from error


def _of_status(
    error: discord.HTTPException, subject: str
) -> ChatUnavailable | ChatRefused | MessageGone:
    if error.status in (401, 429) or error.status >= 500:  # 401: until there is a new token
        return ChatUnavailable(subject, str(error.status), retry_after=_wish(error))
    if error.code == INVALID_FORM and "message_reference" in error.text:
        return MessageGone(subject, error.text)  # there is nothing to reply to any more
    return ChatRefused(subject, error.text)


def _wish(error: discord.HTTPException) -> float | None:
    """Seconds from the header Retry-After, where there is one."""
    text = error.response.headers.get("Retry-After", "")
    return float(text) if text.replace(".", "", 1).isdecimal() else None
