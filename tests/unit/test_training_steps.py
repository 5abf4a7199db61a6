"""Every step takes the options with which its own page and the README call it."""

from __future__ import annotations

import contextlib
import re
from importlib import import_module
from pathlib import Path

import pytest

from training.__main__ import STEPS, _module, run

_CALL = re.compile(r"python -m training ([a-z0-9-]+)([^\n`]*(?:\\\n[^\n`]*)*)")
_OPTION = re.compile(r"--[a-z][a-z-]*")


def documented(step: str) -> set[str]:
    pages = [
        Path("training/README.md").read_text("utf-8"),
        Path("README.md").read_text("utf-8"),
        import_module(_module(step)).__doc__ or "",
    ]
    calls = (found for page in pages for found in _CALL.finditer(page))
    return {name for call in calls if call[1] == step for name in _OPTION.findall(call[2])}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_knows_the_options_it_is_documented_with(
    step: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    with contextlib.suppress(SystemExit):  # as argparse ends
        assert run(step, ["--help"]) == 0
    told = capsys.readouterr().out
    assert f"python -m training {step}" in told
    assert documented(step) <= set(_OPTION.findall(told))
