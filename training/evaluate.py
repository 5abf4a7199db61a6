"""Predictions of the product for a file, and a report with baselines beside.

    python -m training evaluate TASK --data FILE.jsonl[.gz] --predictions OUT.jsonl --report DIR

TASK: summary, keywords, prerequisites, terms, difficulty, faithfulness, retrieval (with --docs),
conversation, extraction. FILE is in the formats of the data folder; it is read as a stream, and
a broken row is reported with file and line and left out. Systems see title and content only.
The same command goes on where an interrupted one stopped.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import SettingsError
from training.evaluating import judge, report
from training.evaluating.baselines import Baseline
from training.evaluating.items import TASKS, Item, Rows, TaskName
from training.evaluating.measures import MEASURES, Ground, scored
from training.evaluating.predicting import Kept, PredictionsFile, digest_of, predicted, usable
from training.evaluating.report import Column
from training.evaluating.systems import SYSTEMS, By, Prediction, Resources
from training.lines import bar
from training.provenance import commit, version_of

log = logging.getLogger("training.evaluate")
_LIBRARIES = ("rouge-score", "sacrebleu", "scikit-learn", "kiwipiepy", "ctranslate2", "numpy")
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an evaluation is asked to do. `judge`: an engine as for `engine`, or "" for none."""

    task: TaskName
    data: Path
    predictions: Path
    report: Path
    docs: Path | None = None
    engine: str = "embedded"
    adapter: Path | None = None
    wheels: Path | None = None
    train: Path | None = None
    limit: int = 0
    together: int = 1
    judge: str = ""
    judge_rows: int = 30
    baselines: bool = True
    by: By = "measures"


