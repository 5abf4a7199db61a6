"""Export: a merged folder to CTranslate2 int8, which the embedded engine runs on a CPU.

    python -m training export --config config/training/embedded.yaml [--model FOLDER] [--out FOLDER]

The result is what `model.folder` in the settings wants.
"""

from __future__ import annotations

import argparse
import logging
import shutil
from pathlib import Path

from core.errors import SettingsError
from training.config import TrainingConfig, read

log = logging.getLogger("training.model.export")


def run(model: Path, out: Path) -> Path:
    """Raises SettingsError where there is no model or `out` is taken."""
    from core.engine.converting import convert
    from training.model.bases import open_base

    if not (model / "config.json").is_file():
        raise SettingsError([f"{model}: no model there; run python -m training merge first"])
    if out.exists():
        raise SettingsError([f"{out}: is there already; remove it or name another with --out"])
    loaded, template = open_base(str(model))
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        convert(loaded, template.tokenizer, partial)
        template.card.save(partial)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training export", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/embedded.yaml"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read(asked.config, TrainingConfig)
    out = run(asked.model or config.runs / "merged", asked.out or config.runs / "export")
    log.info("exported to %s; use it with SMARTDEVDIGEST_MODEL__FOLDER=%s", out, out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
