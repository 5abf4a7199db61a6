"""The doctor's single findings, where they need no process of their own."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.command import ROOT
from support.discord_server import DiscordServer, discord_server, pointed_at
from support.openai_server import MODEL, OpenAiServer
from support.slack_faults import HttpError
from support.slack_server import SlackServer, slack_server

from bot.cli.doctor import changed, examine, gpu_names, human_size, report
from bot.configuration import Loaded, load_explained
from bot.findings import Finding
from core.article import Language
from core.engine.prepared import encoder_recipe, expected_encoder, seal
from core.engine.preparing import space_needed
from storage.database import database_url, open_database

NOWHERE = "http://127.0.0.1:9"  # the port for what is thrown away: nobody listens


def loaded(tmp_path: Path, **environ: str) -> Loaded:
    named = {f"SMARTDEVDIGEST_{name}": value for name, value in environ.items()}
    given = {"SMARTDEVDIGEST_DATA_DIR": str(tmp_path / "data"), **named}
    (tmp_path / "empty.env").touch()
    return load_explained(ROOT / "config" / "config.yaml", None, given, tmp_path / "empty.env")


async def finding(name: str, found: Loaded) -> Finding:
    return next(one for one in await examine(found) if one.name == name)


def test_only_changed_settings_are_listed_and_secrets_are_hidden(tmp_path: Path) -> None:
    given = {"HTTP__TOKEN": "s3cret", "DIGEST__TERMS": "3", "DIGEST__KEYWORDS": "8"}
    found = loaded(tmp_path, **given)
    assert changed(found) == [
        f"data_dir = {tmp_path / 'data'} (SMARTDEVDIGEST_DATA_DIR)",
        "digest.terms = 3 (SMARTDEVDIGEST_DIGEST__TERMS)",
        "http.token = *** (SMARTDEVDIGEST_HTTP__TOKEN)",
    ]


def test_a_database_address_with_a_password_is_hidden(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://bot:s3cret@db/digests"
    assert "s3cret" not in " ".join(changed(loaded(tmp_path, DATABASE__URL=url)))


async def test_the_database_has_a_version_once_it_is_there(tmp_path: Path) -> None:
    found = loaded(tmp_path, MODEL__ENGINE="echo")
    assert (await finding("database", found)).key == "database_new"
    async with open_database(database_url(None, tmp_path / "data")):
        pass
    kept = await finding("database", found)
    assert (kept.state, kept.key) == ("ok", "database_fine")
    assert "0006" in kept.said("en")


async def test_a_database_that_cannot_be_opened_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("no database " * 100)
    found = await finding("database", loaded(tmp_path, DATABASE__URL=f"sqlite:///{file}"))
    assert found.state == "bad"
    assert "not a database" in found.said("en")


async def test_a_taken_port_is_noted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = await finding("page", loaded(tmp_path, HTTP__PORT=str(taken.getsockname()[1])))
    assert (found.state, found.key) == ("note", "port_taken")


async def test_a_gpu_engine_without_a_gpu_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await finding("gpu", loaded(tmp_path, MODEL__ENGINE="gptq", MODEL__DEVICE="cuda"))
    assert (found.state, found.key) == ("bad", "gpu_needed")
    assert "--profile embedded" in found.said("ko")


@pytest.mark.parametrize(
    ("engine", "state", "key"),
    [
        ("gptq", "note", "gpu_missed"),  # it works on a processor, too
        ("openai", "ok", "gpu_unneeded"),
        ("echo", "ok", "gpu_unneeded"),
        ("ctranslate2", "ok", "no_gpu"),
    ],
)
async def test_without_a_gpu_it_says_what_that_means_for_the_engine(
    engine: str, state: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    given = {"MODEL__ENGINE": engine, "MODEL__ENDPOINTS": f"{NOWHERE}/v1"}
    found = await finding("gpu", loaded(tmp_path, **given))
    assert (found.state, found.key) == (state, key)


async def test_what_gptq_needs_besides_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "echo 'NVIDIA T4, 15360 MiB'", monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("core.engine.checkpoints.lacking_packages", lambda: ["gptqmodel"])
    told = loaded(tmp_path, MODEL__ENGINE="gptq")
    card, packages, compiler = [one for one in await examine(told) if one.name == "gpu"]
    assert "T4" in card.said("en")
    assert "gptqmodel" in packages.said("ko")
    assert compiler.key == "no_compiler"
    (tmp_path / "nvcc").touch(0o755)
    assert "no_compiler" not in {one.key for one in await examine(told)}


def a_program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


async def test_the_driver_names_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, "echo 'NVIDIA T4, 15360 MiB'; echo 'NVIDIA T4, 15360 MiB'", monkeypatch)
    assert await gpu_names() == ["NVIDIA T4, 15360 MiB"] * 2


async def test_a_driver_that_fails_means_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "echo 'Failed to initialize NVML'; exit 9", monkeypatch)
    assert await gpu_names() == []


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (150_000_000, "150 MB"), (2_340_000_000, "2.3 GB")],
)
def test_sizes_are_read_by_people(size: int, shown: str) -> None:
    assert human_size(size) == shown


@pytest.mark.parametrize(
    ("given", "state", "said"),
    [
        ({}, "note", "SMARTDEVDIGEST_SLACK__BOT_TOKEN"),
        ({"SLACK__BOT_TOKEN": "x"}, "bad", "SMARTDEVDIGEST_SLACK__APP_TOKEN missing"),
        ({"SLACK__BOT_TOKEN": "x", "SLACK__APP_TOKEN": "y"}, "ok", "Socket Mode"),
        ({"SLACK__BOT_TOKEN": "x", "SLACK__MODE": "http"}, "bad", "SIGNING_SECRET missing"),
        ({"DISCORD__TOKEN": "x"}, "ok", "reads links"),
        ({"DISCORD__TOKEN": "x", "DISCORD__MESSAGE_CONTENT": "false"}, "note", "a mention"),
    ],
)
async def test_what_a_chat_still_needs_is_said(
    given: dict[str, str], state: str, said: str, tmp_path: Path
) -> None:
    wanted = "discord" if any("DISCORD" in name for name in given) else "slack"
    away = {"SLACK__API_URL": f"{NOWHERE}/api/", "DISCORD__API_URL": f"{NOWHERE}/api/v10"}
    told = await finding(wanted, loaded(tmp_path, **away, **given))
    assert (told.state, said in told.said("en")) == (state, True), told.said("en")
    assert told.said("ko") != told.said("en")


Said = list[tuple[str, str]]  # how it is, and the sentence


async def said_of(chat: str, found: Loaded, ui: Language) -> Said:
    """What a platform itself says; the first line is what is set."""
    told = [one for one in await examine(found) if one.name == chat][1:]
    return [(str(one.state), one.said(ui)) for one in told]


async def in_slack(
    slack: SlackServer, folder: Path, changes: Mapping[str, str] = {}, ui: Language = "en"
) -> Said:
    given = {
        "SLACK__API_URL": slack.api_url,
        "SLACK__BOT_TOKEN": slack.bot_token,
        "SLACK__APP_TOKEN": slack.app_token,
    }
    return await said_of("slack", loaded(folder, **(given | dict(changes))), ui)


async def test_slack_is_asked_whether_it_takes_the_tokens(tmp_path: Path) -> None:
    async with slack_server() as slack:
        [(state, known)] = await in_slack(slack, tmp_path)
        assert (state, "workspace: t1" in known) == ("ok", True)
        swapped = {"SLACK__BOT_TOKEN": slack.app_token, "SLACK__APP_TOKEN": slack.bot_token}
        both = await in_slack(slack, tmp_path, swapped)
        assert [state for state, _ in both] == ["bad", "bad"]
        assert "SLACK__BOT_TOKEN" in both[0][1]
        assert "SLACK__APP_TOKEN" in both[1][1]
        slack.revoke_token()
        [(state, refused)] = await in_slack(slack, tmp_path)
        assert (state, "token_revoked" in refused) == ("bad", True)


async def test_an_app_that_was_installed_before_it_needed_a_scope_is_said_so(
    tmp_path: Path,
) -> None:
    async with slack_server() as slack:
        slack.team.scopes -= {"reactions:read", "users:read"}
        known, lacking = await in_slack(slack, tmp_path, ui="ko")
        assert known[0] == "ok"
        assert lacking[0] == "bad"
        assert "reactions:read, users:read" in lacking[1]
        assert "다시 설치" in lacking[1]


async def test_a_slack_that_does_not_answer_is_told_by_its_address(tmp_path: Path) -> None:
    async with slack_server() as slack:
        slack.fail_next("auth.test", with_=HttpError(502))
        [(state, away)] = await in_slack(slack, tmp_path)
        assert (state, slack.api_url in away) == ("bad", True)
        assert not slack.calls("apps.connections.open")  # one sentence is enough


async def in_discord(
    server: DiscordServer, folder: Path, changes: Mapping[str, str] = {}, ui: Language = "en"
) -> Said:
    given = {"DISCORD__API_URL": server.api_url, "DISCORD__TOKEN": server.token}
    with pointed_at(server):
        return await said_of("discord", loaded(folder, **(given | dict(changes))), ui)


async def test_discord_is_asked_whether_it_takes_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    async with discord_server() as server:
        [(state, known)] = await in_discord(server, tmp_path)
        assert state == "ok"
        assert server.bot.name in known
        invitation = "https://discord.com/oauth2/authorize?client_id="
        assert f"{invitation}{server.world.application_id}" in known
        assert not caplog.messages
        [(state, refused)] = await in_discord(server, tmp_path, {"DISCORD__TOKEN": "taken back"})
        assert (state, "SMARTDEVDIGEST_DISCORD__TOKEN" in refused) == ("bad", True)
        assert not server.gateway.identifies  # of which there are a thousand a day


async def test_an_intent_that_is_not_granted_is_said_so_where_it_is_wanted(
    tmp_path: Path,
) -> None:
    async with discord_server() as server:
        server.without_message_content()
        known, lacking = await in_discord(server, tmp_path)
        assert known[0] == "ok"
        assert lacking[0] == "bad"
        assert "DISCORD__MESSAGE_CONTENT=false" in lacking[1]
        without = await in_discord(server, tmp_path, {"DISCORD__MESSAGE_CONTENT": "false"})
        assert [state for state, _ in without] == ["ok"]


async def test_a_discord_that_does_not_answer_is_told_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discord.examining._PATIENCE", 0.3)
    async with discord_server() as server:
        server.rest.down = True
        [(state, away)] = await in_discord(server, tmp_path, ui="ko")
        assert (state, server.api_url in away) == ("bad", True)
        assert "네트워크를 확인" in away


def test_a_long_address_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    address = "https://discord.example/authorize?" + "x" * 200
    report([Finding("ok", "discord", text=f"invite it by {address}")], "en")
    assert address in "".join(capsys.readouterr().out.split())


async def test_it_measures_the_machine_and_proposes_a_profile(tmp_path: Path) -> None:
    measured, proposed = [
        one
        for one in await examine(loaded(tmp_path, MODEL__ENGINE="echo"))
        if one.name == "machine"
    ]
    assert "RAM" in measured.said("en")
    assert proposed.key.startswith("fits_")
    assert proposed.said("ko") != proposed.said("en")


@pytest.mark.parametrize("engine", ["openai", "gptq"])
async def test_where_another_engine_writes_the_encoder_is_told_by_itself(
    engine: str, tmp_path: Path
) -> None:
    given = {"MODEL__ENGINE": engine, "MODEL__ENDPOINTS": f"{NOWHERE}/v1"}
    told = loaded(tmp_path, **given)
    unprepared = await finding("encoder", told)
    assert (unprepared.state, unprepared.key) == ("note", "encoder_unprepared")
    place = expected_encoder(tmp_path / "data")
    place.encoder.mkdir(parents=True)
    (place.encoder / "model.bin").write_bytes(b"x" * 24_000_000)
    seal(place.folder, encoder_recipe())
    prepared = await finding("encoder", told)
    assert (prepared.state, prepared.key) == ("ok", "encoder_prepared")
    assert "24 MB" in prepared.said("ko")


@pytest.mark.parametrize("engine", ["ctranslate2", "echo"])
async def test_an_encoder_that_is_part_of_the_model_or_not_used_is_not_told(
    engine: str, tmp_path: Path
) -> None:
    findings = await examine(loaded(tmp_path, MODEL__ENGINE=engine))
    assert "encoder" not in {one.name for one in findings}


async def test_the_disk_must_have_what_is_still_to_be_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 MB are enough for the encoder alone and not for both models."""
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=300_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    servers = {"MODEL__ENGINE": "openai", "MODEL__ENDPOINTS": f"{NOWHERE}/v1"}
    assert (await finding("disk", loaded(tmp_path, **servers))).state == "ok"
    both = await finding("disk", loaded(tmp_path))
    assert (both.state, both.key) == ("bad", "little_disk")
    assert f"needs {human_size(space_needed(tmp_path, None))}" in both.said("en")
    assert (await finding("disk", loaded(tmp_path, MODEL__ENGINE="echo"))).state == "ok"


async def test_servers_are_asked_whether_they_answer(tmp_path: Path) -> None:
    server = await OpenAiServer().start()
    try:
        both = f"{server.address},http://127.0.0.1:9/v1"
        told = loaded(tmp_path, MODEL__ENGINE="openai", MODEL__ENDPOINTS=both)
        found = [one for one in await examine(told) if one.name == "servers"]
    finally:
        await server.stop()
    assert [one.state for one in found] == ["ok", "bad"]
    assert MODEL in found[0].said("en")


@pytest.mark.parametrize(
    ("folder", "key"),
    [(None, "model_unnamed"), ("someone/a-model", "model_hub"), ("/nowhere/at/all", "no_folder")],
)
async def test_a_gptq_checkpoint_is_looked_for(
    folder: str | None, key: str, tmp_path: Path
) -> None:
    given = {} if folder is None else {"MODEL__FOLDER": folder}
    assert (await finding("model", loaded(tmp_path, MODEL__ENGINE="gptq", **given))).key == key
