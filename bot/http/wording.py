"""The words that the page shares with the other surfaces, as one value for both languages."""

from __future__ import annotations

from bot import replies
from core.article import Language

LANGUAGES: tuple[Language, ...] = ("ko", "en")


def words() -> dict[str, dict[str, dict[str, str]]]:
    """Language, then kind (labels, factors, notes), then key: what the page looks up."""
    return {language: _in(language) for language in LANGUAGES}


def _in(language: Language) -> dict[str, dict[str, str]]:
    return {
        "labels": {name: replies.label(name, language) for name in replies.LABELS},
        "factors": {name: replies.factor(name, language) for name in replies.FACTORS},
        "notes": {key: replies.note(key, language) for key in replies.NOTES},
    }
