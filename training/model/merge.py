"""Merge: adapters into the weights, one folder that any engine loads.

    python -m training merge --config config/training/embedded.yaml [--adapter FOLDER …] [--out FOLDER]

Without --adapter: M1's and M2's of this configuration, in this order.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from core.engine.chat import CARD
from core.errors import SettingsError
from training.config import TrainingConfig, read
from training.model.bases import has_weights
from training.sets.examples import VERSIONS

log = logging.getLogger("training.model.merge")


def adapters_of(config: TrainingConfig) -> list[Path]:
    """Raises SettingsError where a stage of the configuration has not been run."""
    found = []
    for name, stage in (("m1", config.m1), ("m2", config.m2)):
        folder = config.runs / name
        if stage is None:
            continue
        if not has_weights(folder):
            raise SettingsError(
                [f"{folder}: no weights there; run python -m training {name} first"]
            )
        found.append(folder)
    return found


def run(config: TrainingConfig, adapters: Sequence[Path], out: Path) -> Path:
    """Raises ModelNotReady where an adapter does not fit, SettingsError for other prompts."""
    from training.model.bases import after, base_folder, check_prompts, open_base
    from training.tracking import manifest, write_manifest

    folder = base_folder(config)
    for adapter in adapters:
        check_prompts(adapter, VERSIONS)
    model, template = open_base(folder)
    for adapter in adapters:
        model = after(model, adapter)
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(out))
    template.tokenizer.save_pretrained(str(out))
    template.card.save(out)
    files = [adapter / "adapter_model.safetensors" for adapter in adapters]
    made = manifest("merge", config.model_dump(mode="json"), [], VERSIONS, {}, base=config.base)
    made["adapters"] = [str(path) for path in files]
    write_manifest(out, made)
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training merge", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/embedded.yaml"))
    parser.add_argument("--adapter", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read(asked.config, TrainingConfig)
    adapters = asked.adapter or adapters_of(config)
    out = run(config, adapters, asked.out or config.runs / "merged")
    log.info("merged into %s (%s beside the weights)", out, CARD)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
