"""What only one person sees: terms, questions and details page by page, settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui as parts

from bot.discord.escaping import escaped, fitted, pieces, width
from bot.discord.naming import Pressed, Verb
from bot.discord.render import WAITING, Button, Layout
from bot.discord.words import say
from core.article import Language
from core.places import ChannelProfile

# Of the 4000 characters of a message; heading, page number and credits have the rest.
PAGE = 3000
_LINE = 1400  # a longer line is continued in the next one

Lines = Sequence[tuple[str, str]]  # what stands before it (ours), raw text (theirs)


def paged(lines: Lines) -> list[str]:
    """All of it, on as many pages as it takes."""
    pages: list[str] = []
    page: list[str] = []
    used = 0
    for line in _broken(lines):
        size = width(line) + 1
        if page and used + size > PAGE:
            pages.append("\n".join(page))
            page, used = [], 0
        page.append(line)
        used += size
    return [*pages, "\n".join(page)] if page else pages


def _broken(lines: Lines) -> list[str]:
    found = []
    for before, text in lines:
        for number, piece in enumerate(pieces(text, _LINE)):
            if piece:
                continued = before if before.startswith("-#") else ""
                found.append((before if number == 0 else continued) + piece)
    return found


def turning(pages: Sequence[str], at: Pressed, title: str, ui: Language) -> Layout:
    """One of the pages, and buttons to the ones beside it. A number out of range is the nearest."""
    number = min(max(at.page or 0, 0), len(pages) - 1)
    inside: list[parts.Item[Any]] = [
        parts.TextDisplay(f"**{escaped(title)}**"),
        parts.TextDisplay(pages[number]),
    ]
    if len(pages) > 1:
        inside.append(parts.TextDisplay(f"-# {say('page', ui, page=number + 1, pages=len(pages))}"))
        inside.append(
            parts.ActionRow(
                _turn(at, "◀", number - 1, len(pages)), _turn(at, "▶", number + 1, len(pages))
            )
        )
    return framed(inside)


def _turn(at: Pressed, emoji: str, to: int, pages: int) -> Button:
    # The two ends would have the same number as somebody's page: a press there cannot happen.
    named = Pressed(at.verb, at.digest, at.delivery, to if to >= 0 else pages).custom_id
    return Button(emoji=emoji, custom_id=named, disabled=not 0 <= to < pages)


def notice(text: str) -> Layout:
    """A sentence of ours (its Markdown is ours)."""
    return framed([parts.TextDisplay(text)])


def settings(profile: ChannelProfile, channel: str, ui: Language) -> Layout:
    """Three selects that say what the channel wants and change it."""
    inside: list[parts.Item[Any]] = [
        parts.TextDisplay(f"### {say('settings', ui)}\n-# {fitted(channel, 120)}"),
        parts.Separator(),
    ]
    languages = ("auto", "ko", "en")
    for name, select in (
        ("mode", _select("set_mode", "mode", ("auto", "ask", "off"), profile.mode, ui)),
        ("language", _select("set_language", "language", languages, profile.language, ui)),
        ("ui", _select("set_ui", "ui", languages, profile.ui or "auto", ui)),
    ):
        inside.append(parts.TextDisplay(f"**{say(name, ui)}**"))
        inside.append(parts.ActionRow(select))
    return framed(inside)


def _select(
    verb: Verb, name: str, options: Sequence[str], chosen: str, ui: Language
) -> parts.Select[Any]:
    choices = [
        discord.SelectOption(label=say(f"{name}.{one}", ui), value=one, default=one == chosen)
        for one in options
    ]
    return parts.Select(custom_id=Pressed(verb).custom_id, options=choices)


def framed(inside: list[parts.Item[Any]]) -> Layout:
    view = Layout(timeout=None)
    view.add_item(parts.Container(*inside, accent_colour=WAITING))
    return view
