"""Whether a model may go into service: not below the floors, not below the model that is there.

    python -m training promote --report runs/reports/scitldr [--report …] --in-service runs/in-service

Floors are in config/training/floors.json, by task and file: figures that must be reached, and
baselines of the same report that must be beaten. Lowering one is a decision with a commit of its
own. A model that passes leaves its reports in the in-service folder, for the next to be
compared with; one that does not leaves nothing and exits with 1.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import SettingsError
from training.evaluating.report import headline

FLOORS = Path("config/training/floors.json")


def main(
    report: Annotated[list[Path], typer.Option(help="A report's folder; may be given again")],
    in_service: Annotated[
        Path, typer.Option(help="Reports of the model in service, one folder each")
    ] = Path("runs/in-service"),
    floors: Annotated[Path, typer.Option(help="The floors")] = FLOORS,
) -> None:
    """Whether a model's reports allow it into service."""
    least = read_json(floors)
    found = {folder: read_json(folder / "report.json") for folder in report}
    against = [reason for one in found.values() for reason in objections(one, least, in_service)]
    for reason in against:
        typer.echo(reason)
    if against:
        typer.echo("Not promoted.")
        raise typer.Exit(1)
    for folder, one in found.items():
        keep(folder, in_service / place_of(one))
    typer.echo(f"Promoted: {len(found)} reports are at or above floors and service.")


def read_json(path: Path) -> dict[str, Any]:
    """Raises SettingsError for a file that cannot be read."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError([f"{path}: cannot be read as JSON ({error})"]) from error
    if not isinstance(read, dict):
        raise SettingsError([f"{path}: must hold an object"])
    return read


def place_of(report: Mapping[str, Any]) -> str:
    """The report's folder among those in service: its task and file."""
    name = str(report["about"]["file"]).removesuffix(".gz").removesuffix(".jsonl")
    return f"{report['task']}-{name.replace('/', '-')}"


def objections(
    report: Mapping[str, Any], floors: Mapping[str, Any], in_service: Path
) -> Iterator[str]:
    """A sentence for each floor that is missed, and for a model in service that is better."""
    try:
        task, about, systems = report["task"], report["about"], report["systems"]
        ours = systems["ours"]
    except (KeyError, TypeError) as error:
        raise SettingsError(
            [f"a report without {error}: make it with the evaluate step"]
        ) from error
    name = str(about["file"]).removesuffix(".gz").removesuffix(".jsonl")
    where = f"{task} on {name}"
    if ours.get("without a prediction"):
        yield f"{where}: {ours['without a prediction']} rows have no prediction."
    least = floors.get(task, {}).get(name, {})
    for figure, floor in least.get("at least", {}).items():
        value = figure_of(ours, figure)
        if value is None or value < floor:
            yield f"{where}: {figure} is {_said(value)}, the floor is {floor:.3f}."
    figure, value = headline(task, _without_null(ours))
    for baseline in least.get("above", ()):
        other = figure_of(systems.get(baseline, {}), figure)
        if other is not None and not value > other:
            yield f"{where}: {figure} is {_said(value)}, not above {baseline} ({other:.3f})."
    yield from _against_service(report, in_service / place_of(report), where)


def _against_service(report: Mapping[str, Any], folder: Path, where: str) -> Iterator[str]:
    if not (folder / "report.json").is_file():
        return
    before = read_json(folder / "report.json")
    same = all(before["about"].get(k) == report["about"].get(k) for k in ("sha256", "limit"))
    if not same:
        yield f"{where}: the model in service was measured on other rows; measure it on these."
        return
    figure, now = headline(report["task"], _without_null(report["systems"]["ours"]))
    _, then = headline(report["task"], _without_null(before["systems"]["ours"]))
    if not now >= then:
        yield f"{where}: {figure} is {_said(now)}, the model in service has {_said(then)}."


def figure_of(system: Mapping[str, Any], name: str) -> float | None:
    """A figure of a report's system by its name, wherever it stands."""
    found = system.get("figures", {}).get(name)
    value = found["mean"] if found is not None else system.get("whole", {}).get(name)
    return None if value is None else float(value)


def _without_null(system: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's null is a figure that was not defined."""
    figures = {k: v for k, v in system.get("figures", {}).items() if v["mean"] is not None}
    whole = {k: v for k, v in system.get("whole", {}).items() if v is not None}
    return {"figures": figures, "whole": whole}


def _said(value: float | None) -> str:
    return "missing" if value is None else f"{value:.3f}"


def keep(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(folder / "report.json", target / "report.json")
    shutil.copy2(folder / "report.md", target / "report.md")
