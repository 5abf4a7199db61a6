"""report.md, report.json and pictures: ours and the baselines in one table, and why these figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training import reporting
from training.evaluating.items import TaskName
from training.evaluating.measures import MEASURES, Scored
from training.evaluating.scores import mean_interval

# More sites than this are one table nobody reads (every blog is a site).
_SITES = 12


@dataclass
class Column:
    """One system, ours or a baseline, with its rows; `seconds` of a prediction where measured."""

    name: str
    rows: list[Scored] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0


def summarised(task: TaskName, column: Column) -> dict[str, Any]:
    """All figures of a column: means with intervals, figures of the whole, by site."""
    rows = column.rows
    found: dict[str, Any] = {"rows": len(rows), "without a prediction": column.failed}
    if column.seconds:
        ordered = sorted(column.seconds)
        found["seconds"] = {
            "mean": float(np.mean(ordered)),
            "median": ordered[len(ordered) // 2],
            "95%": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        }
    if not rows:
        return found
    found["figures"] = _means(rows)
    found["whole"] = MEASURES[task].whole(rows)
    sites = _by_site(rows)
    if len(sites) > 1:
        found["sites"] = {
            site: {"rows": len(own), "figures": _plain(_means(own))} for site, own in sites.items()
        }
    return found


def _names(rows: Sequence[Scored]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.figures))


def _means(rows: Sequence[Scored]) -> dict[str, dict[str, float]]:
    return {
        name: mean_interval([row.figures[name] for row in rows if name in row.figures])
        for name in _names(rows)
    }


def _plain(means: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: value["mean"] for name, value in means.items()}


def _by_site(rows: Sequence[Scored]) -> dict[str, list[Scored]]:
    found: dict[str, list[Scored]] = {}
    for row in rows:
        found.setdefault(row.site or "-", []).append(row)
    return found


def headline(task: TaskName, figures: Mapping[str, Any]) -> tuple[str, float]:
    """The figure that decides: its name and value; Korean ROUGE by syllables where it is all."""
    name = MEASURES[task].main
    for key in (name, f"{name} (syllables)"):
        if key in figures.get("whole", {}):
            return key, float(figures["whole"][key])
        if key in figures.get("figures", {}):
            return key, float(figures["figures"][key]["mean"])
    return name, float("nan")


# --- text


def written(task: TaskName, about: Mapping[str, Any], columns: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    lines = [f"# {task}: {about['file']}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items() if key not in ("file", "said")]
    lines += ["", *_table(columns), ""]
    for title, part in (("By site", _sites), ("By kind", _kinds), ("Classes", _classes)):
        told = part(columns)
        if told:
            lines += [f"## {title}", "", *told, ""]
    if about.get("said"):
        lines += ["## Rows left out", "", *(f"- {said}" for said in about["said"]), ""]
    why = MEASURES[task].why
    lines += ["## Why these figures", "", *(f"- **{name}**: {said}" for name, said in why.items())]
    lines += ["", "In brackets: 95% bootstrap intervals over rows.", ""]
    return "\n".join(lines)


def _table(columns: Mapping[str, Any]) -> list[str]:
    figures = list(dict.fromkeys(n for c in columns.values() for n in c.get("figures", {})))
    whole = [
        name
        for c in columns.values()
        for name, value in c.get("whole", {}).items()
        if isinstance(value, float)
    ]
    names = [*figures, *dict.fromkeys(whole)]
    lines = ["| system | rows | " + " | ".join(names) + " | s a row |"]
    lines.append("|---|" + "---|" * (len(names) + 2))
    for name, column in columns.items():
        cells = [_cell(column, figure) for figure in names]
        seconds = column.get("seconds")
        spent = "" if seconds is None else f"{seconds['mean']:.3f}"
        lines.append(f"| {name} | {column['rows']} | " + " | ".join(cells) + f" | {spent} |")
    return lines


def _cell(column: Mapping[str, Any], name: str) -> str:
    if name in column.get("figures", {}):
        found = column["figures"][name]
        return _number(found["mean"], (found["low"], found["high"]))
    whole = column.get("whole", {})
    return _number(whole[name], whole.get("intervals", {}).get(name)) if name in whole else ""


def _number(value: float, interval: Sequence[float] | None = None) -> str:
    if not math.isfinite(value):
        return "–"
    shown = f"{value:.1f}" if value >= 10 else f"{value:.3f}"
    if interval is None or not all(map(math.isfinite, interval)):
        return shown
    low, high = (f"{one:.1f}" if value >= 10 else f"{one:.3f}" for one in interval)
    return f"{shown} [{low}, {high}]"


def _sites(columns: Mapping[str, Any]) -> list[str]:
    with_sites = {name: c for name, c in columns.items() if "sites" in c}
    if not with_sites:
        return []
    first = next(iter(with_sites.values()))["sites"]
    sites = sorted(first, key=lambda site: -first[site]["rows"])[:_SITES]
    figures = list(next(iter(first.values()))["figures"])
    lines = ["| site | rows | system | " + " | ".join(figures) + " |"]
    lines.append("|---|---|---|" + "---|" * len(figures))
    for site in sites:
        for name, column in with_sites.items():
            own = column["sites"].get(site)
            if own is not None and figures:
                cells = [_number(own["figures"].get(f, math.nan)) for f in figures]
                lines.append(f"| {site} | {own['rows']} | {name} | " + " | ".join(cells) + " |")
    return lines if len(lines) > 2 else []


def _kinds(columns: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, column in columns.items():
        for figure in ("ROC-AUC by kind", "Spearman by site"):
            found = column.get("whole", {}).get(figure)
            if found:
                said = ", ".join(f"{kind} {_number(value)}" for kind, value in found.items())
                lines.append(f"- {name}, {figure}: {said}")
    return lines


def _classes(columns: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, column in columns.items():
        found = column.get("whole", {}).get("classes")
        if not found:
            continue
        micro, macro = found["micro"], found["macro"]
        lines.append(
            f"- {name}: micro P/R/F1 {_three(micro)}; macro P/R/F1 {_three(macro)}; fall-out "
            + ", ".join(f"{label} {_number(value)}" for label, value in found["fall_out"].items())
        )
    return lines


def _three(found: Mapping[str, float]) -> str:
    return "/".join(_number(found[name]) for name in ("precision", "recall", "f1"))


# --- pictures


def draw(columns: Mapping[str, Any], task: TaskName, folder: Path) -> list[Path]:
    """Confusion matrices, ROC and PR curves, and the deciding figure of all systems."""
    made = []
    first = next(iter(columns), "")
    classes = columns.get(first, {}).get("whole", {}).get("classes")
    if classes:
        reporting.draw_confusion(classes, folder / "confusion.png", f"{task}: {first}")
        made.append(folder / "confusion.png")
    curves = {
        name: (column["whole"]["curve"]["truth"], column["whole"]["curve"]["scores"])
        for name, column in columns.items()
        if column.get("whole", {}).get("curve")
    }
    if curves:
        reporting.draw_curves(curves, folder / "curves.png")
        made.append(folder / "curves.png")
    made += _draw_bars(columns, task, folder / "systems.png")
    return made


def _draw_bars(columns: Mapping[str, Any], task: TaskName, path: Path) -> list[Path]:
    values = {name: headline(task, column) for name, column in columns.items()}
    known = {name: found for name, found in values.items() if math.isfinite(found[1])}
    if not known:
        return []
    figure = reporting.new_figure(6.5, 0.6 + 0.45 * len(known))
    axes = figure.subplots()
    names = list(known)[::-1]
    colours = ["#2b6cb0" if name == next(iter(columns)) else "#a0aec0" for name in names]
    axes.barh(names, [known[name][1] for name in names], color=colours)
    for place, name in enumerate(names):
        axes.text(known[name][1], place, f" {known[name][1]:.3f}", va="center", fontsize=8)
    axes.set(title=f"{task}: {next(iter(known.values()))[0]}")
    axes.margins(x=0.15)
    reporting.save_figure(figure, path)
    return [path]


def write(
    task: TaskName, about: Mapping[str, Any], columns: Mapping[str, Any], folder: Path
) -> None:
    """All of the report into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    draw(columns, task, folder)
    whole = {"task": task, "about": about, "systems": columns}
    text = json.dumps(_finite(whole), indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.md").write_text(written(task, about, columns), encoding="utf-8")


def _finite(value: Any) -> Any:
    """JSON has no nan: null instead."""
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
