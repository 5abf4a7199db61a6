"""The files of deployment: no engine runs them here, so every reference in them is followed."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.configuration import STEERING, leaves, profiles, variable
from bot.figures import Figures
from bot.http.metrics import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config" / "deploy"
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "config/deploy/Dockerfile.cuda"]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
_VARIABLE = re.compile(r"SMARTDEVDIGEST_[A-Z_]+[A-Z]")


def instructions(file: Path) -> list[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", file.read_text(encoding="utf-8"), flags=re.M)
    lines = text.replace("\\\n", " ").splitlines()
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word
    ]


def documents() -> Iterator[dict[str, Any]]:
    for file in MANIFESTS:
        yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def everything(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping inside a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from everything(one)


def test_there_is_something_to_check() -> None:
    assert len(MANIFESTS) == 3
    assert {"bot", "database", "vllm", "prometheus", "grafana"} == set(COMPOSE["services"])


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda file: file.name)
def test_every_yaml_file_parses(file: Path) -> None:
    assert all(list(yaml.safe_load_all(file.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "file",
    [
        *DOCKERFILES,
        ROOT / "compose.yaml",
        *MANIFESTS,
        *DEPLOY.glob("*.service"),
        *DEPLOY.glob("*.md"),
    ],
)
def test_every_setting_named_is_one(file: Path) -> None:
    known = {variable(key) for key, _ in leaves()} | STEERING
    named = set(_VARIABLE.findall(file.read_text(encoding="utf-8")))
    assert named <= known, named - known


# --- Dockerfiles, by hadolint's main rules


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_images_are_pinned_and_run_as_nobody_special(file: Path) -> None:
    steps = instructions(file)
    bases = [rest.split()[0] for word, rest in steps if word == "FROM"]
    assert all(":" in base and not base.endswith(":latest") for base in bases)  # DL3006, DL3007
    users = [rest for word, rest in steps if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")  # DL3002
    last = max(number for number, (word, _) in enumerate(steps) if word == "FROM")
    words = [word for word, _ in steps[last:]]
    assert words.count("ENTRYPOINT") == words.count("CMD") == words.count("HEALTHCHECK") == 1
    for word in ("ENTRYPOINT", "CMD"):  # DL3025: JSON, so that signals arrive
        assert json.loads(next(rest for one, rest in steps if one == word))


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_packages_are_installed_without_leaving_anything(file: Path) -> None:
    for word, rest in instructions(file):
        assert word in {
            "FROM", "ENV", "WORKDIR", "RUN", "COPY", "LABEL", "USER", "VOLUME", "EXPOSE",
            "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD",
        }  # fmt: skip
        if word == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest  # DL3015
            assert "--yes" in rest  # DL3014
            assert "rm -rf /var/lib/apt/lists/*" in rest  # DL3009
        if word == "RUN":
            assert "sudo" not in rest  # DL3004
            assert not re.search(r"\bcd /", rest)  # DL3003
        if word == "WORKDIR":
            assert rest.startswith("/")  # DL3000


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_what_is_copied_is_there_and_not_ignored(file: Path) -> None:
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = 0
    for word, rest in instructions(file):
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _target = rest.split()
            assert all((ROOT / source).exists() for source in sources)
            assert set(sources) <= let_in
            copied += len(sources)
    assert copied >= 8


# --- compose.yaml


def test_every_reference_of_compose_leads_somewhere() -> None:
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], (name, source)
            if source.startswith("./config"):
                assert (ROOT / source).exists()
        for config in service.get("configs", ()):
            assert (ROOT / COMPOSE["configs"][config["source"]]["file"]).is_file()
        assert set(service.get("secrets", ())) <= set(COMPOSE.get("secrets", {}))
        for needed in service.get("depends_on", ()):
            other = COMPOSE["services"][needed]
            wanted = service["depends_on"]
            if not (isinstance(wanted, dict) and wanted[needed].get("required") is False):
                # A service of a profile would otherwise not be started with the one that needs it.
                assert set(other.get("profiles", ())) <= set(service.get("profiles", ()))
            if isinstance(wanted, dict) and wanted[needed]["condition"] == "service_healthy":
                assert "healthcheck" in other
        assert ("build" in service) or re.search(r":v?\d", service["image"])


def test_nothing_is_open_to_the_network_by_default() -> None:
    ports = [p for service in COMPOSE["services"].values() for p in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_profile_of_the_containers_is_one() -> None:
    chosen = COMPOSE["services"]["bot"]["environment"]["SMARTDEVDIGEST_PROFILE"]
    assert chosen.rpartition(":-")[2].rstrip("}") in profiles(ROOT / "config" / "profiles")
    cuda = dict(
        re.findall(
            r"(\w+)=(\S+)", (ROOT / "config/deploy/Dockerfile.cuda").read_text(encoding="utf-8")
        )
    )
    assert cuda["SMARTDEVDIGEST_PROFILE"] in profiles(ROOT / "config" / "profiles")


# --- Kubernetes


def test_selectors_claims_and_ports_fit_together() -> None:
    found = list(documents())
    claims = {one["metadata"]["name"] for one in found if one["kind"] == "PersistentVolumeClaim"}
    maps = {one["metadata"]["name"] for one in found if one["kind"] == "ConfigMap"}
    pods = [one["spec"]["template"] for one in found if "template" in one.get("spec", {})]
    assert len(pods) == 3
    for one in found:
        selector = one.get("spec", {}).get("selector", {})
        wanted = selector.get("matchLabels", selector)
        if wanted:
            labels = [pod["metadata"]["labels"] for pod in pods]
            assert any(wanted.items() <= label.items() for label in labels), one["metadata"]
    for pod in pods:
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in pod["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            ports = {port["name"] for port in container.get("ports", ())}
            for probe in everything(container):
                if "httpGet" in probe:
                    assert probe["httpGet"]["port"] in ports
            assert "livenessProbe" in container
            assert "memory" in container["resources"]["limits"]
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert re.search(r":v?\d", container["image"])
    for mapping in everything(found):
        if "claimName" in mapping:
            assert mapping["claimName"] in claims
        if "configMapRef" in mapping:
            assert mapping["configMapRef"]["name"] in maps


# --- systemd and what is watched


def test_the_unit_has_its_sections_and_stops_as_the_bot_does() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "smartdevdigest.service", encoding="utf-8")
    assert unit.sections() == ["Unit", "Service", "Install"]
    assert unit["Service"]["ExecStart"].endswith("smartdevdigest run")
    assert int(unit["Service"]["TimeoutStopSec"]) > 10
    # wrong tokens are not tried for ever (tests/acceptance/test_chats_whole.py has the status)
    assert unit["Service"]["RestartPreventExitStatus"] == "2"


def test_dashboard_and_alerts_ask_for_figures_that_there_are() -> None:
    exported = set()
    for family in Metrics(Figures()).registry.collect():
        kinds = ("", "_total", "_bucket", "_count", "_sum")
        exported |= {family.name + kind for kind in kinds}
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    asked = [one["expr"] for one in everything([dashboard, alerts]) if "expr" in one]
    named = {name for expr in asked for name in re.findall(r"smartdevdigest_\w+", expr)}
    assert len(asked) > 20
    assert named <= exported, named - exported
