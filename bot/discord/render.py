"""How a digest looks on Discord: a layout of components, or an embed where those are refused.

Pure functions from what is to be shown to discord.py's values, which hold nothing but the form.
A first message and its edits have the same kind of form, because a layout cannot become an embed.
"""

from __future__ import annotations

from typing import Any, assert_never

import discord
from discord import ui as parts

from bot import feed_words, replies
from bot.chats import GivenUp, Morning, NothingNew, Ready, Shown, Trouble, Waiting
from bot.discord import mornings, wording
from bot.discord.escaping import MARK, fitted
from bot.discord.naming import Pressed, Verb
from bot.discord.words import say
from core.article import Language
from core.digest import DigestRecord, Label
from core.places import SharedLink

COLOURS: dict[Label, int] = {
    "beginner": 0x2EA66B,
    "elementary": 0x5FB336,
    "intermediate": 0xE0A82E,
    "advanced": 0xE0752E,
    "expert": 0xD64545,
}
WAITING, TROUBLE, MORNING = 0x5865F2, 0x99AAB5, 0xE0A82E
SENTENCE = 1500  # UTF-16 units

Layout = parts.LayoutView
Row = parts.ActionRow[Any]
Button = parts.Button[Any]


def layout(shown: Shown, shared: SharedLink, key: str) -> Layout:
    """Components V2. `key` stands in the buttons: by it we know the message again."""
    if isinstance(shown, Ready):
        return _digest(shown.record, shared.ui, key, known=shown.known)
    if isinstance(shown, Morning | NothingNew | GivenUp):
        manage = _manage(shown.subscription_id, shared.ui, key)
        told: list[parts.Item[Any]] = [
            parts.TextDisplay(one) for one in mornings.texts(shown, shared.ui)
        ]
        return _framed(MORNING, [*told, parts.ActionRow(manage)])
    text = f"{_said(shown, shared.ui)}\n-# {wording.address(shared.link)}"
    buttons = parts.ActionRow(*_short(shown, shared.ui, key))
    return _framed(_colour(shown), [parts.TextDisplay(text), buttons])


def _said(shown: Waiting | Trouble, ui: Language) -> str:
    match shown:
        case Waiting():
            return f"🔎 {replies.say('stage.reading', ui)}…"
        case Trouble(error):
            return f"⚠️ {fitted(replies.sentence(error, ui), SENTENCE)}"
        case _:
            assert_never(shown)


def _short(shown: Waiting | Trouble, ui: Language, key: str) -> list[Button]:
    """Another try is offered only where it may end otherwise."""
    if isinstance(shown, Trouble) and shown.error.retryable:
        again = _delivery_button("again", say("button.retry", ui), "🔁", key)
        return [again, _hide(key, ui)]
    return [_hide(key, ui)]


def _colour(shown: Waiting | Trouble) -> int:
    return WAITING if isinstance(shown, Waiting) else TROUBLE


def _digest(record: DigestRecord, ui: Language, key: str, *, known: bool) -> Layout:
    inside: list[parts.Item[Any]] = [
        parts.TextDisplay(wording.heading(record, ui)),
        parts.TextDisplay(wording.difficulty(record, ui)),
        parts.Separator(),
        parts.TextDisplay(wording.summary(record) or MARK),
    ]
    words = wording.words(record, ui)
    if words:
        inside.append(parts.TextDisplay(words))
    inside += [
        parts.Separator(),
        parts.TextDisplay(wording.small_print(record, ui, known=known)),
        *(parts.ActionRow(*row) for row in rows(record, ui, key)),
    ]
    return _framed(COLOURS[record.digest.difficulty_level.label], inside)


def _framed(colour: int, inside: list[parts.Item[Any]]) -> Layout:
    view = Layout(timeout=None)
    view.add_item(parts.Container(*inside, accent_colour=colour))
    return view


# --- buttons


def rows(record: DigestRecord, ui: Language, key: str) -> list[list[Button]]:
    """What there is to read and to say; a row holds at most five."""

    def button(verb: Verb, label: str, emoji: str | None = None) -> Button:
        named = Pressed(verb, record.id, key).custom_id
        return Button(
            label=label, emoji=emoji, custom_id=named, style=discord.ButtonStyle.secondary
        )

    count = len(record.digest.technical_terms)
    terms = [button("terms", f"{say('button.terms', ui)} {count}", "📖")] if count else []
    return [
        [
            *terms,
            button("questions", say("button.questions", ui), "❓"),
            button("details", say("button.details", ui), "🔎"),
            button("good", "", "👍"),
            button("bad", "", "👎"),
        ],
        [
            button("too_easy", say("button.too_easy", ui)),
            button("too_hard", say("button.too_hard", ui)),
            _language(record, ui, key),
            _again(key, ui),
            _hide(key, ui),
        ],
    ]


def _language(record: DigestRecord, ui: Language, key: str) -> Button:
    other = "button.in_english" if record.details.language == "ko" else "button.in_korean"
    return _delivery_button("language", say(other, ui), "🌐", key)


def _again(key: str, ui: Language) -> Button:
    return _delivery_button("again", say("button.again", ui), "🔁", key)


def _hide(key: str, ui: Language) -> Button:
    return _delivery_button("hide", say("button.hide", ui), "🗑️", key)


def _manage(subscription_id: str, ui: Language, key: str) -> Button:
    named = Pressed("feeds", subscription_id, key).custom_id
    label = feed_words.say("manage", ui)
    return Button(label=label, emoji="🗞️", custom_id=named, style=discord.ButtonStyle.secondary)


def _delivery_button(verb: Verb, label: str, emoji: str, key: str) -> Button:
    named = Pressed(verb, delivery=key).custom_id
    return Button(label=label, emoji=emoji, custom_id=named, style=discord.ButtonStyle.secondary)


# --- where layouts are refused


def as_embed(shown: Shown, shared: SharedLink, key: str) -> tuple[discord.Embed, parts.View]:
    """The same as one embed (below 6000 characters by the same rooms) with the same buttons."""
    if isinstance(shown, Ready):
        embed = _digest_embed(shown.record, shared.ui, known=shown.known)
        return embed, _view(rows(shown.record, shared.ui, key))
    if isinstance(shown, Morning | NothingNew | GivenUp):
        whole = "\n".join(mornings.texts(shown, shared.ui))
        button = _manage(shown.subscription_id, shared.ui, key)
        return discord.Embed(description=whole, colour=MORNING), _view([[button]])
    text = f"{_said(shown, shared.ui)}\n{wording.address(shared.link)}"
    buttons = _short(shown, shared.ui, key)
    return discord.Embed(description=text, colour=_colour(shown)), _view([buttons])


def _digest_embed(record: DigestRecord, ui: Language, *, known: bool) -> discord.Embed:
    pieces = (
        wording.heading(record, ui),
        wording.difficulty(record, ui),
        wording.summary(record),
        wording.words(record, ui),
        wording.small_print(record, ui, known=known),
    )
    colour = COLOURS[record.digest.difficulty_level.label]
    return discord.Embed(description="\n".join(one for one in pieces if one), colour=colour)


def _view(found: list[list[Button]]) -> parts.View:
    view = parts.View(timeout=None)
    for number, buttons in enumerate(found):
        for button in buttons:
            button.row = number
            view.add_item(button)
    return view
