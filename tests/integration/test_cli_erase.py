"""`smartdevdigest erase` as people run it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slack_sdk.oauth.installation_store import Installation
from support.builders import a_shared_link
from support.command import Command

from core.places import Delivery
from storage.database import database_url, open_database
from storage.deliveries import SqlDeliveries
from storage.installations import open_installations

pytestmark = pytest.mark.slow
SLACK = ("erase", "--platform", "slack", "--workspace", "T1")


@pytest.fixture
async def delivery(tmp_path: Path) -> Delivery:
    async with open_database(database_url(None, tmp_path / "data")) as engine:
        return (await SqlDeliveries(engine).accept(a_shared_link()))[0]


async def is_kept(tmp_path: Path, delivery: Delivery) -> bool:
    async with open_database(database_url(None, tmp_path / "data")) as engine:
        return await SqlDeliveries(engine).get(delivery.id) is not None


@pytest.mark.parametrize("whose", [(), ("--channel", "C1"), ("--user", "U1")], ids=str)
async def test_what_was_agreed_to_is_deleted_and_counted(
    command: Command, tmp_path: Path, delivery: Delivery, whose: tuple[str, ...]
) -> None:
    ended = await command(*SLACK, *whose, stdin="y\n")
    assert ended.code == 0, ended.err
    assert ended.out.count("  deliveries: 1\n") == 2  # before and after
    assert "cannot be undone" in ended.out + ended.err
    assert not await is_kept(tmp_path, delivery)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
async def test_without_consent_nothing_is_deleted(
    command: Command, tmp_path: Path, delivery: Delivery, answer: str
) -> None:
    ended = await command(*SLACK, stdin=answer)
    assert ended.code == 1
    assert await is_kept(tmp_path, delivery)


async def test_yes_asks_nothing_and_speaks_korean(command: Command, delivery: Delivery) -> None:
    ended = await command("--ui", "ko", *SLACK, "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert "slack / T1의 기록을 지웠습니다" in ended.out


async def test_nothing_found_is_one_clear_sentence(
    command: Command, tmp_path: Path, delivery: Delivery
) -> None:
    ended = await command(*SLACK, "--user", "u1", "--yes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Nothing is kept of slack / T1 / u1; please check the ids")
    assert await is_kept(tmp_path, delivery)


@pytest.mark.parametrize(
    "args",
    [
        ("erase",),
        ("erase", "--platform", "slack"),
        ("erase", "--platform", "teams", "--workspace", "T1"),
        ("erase", "--platform", "slack", "--workspace", ""),
        (*SLACK, "--channel", "C1", "--user", "U1"),
    ],
    ids=str,
)
async def test_wrong_usage_deletes_nothing(
    command: Command, tmp_path: Path, delivery: Delivery, args: tuple[str, ...]
) -> None:
    ended = await command(*args, "--yes")
    assert ended.code == 2, ended
    assert await is_kept(tmp_path, delivery)


async def test_help_shows_an_example(command: Command) -> None:
    assert "smartdevdigest erase --platform slack" in (await command("erase", "--help")).out


async def test_a_workspace_s_token_goes_with_it_and_no_other_s(
    command: Command, tmp_path: Path, delivery: Delivery
) -> None:
    url = database_url(None, tmp_path / "data")
    async with open_database(url) as database:
        installations, _ = await open_installations(database, "1.2")
        for team in ("T1", "T2"):
            await installations.async_save(_installation(team))
    assert (await command(*SLACK, "--yes")).code == 0
    async with open_database(url) as database:
        installations, _ = await open_installations(database, "1.2")
        assert await installations.async_find_bot(enterprise_id=None, team_id="T1") is None
        kept = await installations.async_find_bot(enterprise_id=None, team_id="T2")
        assert kept is not None
        assert kept.bot_token == _installation("T2").bot_token


def _installation(team: str) -> Installation:
    return Installation(
        app_id="A1",
        team_id=team,
        user_id="U9",
        bot_id="B1",
        bot_user_id="UB",
        bot_scopes="chat:write",
        bot_token=f"xoxb-{team}",
    )