def main(
    task: Annotated[str, typer.Argument(help=", ".join(TASKS))],
    data: Annotated[Path, typer.Option(help="JSON lines in the data folder's formats, .gz or not")],
    predictions: Annotated[Path, typer.Option(help="Where predictions go, one a line")],
    report: Annotated[Path, typer.Option(help="The folder of report.md, report.json and pictures")],
    docs: Annotated[Path | None, typer.Option(help="retrieval: the documents to search")] = None,
    engine: Annotated[
        str, typer.Option(help="embedded, echo, gptq, openai, or a model's folder")
    ] = "embedded",
    adapter: Annotated[Path | None, typer.Option(help="A LoRA adapter on the engine")] = None,
    wheels: Annotated[Path | None, typer.Option(help="Folder with the models' wheels")] = None,
    train: Annotated[
        Path | None, typer.Option(help="Rows that baselines may learn from; else cross-validation")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows at most; 0: all")] = 0,
    together: Annotated[int, typer.Option(min=1, help="Rows asked at once")] = 1,
    judge: Annotated[str, typer.Option(help="An engine that judges summaries, as --engine")] = "",
    judge_rows: Annotated[int, typer.Option(min=1, help="Rows the judge reads at most")] = 30,
    baselines: Annotated[bool, typer.Option(help="Baselines beside")] = True,
    by: Annotated[
        By, typer.Option(help="Who judges keywords, prerequisites, difficulty (digest.judge)")
    ] = "measures",
) -> None:
    """Predictions of the product for FILE, and a report with baselines beside."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    known = next((one for one in TASKS if one == task), None)
    if known is None:
        raise SettingsError([f"{task}: no such task; known are {', '.join(TASKS)}"])
    asked = Asked(
        known,
        data,
        predictions,
        report,
        docs,
        engine,
        adapter,
        wheels,
        train,
        limit,
        together,
        judge,
        judge_rows,
        baselines,
        by,
    )
    found = asyncio.run(evaluate(asked))
    typer.echo((report / "report.md").read_text(encoding="utf-8"))
    if found["systems"][OURS]["without a prediction"]:
        raise typer.Exit(1)


async def evaluate(asked: Asked) -> dict[str, Any]:
    """Predictions, then figures, then the report; what report.json says.

    Raises SettingsError (files, no usable row), ModelNotReady, EngineFailed.
    """
    rows = Rows(asked.data, asked.task, asked.limit)
    resources = Resources(asked.engine, asked.docs, asked.adapter, asked.wheels, asked.by)
    try:
        await _predict(asked, rows, resources)
        columns = _columns(asked, rows)
        found = {name: report.summarised(asked.task, column) for name, column in columns.items()}
        if asked.judge:
            found[OURS]["judge"] = await _judge(asked, rows, columns[OURS])
    finally:
        await resources.close()
    about = _about(asked, rows)
    report.write(asked.task, about, found, asked.report)
    return {"about": about, "systems": found}


async def _predict(asked: Asked, rows: Rows, resources: Resources) -> None:
    file = PredictionsFile(asked.predictions, await asyncio.to_thread(_identity, asked))
    try:
        count = await asyncio.to_thread(lambda: sum(1 for _ in rows))
        if not count:
            raise SettingsError([f"{asked.data}: there is no row that {asked.task} can use"])
        if file.done.total() >= count:
            return
        predict = await SYSTEMS[asked.task](resources)
        with bar() as progress:
            shown = progress.add_task("predicting", total=count)
            async for _ in predicted(asked.task, rows, predict, file, asked.together):
                progress.advance(shown)
    finally:
        file.close()


def _identity(asked: Asked) -> dict[str, str]:
    if not asked.data.is_file():
        raise SettingsError([f"{asked.data}: there is no such file"])
    by = "" if asked.by == "measures" else f", judged by {asked.by}"
    return {
        "task": asked.task,
        "data": f"{asked.data.name} {digest_of(asked.data)}",
        "engine": asked.engine + (f" + {asked.adapter}" if asked.adapter else "") + by,
    }


def _columns(asked: Asked, rows: Rows) -> dict[str, Column]:
    """One pass over the rows for all systems at once: only figures are kept."""
    kept = Kept(asked.predictions)
    train = None if asked.train is None else Rows(asked.train, asked.task)
    beside: dict[str, Baseline] = {}
    if asked.baselines:
        beside = MEASURES[asked.task].beside(Ground(rows, train, asked.docs))
    columns = {name: Column(name) for name in (OURS, *beside)}
    with bar() as progress:
        shown = progress.add_task("scoring", total=None)
        for item in rows:
            _score_ours(asked.task, item, kept.take(item), columns[OURS])
            for name, baseline in beside.items():
                if item.gold is not None:
                    _add(asked.task, item, baseline(item), columns[name])
            progress.advance(shown)
    return columns


def _score_ours(task: TaskName, item: Item, row: dict[str, Any] | None, column: Column) -> None:
    if row is None:
        column.failed += 1
        return
    if isinstance(row.get("seconds"), int | float):
        column.seconds.append(float(row["seconds"]))
    try:
        said = usable(task, row["prediction"])
    except ValueError as error:
        log.warning("%s: %s", item.id, error)
        column.failed += 1
        return
    if item.gold is not None:
        _add(task, item, said, column)


def _add(task: TaskName, item: Item, said: Prediction | None, column: Column) -> None:
    if said is None:
        column.failed += 1
    else:
        column.rows.append(scored(task, item, said))


async def _judge(asked: Asked, rows: Rows, column: Column) -> dict[str, Any]:
    if asked.task not in ("summary", "conversation"):
        raise SettingsError([f"--judge reads summaries and conversations, not {asked.task}"])
    rouge = {row.id: float(row.figures[_rouge_name(row.figures)]) for row in column.rows}
    judging = Resources(asked.judge, None, None, asked.wheels)
    engine, _ = await judging.both()
    try:
        return await judge.judged(engine, _pairs(asked, rows), rouge)
    finally:
        await judging.close()


def _rouge_name(figures: Any) -> str:
    return "rougeL" if "rougeL" in figures else "rougeL (syllables)"


def _pairs(asked: Asked, rows: Rows) -> Iterator[tuple[Item, str]]:
    kept = Kept(asked.predictions)
    left = asked.judge_rows
    for item in rows:
        row = kept.take(item)
        if row is not None and left:
            left -= 1
            yield item, str(row["prediction"])


def _about(asked: Asked, rows: Rows) -> dict[str, Any]:
    return {
        "file": f"{asked.data.resolve().parent.name}/{asked.data.name}",
        "sha256": digest_of(asked.data),
        "engine": _identity(asked)["engine"],
        "rows left out as broken": rows.broken,
        "limit": asked.limit or "none",
        "baselines learned from": "other rows of the file"
        if asked.train is None
        else asked.train.name,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit() or "unknown",
        "versions": ", ".join(f"{name} {version_of(name) or '-'}" for name in _LIBRARIES),
        "said": list(rows.said),
    }
