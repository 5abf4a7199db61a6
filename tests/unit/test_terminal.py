"""The digest in a terminal: everything is there, in the person's language, and harmless."""

from __future__ import annotations

import pytest
from rich.console import Console
from support.builders import a_digest, a_record, details

from bot.cli.terminal import digest_view, meter
from core.article import Language
from core.digest import DigestRecord


def shown(record: DigestRecord, ui: Language = "en", width: int = 200) -> str:
    console = Console(width=width, record=True, file=None, color_system=None, quiet=False)
    with console.capture() as captured:
        console.print(digest_view(record, ui))
    return captured.get()


@pytest.mark.parametrize(("score", "filled"), [(1.0, 1), (3.0, 10), (5.0, 20)])
def test_the_meter_goes_from_one_cell_to_all(score: float, filled: int) -> None:
    assert meter(score) == "█" * filled + "░" * (20 - filled)


def test_everything_of_a_digest_is_shown() -> None:
    text = shown(a_record(details=details(questions=("Why pools?",), notes=("partly_drafted",))))
    for part in (
        "Connection pools, measured",
        "blog.example.com · Dana Doe · 2025-03-01 · blog",
        "2.8 intermediate",
        "specialist terms",
        "connection pool, TLS handshake",
        "40%",
        "hands them to requests.",
        "written by the model, checked",
        "connection pool · latency",
        "connection pool — Open connections that are reused.",
        "from the article",
        "1. Why pools?",
        "This is a long article",
        "100% of 97 words read",
        "2 of the model's sentences checked, 1 rejected · 1.2 s · test-model",
    ):
        assert part in text, part


def test_labels_are_in_the_language_of_the_person() -> None:
    text = shown(a_record(), "ko")
    assert "난이도" in text
    assert "2.8 중급" in text
    assert "Difficulty" not in text


def test_empty_parts_have_no_heading() -> None:
    text = shown(a_record(digest=a_digest(prerequisites=(), technical_terms=(), keywords=())))
    for heading in ("Good to know first", "Terms", "Keywords", "Questions"):
        assert heading not in text


def test_nothing_of_a_page_is_markup_or_moves_the_cursor() -> None:
    record = a_record(digest=a_digest(keywords=("[red]x[/red]", "a\x1b[2Jb", "c\u202ed")))
    text = shown(record)
    assert "[red]x[/red] · a[2Jb · cd" in text
    assert "\x1b" not in text
