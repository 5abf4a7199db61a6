"""What a run leaves behind: figures step by step, the machine's load, curves, a manifest.

Always into the run's own folder (metrics.jsonl, curves.png, manifest.json, README.md); to wandb or
MLflow as well where the configuration says so.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from transformers import TrainerCallback

from core.engine.weights import sha256_of
from training.config import Tracking
from training.provenance import commit, version_of

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "numpy", "scikit-learn")


class Recorder:
    """Figures of one run. `close()` draws the curves."""

    def __init__(self, folder: Path, tracking: Tracking, name: str, config: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = (folder / "metrics.jsonl").open("a", encoding="utf-8")
        self._sinks = [_SINKS[one](tracking.project, name, config, folder) for one in tracking.to]

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        row = {"step": step, "at": round(time.time(), 1), **numbers(values), **load()}
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        for sink in self._sinks:
            sink.log(step, row)

    def callback(self) -> TrainerCallback:
        return _Callback(self)

    def close(self) -> None:
        self._file.close()
        for sink in self._sinks:
            sink.close()
        if os.environ.get("RANK", "0") == "0":
            draw(self.folder / "metrics.jsonl", self.folder / "curves.png")


class _Callback(TrainerCallback):  # type: ignore[misc]
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if state.is_world_process_zero and logs:
            self._recorder.log(state.global_step, logs)


class _Wandb:
    """Offline too: WANDB_MODE=offline keeps everything in the run's folder."""

    def __init__(self, project: str, name: str, config: Any, folder: Path) -> None:
        import wandb

        self._run = wandb.init(project=project, name=name, config=config, dir=str(folder))

    def log(self, step: int, row: Mapping[str, Any]) -> None:
        self._run.log(dict(row), step=step)

    def close(self) -> None:
        self._run.finish()


class _Mlflow:
    """To MLFLOW_TRACKING_URI; without one into the run's folder."""

    def __init__(self, project: str, name: str, config: Any, folder: Path) -> None:
        import mlflow

        self._mlflow = mlflow
        if "MLFLOW_TRACKING_URI" not in os.environ:
            mlflow.set_tracking_uri(f"sqlite:///{(folder / 'mlflow.db').resolve()}")
        mlflow.set_experiment(project)
        mlflow.start_run(run_name=name)
        mlflow.log_dict(config, "config.json")

    def log(self, step: int, row: Mapping[str, Any]) -> None:
        self._mlflow.log_metrics(numbers(row), step=step)

    def close(self) -> None:
        self._mlflow.end_run()


_SINKS: dict[str, Any] = {"wandb": _Wandb, "mlflow": _Mlflow}


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    found = {key: value for key, value in values.items() if isinstance(value, int | float)}
    return {key: float(value) for key, value in found.items() if not isinstance(value, bool)}


def load() -> dict[str, float]:
    """Per cent of the processors, MiB of this process, and the same of the first GPU."""
    memory = psutil.Process().memory_info().rss / 2**20
    return {"cpu": psutil.cpu_percent(), "memory_mib": round(memory, 1), **_gpu_load()}


def _gpu_load() -> dict[str, float]:
    try:
        import pynvml

        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByIndex(0)
        used = pynvml.nvmlDeviceGetUtilizationRates(device)
        memory = pynvml.nvmlDeviceGetMemoryInfo(device)
    except Exception:  # noqa: BLE001 - no driver, no card, no library: no figures
        return {}
    return {"gpu": float(used.gpu), "gpu_memory_mib": round(memory.used / 2**20, 1)}


def draw(metrics: Path, target: Path) -> None:
    """Loss and learning rate over steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 3.6))
    for axis, keys in zip(axes, (("loss", "eval_loss"), ("learning_rate",)), strict=True):
        for key in keys:
            points = [(row["step"], row[key]) for row in rows if key in row]
            if points:
                axis.plot(
                    *zip(*points, strict=True), label=key, marker="." if len(points) < 9 else ""
                )
        axis.set_xlabel("step")
        if axis.get_legend_handles_labels()[1]:
            axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def manifest(
    step: str,
    config: Any,
    data: Sequence[Path],
    prompts: Mapping[str, str],
    figures: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """Everything that decided a run, and what came of it."""
    versions = {name: found for name in _PACKAGES if (found := version_of(name))}
    return {
        "step": step,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "commit": commit(),
        "config": config,
        "data": {path.name: sha256_of(path) for path in data},
        "prompts": dict(prompts),
        "versions": {"python": platform.python_version(), **versions},
        "machine": {"system": platform.machine(), "cores": psutil.cpu_count()},
        "figures": dict(figures),
        **more,
    }


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
