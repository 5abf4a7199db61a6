"""`doctor`: what is configured and from where, what is there, and what to fix.

Looks and changes nothing: no database is made, no model prepared, no secret shown.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from pathlib import Path

import httpx
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import replies
from bot.configuration import Loaded, dotted, leaves, variable
from bot.findings import Finding, State, found
from bot.http.security import check_exposure
from bot.machine import measure, propose
from bot.wiring import ModelState, data_dir, database_state, encoder_state, model_state
from core.article import Language
from core.engine.openai_wire import base_address, served_models
from core.errors import SettingsError
from core.settings import DiscordSettings, HttpSettings, Settings, SlackSettings

MARKS: dict[State, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "note": ("·", "yellow"),
    "bad": ("✗", "red"),
}


async def examine(loaded: Loaded) -> list[Finding]:
    settings = loaded.settings
    folder = data_dir(settings)
    findings = [*_settings(loaded), _writable(folder)]
    model = await asyncio.to_thread(model_state, settings.model, folder)
    encoder = await asyncio.to_thread(encoder_state, settings.model, folder)
    findings += [_disk(folder, model.needed + encoder.needed), _model(settings, model)]
    findings += _encoder(encoder)
    findings += await _gpu(settings)
    findings += await asyncio.to_thread(_machine)
    if settings.model.engine == "openai":
        findings += await _servers(settings)
    findings += _secrets(settings)
    findings.append(await _database(settings, folder))
    findings += [_slack(settings.slack), *await _slack_says(settings.slack)]
    findings += [_discord(settings.discord), *await _discord_says(settings.discord)]
    findings += _page(settings)
    return findings


def report(findings: list[Finding], ui: Language) -> None:
    table = Table.grid(padding=(0, 1))
    for _ in ("mark", "name"):
        table.add_column()
    table.add_column(overflow="fold")  # an address is copied whole or not at all
    previous = ""
    for finding in findings:
        mark, colour = MARKS[finding.state]
        name = replies.say(f"doctor.{finding.name}", ui) if finding.name != previous else ""
        previous = finding.name
        table.add_row(Text(mark, style=colour), Text(name), Text(replies.plain(finding.said(ui))))
    Console(highlight=False).print(table)


def _settings(loaded: Loaded) -> list[Finding]:
    files = ", ".join(str(file) for file in loaded.files)
    first = (
        found("ok", "settings", "from", profile=loaded.profile, files=files)
        if files
        else found("ok", "settings", "built_in")
    )
    return [first, *(Finding("ok", "settings", text=line) for line in changed(loaded))]


def changed(loaded: Loaded) -> list[str]:
    """The settings that differ from the code's defaults, with the place that said so."""
    lines = []
    for key, _ in leaves():
        value, default = _value(loaded.settings, key), _value(Settings(), key)
        if value != default:
            shown = "***" if _is_secret(key, value) else value
            lines.append(f"{dotted(key)} = {shown} ({loaded.said_by.get(key, '?')})")
    return lines


def _value(settings: Settings, key: tuple[str, ...]) -> object:
    value: object = settings
    for part in key:
        value = getattr(value, part)
    return value


def _is_secret(key: tuple[str, ...], value: object) -> bool:
    return isinstance(value, SecretStr) or (key == ("database", "url") and "@" in str(value))


def _writable(folder: Path) -> Finding:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        cause = error.strerror or str(error)
        return found("bad", "data", "not_writable", path=folder, cause=cause)
    return Finding("ok", "data", text=str(folder))


