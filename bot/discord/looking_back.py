"""What a message replies to: found again in Discord, so that we need not remember it."""

from __future__ import annotations

import logging
import re

import discord

from bot.discord.troubles import BROKEN
from core.links import find_links

log = logging.getLogger(__name__)
_MENTION = re.compile(r"<@[!&]?\d+>")


def without_mentions(text: str) -> str:
    return _MENTION.sub(" ", text).strip()


async def replied_to(message: discord.Message) -> discord.Message | None:
    """None where it replies to nothing, or to what is gone or cannot be read."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    resolved = reference.resolved
    if resolved is None:  # Discord did not look for it
        try:
            resolved = await message.channel.fetch_message(reference.message_id)
        except (discord.HTTPException, *BROKEN) as error:
            log.info("the message replied to cannot be read: %s", error)
    return resolved if isinstance(resolved, discord.Message) else None


async def question_before(message: discord.Message) -> str | None:
    """The question to us whose answer a message replies to."""
    answer = await replied_to(message)
    if answer is None or not answer.author.bot:
        return None
    question = await replied_to(answer)
    if question is None or question.author.bot or answer.author not in question.mentions:
        return None
    return None if find_links(question.content) else without_mentions(question.content) or None
