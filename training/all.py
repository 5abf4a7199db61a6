"""The whole way, from the data to a model that can be served.

    python -m training all --config config/training/embedded.yaml

Only the parts that the configuration has are run; what is finished (its manifest.json is there)
is not run again, so the same command goes on after an interruption. Quantisation to 4 bits is a
step of its own (`quantize`), because it needs gptqmodel.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

from training.config import TrainingConfig, read
from training.model import export, m1, m2, merge, tokenizer
from training.model.bases import MANIFEST
from training.sets import examples

log = logging.getLogger("training.all")


def run(config: TrainingConfig) -> Path:
    """The exported folder. Raises what the steps raise."""
    runs = config.runs
    steps: list[tuple[str, Path, Callable[[], object]]] = []
    if config.tokenizer is not None:
        steps.append(("tokenizer", runs / "tokenizer", lambda: tokenizer.run(config)))
    if config.m1 is not None:
        steps.append(("m1", runs / "m1", lambda: m1.run(config)))
    if config.m2 is not None:
        steps.append(("m2", runs / "m2", lambda: m2.run(config)))
    if config.m2 is not None and not any(config.examples.glob("*.jsonl")):
        log.info("examples")
        examples.build(config.data, config.examples, examples.posts_of(config))
    for name, folder, step in steps:
        if (folder / MANIFEST).is_file():
            log.info("%s: done before, in %s", name, folder)
            continue
        log.info("%s", name)
        step()
    merged, exported = runs / "merged", runs / "export"
    if not (merged / MANIFEST).is_file():
        log.info("merge")
        merge.run(config, merge.adapters_of(config), merged)
    if not exported.exists():
        log.info("export")
        export.run(merged, exported)
    return exported


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training all", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/embedded.yaml"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = run(read(asked.config, TrainingConfig))
    log.info("ready in %s; use it with SMARTDEVDIGEST_MODEL__FOLDER=%s", out, out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
