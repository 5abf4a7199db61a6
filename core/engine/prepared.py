"""The prepared models on disk: where they lie, and how we know that they are whole.

    <data folder>/models/<fingerprint>/generator/  model.bin, tokenizer.json, engine.json …
                                      /encoder/    the same
                                      /manifest.json   written last: sizes and hashes of the rest
    <data folder>/models/wheels/       what they were made from
    <data folder>/models/lock          held by the one process that prepares

The fingerprint covers everything that decides the result, so a new adapter or a new CTranslate2
makes a new folder and never changes one that is being used.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.engine.weights import WHEELS, sha256_of
from core.errors import ModelNotReady

# Bump it when the way of preparing changes in a way that the versions below do not show.
VERSION = 1
QUANTIZATION = "int8"
MANIFEST = "manifest.json"
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# What `python -m training m2` made of the embedded model; its manifest.json lies beside it.
SHIPPED = Path(__file__).parent / "adapters" / "digest"


@dataclass(frozen=True, slots=True)
class PreparedModels:
    folder: Path
    fingerprint: str

    @property
    def generator(self) -> Path:
        return self.folder / "generator"

    @property
    def encoder(self) -> Path:
        return self.folder / "encoder"


def chosen_adapter(named: Path | None) -> Path | None:
    """The adapter that the embedded model gets: the one in the settings, else ours."""
    if named is not None:
        return named
    return SHIPPED if (SHIPPED / _ADAPTER_FILES[1]).is_file() else None


def models_folder(data_dir: Path) -> Path:
    return data_dir / "models"


def recipe(adapter: Path | None) -> dict[str, Any]:
    """Everything that decides the result. Raises ModelNotReady for an incomplete adapter."""
    return {
        "format": VERSION,
        "quantization": QUANTIZATION,
        "ctranslate2": version("ctranslate2"),
        "wheels": {wheel.project: wheel.sha256 for wheel in WHEELS},
        "adapter": None if adapter is None else _adapter_hashes(adapter),
    }


def expected(data_dir: Path, adapter: Path | None) -> PreparedModels:
    """Where the models for these settings lie, or will lie once they are prepared."""
    text = json.dumps(recipe(adapter), sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
    return PreparedModels(models_folder(data_dir) / fingerprint, fingerprint)


def find(data_dir: Path, adapter: Path | None) -> PreparedModels | None:
    """The prepared models, if they are there and whole (every byte is checked: 0.15 s)."""
    models = expected(data_dir, adapter)
    return models if is_whole(models.folder) else None


def size_of(models: PreparedModels) -> int:
    return sum(path.stat().st_size for path in models.folder.rglob("*") if path.is_file())


def is_whole(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = manifest["files"]
        return bool(files) and all(_is_as_written(folder / name, files[name]) for name in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def seal(folder: Path, made_from: dict[str, Any]) -> None:
    """The manifest, written last; afterwards everything is on the disk, not only on its way."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in files
    }
    manifest = folder / MANIFEST
    text = json.dumps({"recipe": made_from, "files": listed}, indent=2)
    manifest.write_text(text + "\n", encoding="utf-8")
    for path in [*files, manifest, *(path for path in folder.rglob("*") if path.is_dir()), folder]:
        sync(path)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_as_written(path: Path, written: dict[str, Any]) -> bool:
    if path.stat().st_size != written["size"]:
        return False
    return sha256_of(path) == str(written["sha256"])


def _adapter_hashes(adapter: Path) -> dict[str, str]:
    missing = [name for name in _ADAPTER_FILES if not (adapter / name).is_file()]
    if missing:
        raise ModelNotReady(
            str(adapter), f"this is no LoRA adapter: {' and '.join(missing)} missing"
        )
    return {name: sha256_of(adapter / name) for name in _ADAPTER_FILES}