def _disk(folder: Path, needed: int) -> Finding:
    """`needed`: bytes that preparing will ask for; 0 where all is prepared."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        return found("bad", "disk", "little_disk", free=human_size(free), needed=human_size(needed))
    return found("ok", "disk", "enough_disk", free=human_size(free))


def _model(settings: Settings, state: ModelState) -> Finding:
    engine = settings.model.engine
    if state.kind == "none":
        return found("note", "model", "no_model", engine=engine)
    if state.kind == "served":
        return found("ok", "model", "model_served", count=len(settings.model.endpoints))
    if state.kind == "hub":
        return found("note", "model", "model_hub", name=settings.model.folder)
    if state.kind == "missing" and engine == "gptq" and settings.model.folder is None:
        return found("bad", "model", "model_unnamed", name=variable(("model", "folder")))
    if state.kind == "prepared":
        return found("ok", "model", "prepared", engine=engine, size=human_size(state.size))
    if settings.model.folder is not None:
        return found("bad", "model", "no_folder", path=settings.model.folder)
    return found("note", "model", "unprepared", engine=engine)


def _encoder(state: ModelState) -> list[Finding]:
    """The one that is prepared alone: search and the check of claims compare by it."""
    if state.kind == "none":
        return []
    if state.kind == "prepared":
        return [found("ok", "encoder", "encoder_prepared", size=human_size(state.size))]
    return [found("note", "encoder", "encoder_unprepared")]


async def _gpu(settings: Settings) -> list[Finding]:
    names, engine = await gpu_names(), settings.model.engine
    if names:
        findings = [Finding("ok", "gpu", text=", ".join(names))]
    elif engine == "gptq" and settings.model.device == "cuda":
        findings = [found("bad", "gpu", "gpu_needed", engine=engine)]
    elif engine == "gptq":
        findings = [found("note", "gpu", "gpu_missed", engine=engine)]
    elif engine == "ctranslate2":
        findings = [found("ok", "gpu", "no_gpu")]
    else:
        findings = [found("ok", "gpu", "gpu_unneeded")]
    return [*findings, *_gptq(bool(names))] if engine == "gptq" else findings


def _gptq(on_a_card: bool) -> list[Finding]:
    """What the engine needs besides its checkpoint."""
    from core.engine.checkpoints import lacking_packages

    findings = []
    if lacking := lacking_packages():
        findings.append(found("note", "gpu", "packages_lack", names=", ".join(lacking)))
    if on_a_card and shutil.which("nvcc") is None:
        findings.append(found("note", "gpu", "no_compiler"))
    return findings


def _machine() -> list[Finding]:
    """What there is, and what would fit it."""
    here = measure()
    vectors = f", {here.vectors}" if here.vectors else ""
    what = f"{human_size(here.memory)} RAM, {here.cores} × CPU{vectors}"
    fits = propose(here)
    values = {
        "profile": fits.profile,
        "size": f"{fits.parameters:g}",
        "memory": human_size(fits.memory),
        "weights": human_size(fits.weights),
        "gpus": fits.gpus,
    }
    state: State = "bad" if fits.profile == "none" else "ok"
    return [
        Finding("ok", "machine", text=what),
        found(state, "machine", f"fits_{fits.profile}", **values),
    ]


async def _servers(settings: Settings) -> list[Finding]:
    """Whether each server answers; nothing of an article is sent."""
    key = settings.model.api_key
    headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
    findings = []
    async with httpx.AsyncClient(headers=headers, timeout=5.0, trust_env=False) as client:
        for url in settings.model.endpoints:
            address = base_address(url)
            try:
                answer = (await client.get(f"{address}/models")).raise_for_status()
                named = ", ".join(served_models(answer.json())) or "?"
            except (httpx.HTTPError, ValueError) as error:
                cause = str(error) or type(error).__name__
                findings.append(found("bad", "servers", "server_silent", url=address, cause=cause))
            else:
                findings.append(found("ok", "servers", "server_well", url=address, models=named))
    return findings


async def gpu_names(program: str = "nvidia-smi") -> list[str]:
    """The driver's own tool is asked: torch would take seconds to say the same."""
    path = shutil.which(program)
    if path is None:
        return []
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "--query-gpu=name,memory.total",
            "--format=csv,noheader",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return []
    try:
        async with asyncio.timeout(10):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return []
    lines = output.decode("utf-8", "replace").splitlines() if process.returncode == 0 else []
    return [line.strip() for line in lines if line.strip()]


def _secrets(settings: Settings) -> list[Finding]:
    """Which are set; never what they are."""
    findings = []
    for key, _ in leaves():
        value = _value(settings, key)
        if isinstance(value, SecretStr):
            findings.append(found("ok", "secrets", "secret_set", name=variable(key)))
        elif key == ("http", "token"):
            findings.append(found("ok", "secrets", "secret_unset", name=variable(key)))
    return findings


def _slack(slack: SlackSettings) -> Finding:
    """What is set; whether Slack takes it is asked next."""
    if slack.bot_token is None and slack.client_id is None:
        return found("note", "slack", "slack_unset")
    needed = {
        "app_token": slack.mode == "socket" and slack.app_token is None,
        "signing_secret": slack.mode == "http" and slack.signing_secret is None,
        "client_secret": slack.client_id is not None and slack.client_secret is None,
    }
    lacking = [variable(("slack", name)) for name, lacks in needed.items() if lacks]
    if lacking:
        return found("bad", "slack", "slack_lacks", names=", ".join(lacking))
    return found("ok", "slack", f"slack_{slack.mode}")


async def _slack_says(slack: SlackSettings) -> list[Finding]:
    if slack.bot_token is None and slack.app_token is None:
        return []  # the library takes a second to load
    from bot.slack.examining import examine

    return await examine(slack)


def _discord(discord: DiscordSettings) -> Finding:
    if discord.token is None:
        return found("note", "discord", "discord_unset")
    seen = "discord_all" if discord.message_content else "discord_asked"
    return found("ok" if discord.message_content else "note", "discord", seen)


async def _discord_says(discord: DiscordSettings) -> list[Finding]:
    if discord.token is None:
        return []
    from bot.discord.examining import examine

    return await examine(discord)


async def _database(settings: Settings, folder: Path) -> Finding:
    try:
        url, version = await database_state(settings.database.url, folder)
    except SettingsError as error:
        return Finding("bad", "database", text=" ".join(error.problems))
    if version is None or version.current is None:
        return found("ok", "database", "database_new", url=url)
    key = "database_fine" if version.current == version.newest else "database_old"
    values = {"current": version.current, "newest": version.newest}
    return found("ok", "database", key, url=url, **values)


def _page(settings: Settings) -> list[Finding]:
    http = settings.http
    try:
        check_exposure(settings)
    except SettingsError as error:
        return [Finding("bad", "page", text=line) for line in error.problems]
    address = f"{http.host}:{http.port}"
    if _is_free(http):
        return [found("ok", "page", "port_free", address=address)]
    return [found("note", "page", "port_taken", address=address)]


def _is_free(http: HttpSettings) -> bool:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family) as trying:
        if os.name == "posix":
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((http.host, http.port))
        except OSError:
            return False
    return True


def human_size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
