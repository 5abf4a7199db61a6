"""How what we say by ourselves reads on Discord: a morning's list, nothing new, a feed given up."""

from __future__ import annotations

from typing import assert_never

from bot import replies
from bot.chats import GivenUp, Listed, Morning, NothingNew, Unprompted
from bot.discord.escaping import fitted, linked, safe_address, width
from bot.discord.wording import meter
from bot.discord.words import say as say_here
from bot.feed_words import long_day, say
from core.article import Language

# UTF-16 units over all articles of a list, of the 4000 of a message.
LIST, TITLE, SOURCE, SENTENCE = 3400, 420, 60, 240
_SHORTEST = 30  # of a title


def texts(shown: Unprompted, ui: Language) -> list[str]:
    """One for each text display."""
    match shown:
        case Morning(listed=listed):
            each = LIST // max(1, len(listed))
            head = f"### ☀️ {say('head', ui, count=len(listed))}\n-# {long_day(shown.day, ui)}"
            return [head, *(_listed(one, each, ui) for one in listed), f"-# {say('thread', ui)}"]
        case NothingNew(day=day):
            return [f"{say('nothing', ui)}\n-# {long_day(day, ui)}"]
        case GivenUp(title=title, url=url):
            return [say("gone", ui, title=fitted(title or url, TITLE))]
        case _:
            assert_never(shown)


def _listed(one: Listed, room: int, ui: Language) -> str:
    level = say_here("level", ui, score=one.score, label=replies.label(one.label, ui))
    source = fitted(one.source, SOURCE)
    minutes = say("minutes", ui, minutes=one.minutes) if one.minutes else ""
    small = " · ".join(filter(None, (f"{meter(one.score)} {level}", minutes, source)))
    title = one.title or replies.say("untitled", ui)
    for_title = min(TITLE, room - width(small) - 10)
    # An address that leaves no room for the title stays out; the digest in the thread has it.
    fits = width(safe_address(one.link) or "") + _SHORTEST <= for_title
    head = f"**{linked(title, one.link if fits else None, for_title)}**"
    left = room - width(head) - width(small) - 6
    sentence = (
        f"\n{fitted(one.sentence, min(SENTENCE, left))}" if one.sentence and left > 40 else ""
    )
    return f"{head}\n-# {small}{sentence}"
