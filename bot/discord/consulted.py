"""Explanations, answers and searches as Discord's components: pure functions of what was found.

Rooms are in UTF-16 units; all together they are less than the 4000 that a message may hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui as parts

from bot import consulting_words
from bot.consulting_words import origin, title
from bot.discord.escaping import MARK, fitted, safe_address, width
from bot.discord.naming import Pressed
from bot.discord.pages import framed
from bot.discord.render import Layout
from bot.replies import plain
from core.article import Language
from core.explaining import Explanation, Unknown
from core.library import Hit
from core.retrieval.answering import Answer, NotRead

NAME, NAMES, SAID, QUESTION, SENTENCE, TITLE, LINE = 200, 200, 700, 300, 800, 120, 160
_ADDRESS = 200  # a longer one is left out
_SUMMED = 900  # of an explanation that comes in one piece
SHOWN_HITS, SNIPPET = 5, 200
_OFFERED, _OPTION = 25, 100  # Discord's


def explained(found: Explanation, ui: Language) -> Layout:
    lines = [f"### {fitted(found.term, NAME) or MARK}"]
    if found.names:
        lines.append(f"-# {fitted(consulting_words.names(found.names, ui), NAMES)}")
    inside: list[parts.Item[Any]] = [parts.TextDisplay("\n".join(lines))]
    for one in found.said:
        who = fitted(origin(one, ui), LINE)
        if one.article is not None:
            who += f" · {_titled(one.article.title, one.article.link, ui)}"
        inside.append(parts.TextDisplay(f"{fitted(one.text, SAID) or MARK}\n-# {who}"))
    if not found.said:
        inside.append(parts.TextDisplay(fitted(found.explanation, _SUMMED) or MARK))
    if found.easiest is not None:
        easiest = found.easiest
        shown = _titled(easiest.title, easiest.link, ui)
        level = fitted(consulting_words.level(easiest, ui), 60)
        inside.append(
            parts.TextDisplay(f"-# {consulting_words.say('easiest', ui)}: {shown} ({level})")
        )
    offered = [*found.senses, *found.related]
    key = "senses" if found.senses else "related"
    return framed([*inside, *_offers(offered, consulting_words.say(key, ui))])


def unknown(found: Unknown, ui: Language) -> Layout:
    said = consulting_words.say("unknown_term", ui, term=fitted(found.term, NAME))
    near = consulting_words.say("near", ui)
    return framed([parts.TextDisplay(said), *_offers(found.near, near)])


def _offers(terms: Sequence[str], hint: str) -> list[parts.Item[Any]]:
    """A menu of further terms; whoever chooses one has it explained."""
    shown = dict.fromkeys(plain(one)[:_OPTION].strip() for one in terms)
    options = [discord.SelectOption(label=one, value=one) for one in shown if one][:_OFFERED]
    if not options:
        return []
    select: parts.Select[Any] = parts.Select(
        custom_id=Pressed("term").custom_id, placeholder=hint, options=options
    )
    return [parts.ActionRow(select)]


def _titled(name: str | None, url: str | None, ui: Language) -> str:
    shown = fitted(title(name, url, ui), TITLE) or consulting_words.say("untitled", ui)
    address = safe_address(url)
    if address is None or width(address) > _ADDRESS:
        return shown
    return f"[{shown}]({address})"


# --- answers


def answered(found: Answer | NotRead, ui: Language, *, asked: str, beneath: bool = False) -> Layout:
    """`beneath`: it stands right below the question, which need not be said again."""
    inside: list[parts.Item[Any]] = []
    if not beneath:
        inside.append(parts.TextDisplay(f"**❓ {fitted(asked, QUESTION) or MARK}**"))
    if isinstance(found, NotRead):
        return framed([*inside, parts.TextDisplay(_not_read(found, ui))])
    marked = [
        fitted(one.text, SENTENCE) + "".join(f" \\[{number}\\]" for number in one.cited)
        for one in found.sentences
    ]
    inside.append(parts.TextDisplay("\n".join(marked)))
    sources = [f"\\[{one.number}\\] {_titled(one.title, one.link, ui)}" for one in found.citations]
    kinds = {one.origin for one in found.sentences}
    written = consulting_words.say("written" if "model" in kinds else "own_words", ui)
    small = f"-# {written} · {consulting_words.say('checked', ui)}"
    inside.append(parts.TextDisplay("\n".join((*sources, small))))
    return framed(inside)


def _not_read(found: NotRead, ui: Language) -> str:
    lines = [consulting_words.say("not_read", ui)]
    if found.near:
        lines.append(f"-# {consulting_words.say('closest', ui)}")
        lines += [f"- {_titled(one.title, one.link, ui)}" for one in found.near]
    return "\n".join(lines)


# --- searches


def hits(found: Sequence[Hit], query: str, ui: Language) -> Layout:
    shown = fitted(query, NAME)
    if not found:
        return framed(
            [parts.TextDisplay(consulting_words.say("found_nothing", ui, query=shown or MARK))]
        )
    head = consulting_words.say("found" if shown else "newest", ui, query=shown)
    inside: list[parts.Item[Any]] = [parts.TextDisplay(f"**{head}**")]
    inside += [parts.TextDisplay(_hit(one, ui)) for one in found[:SHOWN_HITS]]
    return framed(inside)


def _hit(one: Hit, ui: Language) -> str:
    beside = [plain(one.site or ""), consulting_words.level(one, ui), f"{one.digested_at:%Y-%m-%d}"]
    small = fitted(" · ".join(filter(None, beside)), LINE)
    return f"{_titled(one.title, one.link, ui)}\n-# {small}\n{fitted(one.text, SNIPPET) or MARK}"
