"""The manifest asks for exactly what the code calls and listens to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from support.slack_api import SCOPES as SERVER_SCOPES
from support.slack_bot import build_bot
from support.slack_server import SlackServer

from bot.slack import naming, permissions

ROOT = Path(__file__).parents[2]
READS = {"read": "{}:read", "history": "{}:history"}
KINDS = ("channels", "groups", "im", "mpim")


def manifest() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "config/slack-manifest.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def called_methods() -> Iterator[str]:
    """Every string in the adapter's code that is given to the Web API as a method's name."""
    for file in (ROOT / "bot/slack").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in ("read", "write", "_read", "_write", "_ask"):
                constants = [one for one in node.args if isinstance(one, ast.Constant)]
                yield from (str(one.value) for one in constants if "." in str(one.value))


def test_the_scopes_are_those_of_the_code() -> None:
    assert tuple(manifest()["oauth_config"]["scopes"]["bot"]) == permissions.SCOPES


def test_every_method_called_is_named_and_every_name_is_called() -> None:
    assert set(called_methods()) == set(permissions.METHODS)


def test_the_scopes_of_methods_are_slacks() -> None:
    for method, scopes in permissions.METHODS.items():
        if method == "apps.connections.open":
            continue  # with the app's own token
        wanted = SERVER_SCOPES[method]
        family = READS.get(wanted)
        expected = {family.format(kind) for kind in KINDS} if family else {wanted} - {""}
        assert set(scopes) == expected, method


def test_the_events_are_those_that_have_a_handler() -> None:
    subscribed = manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert subscribed == sorted(permissions.EVENTS)
    kinds = {name.partition(".")[0] for name in subscribed}
    assert kinds == set(build_bot(SlackServer()).surface.listener.events.handlers)


def test_commands_and_shortcuts_are_those_that_have_a_listener() -> None:
    features = manifest()["features"]
    assert [one["command"] for one in features["slash_commands"]] == list(permissions.COMMANDS)
    shortcuts = {one["callback_id"]: one["type"] for one in features["shortcuts"]}
    assert shortcuts == {naming.DIGEST_THIS: "message", naming.HELP: "global"}


def test_the_address_for_options_is_named_where_slack_comes_by_http() -> None:
    text = (ROOT / "config/slack-manifest.yaml").read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert any("message_menu_options_url" in line for line in comments)


def test_names_are_within_slacks_limits() -> None:
    found = manifest()
    assert len(found["display_information"]["name"]) <= 35
    assert len(found["display_information"]["description"]) <= 140
    for shortcut in found["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


def test_only_the_settings_know_where_slack_is() -> None:
    for file in (ROOT / "bot").rglob("*.py"):
        assert "slack.com" not in file.read_text(encoding="utf-8"), file
    for file in (ROOT / "core").rglob("*.py"):
        known = "slack.com" in file.read_text(encoding="utf-8")
        assert known == (file.name == "settings.py"), file
