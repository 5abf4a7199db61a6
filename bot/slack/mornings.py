"""How what we say by ourselves looks on Slack: a morning's list, nothing new, a feed given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from bot import replies
from bot.chats import GivenUp, Listed, Morning, NothingNew, Unprompted
from bot.feed_words import long_day, say
from bot.replies import plain
from bot.slack.blocks import Blocks, Json, actions, button, line, link, rich, small, text
from bot.slack.escaping import address, escaped, fitted, meter, width
from bot.slack.naming import MANAGE
from bot.slack.words import say as say_here
from core.article import Language

# Bytes of UTF-8 over all articles of a list; with the rest a message stays under 10,000.
LIST, TITLE, SOURCE, SENTENCE, NOTICE = 8600, 220, 90, 420, 600


def message(shown: Unprompted, ui: Language) -> tuple[Blocks, str]:
    match shown:
        case Morning():
            return _morning(shown, ui), escaped(fitted(_fallback(shown, ui), NOTICE))
        case NothingNew():
            said = f"{say('nothing', ui)} ({long_day(shown.day, ui)})"
        case GivenUp(title=title, url=url):
            said = say("gone", ui, title=fitted(title or url, TITLE))
        case _:
            assert_never(shown)
    blocks = [rich(line(text(plain(said)))), _manage(shown.subscription_id, ui)]
    return blocks, escaped(fitted(said, NOTICE))


def _morning(shown: Morning, ui: Language) -> Blocks:
    head = f"☀️ {say('head', ui, count=len(shown.listed))}"
    each = LIST // max(1, len(shown.listed))
    return [
        rich(line(text(head, bold=True), text(f"  {long_day(shown.day, ui)}"))),
        {"type": "divider"},
        *(rich(line(*_listed(one, each, ui))) for one in shown.listed),
        {"type": "divider"},
        small(say("thread", ui)),
        _manage(shown.subscription_id, ui),
    ]


def _listed(one: Listed, room: int, ui: Language) -> Iterator[Json]:
    title, url = fitted(one.title, TITLE) or replies.say("untitled", ui), address(one.link)
    yield text(title, bold=True) if url is None else link(url, title, bold=True)
    source = fitted(one.source, SOURCE)
    if source:
        yield text(f"  {source}")
    level = say_here("level", ui, score=one.score, label=replies.label(one.label, ui))
    minutes = f" · {say('minutes', ui, minutes=one.minutes)}" if one.minutes else ""
    yield text(f"\n{meter(one.score)} {level}{minutes}")
    left = room - width(title) - width(url or "") - width(source) - 90
    if one.sentence and left > 40:
        yield text(f"\n{fitted(one.sentence, min(SENTENCE, left))}")


def _manage(subscription_id: str, ui: Language) -> Json:
    return actions(button(MANAGE, say("manage", ui), subscription_id))


def _fallback(shown: Morning, ui: Language) -> str:
    titles = " / ".join(one.title for one in shown.listed)
    return f"{say('head', ui, count=len(shown.listed))}: {titles}"
