"""The settings of a channel as a modal, help as a modal, and the Home tab."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from bot import replies, telling
from bot.slack.blocks import Blocks, Json, line, link, plain_text, rich, section, select, text
from bot.slack.escaping import address, fitted, meter
from bot.slack.naming import SETTINGS
from bot.slack.words import say
from core.article import Language
from core.digest import DigestRecord
from core.places import ChannelProfile, Mode
from core.settings import OutputLanguage

MODES: tuple[Mode, ...] = get_args(Mode)
LANGUAGES: tuple[OutputLanguage, ...] = get_args(OutputLanguage)
SHOWN_AT_HOME = 10


def settings_modal(profile: ChannelProfile, channel: str, ui: Language) -> Json:
    return {
        "type": "modal",
        "callback_id": SETTINGS,
        "private_metadata": json.dumps({"channel": channel}),
        "title": plain_text(say("settings", ui)),
        "submit": plain_text(say("settings_save", ui)),
        "close": plain_text(say("close", ui)),
        "blocks": [
            _choice("mode", MODES, profile.mode, ui),
            _choice("language", LANGUAGES, profile.language, ui),
            _choice("ui", LANGUAGES, profile.ui or "auto", ui),
        ],
    }


def _choice(name: str, options: Sequence[str], chosen: str, ui: Language) -> Json:
    offered = [(say(f"{name}.{one}", ui), one) for one in options]
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(say(name, ui)),
        "element": select(name, offered, chosen),
    }


def chosen(view: Mapping[str, Any]) -> tuple[str, ChannelProfile]:
    """The channel and what was chosen for it. Raises ValueError for a form that is not ours."""
    values = view["state"]["values"]
    picked = {
        name: str(values[name][name]["selected_option"]["value"])
        for name in ("mode", "language", "ui")
    }
    allowed = {"mode": MODES, "language": LANGUAGES, "ui": LANGUAGES}
    if any(picked[name] not in options for name, options in allowed.items()):
        raise ValueError(f"no such choice: {picked}")
    spoken = None if picked["ui"] == "auto" else cast("Language", picked["ui"])
    profile = ChannelProfile(
        cast("Mode", picked["mode"]), cast("OutputLanguage", picked["language"]), spoken
    )
    return str(json.loads(view["private_metadata"])["channel"]), profile


def help_modal(ui: Language) -> Json:
    return {
        "type": "modal",
        "title": plain_text(say("help_title", ui)),
        "close": plain_text(say("close", ui)),
        "blocks": [section(say("help", ui))],
    }


def home_view(recent: Sequence[DigestRecord], ui: Language) -> Json:
    """`recent`: what this person shared, the newest first."""
    blocks: Blocks = [
        {"type": "header", "text": plain_text("SmartDevDigest")},
        section(say("help", ui)),
        {"type": "divider"},
        {"type": "header", "text": plain_text(say("home.recent", ui))},
        *_recent(recent, ui),
        {"type": "divider"},
        {"type": "header", "text": plain_text(say("home.yours", ui))},
        section(say("home.ui", ui)),
    ]
    return {"type": "home", "blocks": blocks}


def _recent(recent: Sequence[DigestRecord], ui: Language) -> Iterator[Json]:
    if not recent:
        yield section(say("home.nothing", ui))
    for record in recent[:SHOWN_AT_HOME]:
        title = fitted(telling.title(record, ui), 300)
        url = address(record.article.url)
        level = record.digest.difficulty_level
        said = say("level", ui, score=level.score, label=replies.label(level.label, ui))
        head = text(title, bold=True) if url is None else link(url, title, bold=True)
        yield rich(line(head, text(f"\n{meter(level.score)} {said}")))
