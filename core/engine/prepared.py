"""The prepared models on disk: where they lie, and how we know that they are whole.

    <data folder>/models/<fingerprint>/generator/  model.bin, tokenizer.json, engine.json …
                                      /encoder/    the same
                                      /manifest.json   written last: sizes and hashes of the rest
    <data folder>/models/encoder-<revision>/   the encoder alone, where another engine writes
    <data folder>/models/wheels/       what they were made from
    <data folder>/models/lock          held by the one process that prepares

The fingerprint covers everything that decides the result, so a new adapter or a new CTranslate2
makes a new folder and never changes one that is being used. The encoder's revision covers what
decides the encoder only: stored vectors stay good whichever adapter or engine writes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.engine import rotating
from core.engine.weights import ENCODER, WHEELS, sha256_of
from core.errors import ModelNotReady

# Bump it when the way of preparing changes in a way that the versions below do not show.
VERSION = 1
QUANTIZATION = "int8"
MANIFEST = "manifest.json"
PARTIAL = ".partial"
_ENCODER = "encoder"
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# What `python -m training m2` made of the embedded model; its manifest.json lies beside it.
SHIPPED = Path(__file__).parent / "adapters" / "digest"


@dataclass(frozen=True, slots=True)
class PreparedEncoder:
    """`folder`: as it is prepared and sealed, alone or with a generator beside it."""

    folder: Path
    revision: str

    @property
    def encoder(self) -> Path:
        return self.folder / _ENCODER


@dataclass(frozen=True, slots=True)
class PreparedModels:
    folder: Path
    fingerprint: str

    @property
    def generator(self) -> Path:
        return self.folder / "generator"

    @property
    def encoder(self) -> Path:
        return self.folder / _ENCODER


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
        **_way(),
        "rotation": rotating.VERSION,
        "wheels": {wheel.project: wheel.sha256 for wheel in WHEELS},
        "adapter": None if adapter is None else _adapter_hashes(adapter),
    }


def encoder_recipe() -> dict[str, Any]:
    """What of a recipe decides the encoder."""
    return {**_way(), "wheels": {ENCODER.project: ENCODER.sha256}}


def _way() -> dict[str, Any]:
    return {
        "format": VERSION,
        "quantization": QUANTIZATION,
        "ctranslate2": version("ctranslate2"),
    }


def expected(data_dir: Path, adapter: Path | None) -> PreparedModels:
    """Where the models for these settings lie, or will lie once they are prepared."""
    fingerprint = _fingerprint(recipe(adapter))
    return PreparedModels(models_folder(data_dir) / fingerprint, fingerprint)


def expected_encoder(data_dir: Path) -> PreparedEncoder:
    """Where the encoder lies that is prepared alone, or will lie."""
    revision = encoder_revision()
    return PreparedEncoder(models_folder(data_dir) / f"{_ENCODER}-{revision}", revision)


def encoder_revision() -> str:
    """Part of the encoder's name: vectors of one revision may be compared, of two not."""
    return _fingerprint(encoder_recipe())


def _fingerprint(made_from: dict[str, Any]) -> str:
    text = json.dumps(made_from, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find(data_dir: Path, adapter: Path | None) -> PreparedModels | None:
    """The prepared models, if they are there and whole (every byte is checked: 0.15 s)."""
    models = expected(data_dir, adapter)
    return models if is_whole(models.folder) else None


def find_encoder(data_dir: Path) -> PreparedEncoder | None:
    """The prepared encoder: the one that is alone, or that of whole models, with any adapter."""
    alone = expected_encoder(data_dir)
    others = sorted(models_folder(data_dir).glob(f"*/{MANIFEST}"))
    for folder in [alone.folder, *(one.parent for one in others)]:
        if folder.suffix != PARTIAL and _has_encoder(folder):
            return PreparedEncoder(folder, alone.revision)
    return None


def _has_encoder(folder: Path) -> bool:
    """Whether the encoder of our recipe is in it and whole; a generator beside it need not be."""
    try:
        made_from = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["recipe"]
        wanted = encoder_recipe()
        wheels = {project: made_from["wheels"].get(project) for project in wanted["wheels"]}
        made = {**{name: made_from[name] for name in wanted}, "wheels": wheels}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return made == wanted and is_whole(folder, f"{_ENCODER}/")


def size_of(prepared: PreparedModels | PreparedEncoder) -> int:
    """Bytes on the disk of what is used: of an encoder without a generator beside it."""
    folder = prepared.folder if isinstance(prepared, PreparedModels) else prepared.encoder
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def is_whole(folder: Path, part: str = "") -> bool:
    """Whether all is there as it was sealed; of `part` ("encoder/") where it is named."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        listed: dict[str, dict[str, Any]] = manifest["files"]
        files = {name: listed[name] for name in listed if name.startswith(part)}
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
