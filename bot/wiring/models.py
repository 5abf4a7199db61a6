"""Whether the model of the settings is there; nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.engine.prepared import chosen_adapter, find, find_encoder, size_of
from core.engine.preparing import space_needed
from core.settings import ModelSettings


@dataclass(frozen=True)
class ModelState:
    """`none`: the engine needs no model; `served`: servers have it; `hub`: it is loaded by its id.
    `missing`: it is not there; `unprepared`: it is made at the first start. Sizes in bytes:
    what it takes when it is there, and `needed` to prepare it."""

    kind: Literal["none", "served", "hub", "missing", "unprepared", "prepared"]
    size: int = 0
    needed: int = 0


def model_state(settings: ModelSettings, folder: Path) -> ModelState:
    """Looks only; every byte of a prepared model is checked."""
    if settings.engine == "echo":
        return ModelState("none")
    if settings.engine == "openai":
        return ModelState("served")
    if settings.engine == "gptq":
        return _checkpoint_state(settings.folder)
    if settings.folder is not None:
        there = any(settings.folder.glob("**/model.bin"))
        return ModelState("prepared", _size(settings.folder)) if there else ModelState("missing")
    models = find(folder, chosen_adapter(settings.adapter))
    if models is None:
        return ModelState("unprepared", needed=space_needed(folder, settings.wheels))
    return ModelState("prepared", size_of(models))


def encoder_state(settings: ModelSettings, folder: Path) -> ModelState:
    """Of the embedded encoder where another model writes; elsewhere it is part of the model."""
    if settings.engine == "echo" or (settings.engine == "ctranslate2" and settings.folder is None):
        return ModelState("none")
    encoder = find_encoder(folder)
    if encoder is None:
        needed = space_needed(folder, settings.wheels, encoder_only=True)
        return ModelState("unprepared", needed=needed)
    return ModelState("prepared", size_of(encoder))


def _checkpoint_state(folder: Path | None) -> ModelState:
    if folder is None:
        return ModelState("missing")
    if (folder / "config.json").is_file():
        return ModelState("prepared", _size(folder))
    # "organisation/name" is an id on a hub; anything else would be a folder that is not there.
    is_id = not folder.is_absolute() and len(folder.parts) == 2 and not folder.exists()
    return ModelState("hub" if is_id else "missing")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
