"""Whose language the command line speaks, and how its log reads."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from bot.cli.speaking import language_of
from bot.logs import set_up_logging
from core.settings import LogSettings


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko"}, "ko"),
        ({"LANG": "ko_KR", "LC_ALL": ""}, "ko"),
        ({"LANG": "kok_IN"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_first_locale_that_is_set_decides(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logging_as_before")
def test_a_log_line_is_one_json_object_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(LogSettings(json_lines=True))
    logging.getLogger("bot.test").warning("the page %s was thin", "한글")
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("bot.test").exception("a surprise")
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = map(json.loads, captured.err.splitlines())
    assert (first["event"], first["level"]) == ("the page 한글 was thin", "warning")
    assert "ValueError: inside" in second["exception"]


@pytest.mark.usefixtures("_logging_as_before")
def test_libraries_that_tell_every_request_are_quiet_unless_debugging(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(LogSettings(level="info"))
    logging.getLogger("httpx").info("GET …")
    logging.getLogger("core.web").info("kept")
    assert "GET" not in (shown := capsys.readouterr().err)
    assert "kept" in shown
