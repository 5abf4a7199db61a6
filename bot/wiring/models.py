"""Whether the model of the settings is there; nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.engine.prepared import chosen_adapter, find, size_of
from core.settings import ModelSettings


@dataclass(frozen=True)
class ModelState:
    """`none`: the engine needs no model; `served`: servers have it; `hub`: it is loaded by its id."""

    kind: Literal["none", "served", "hub", "missing", "prepared"]
    size: int = 0


def model_state(settings: ModelSettings, folder: Path) -> ModelState:
    """Looks only; every byte of a prepared model is checked."""
    if settings.engine == "echo":
        return ModelState("none")
    if settings.engine == "openai":
        return ModelState("served")
    if settings.engine == "gptq":
        return _checkpoint_state(settings.folder)
    models = find(folder, chosen_adapter(settings.adapter if settings.folder is None else None))
    own = settings.folder
    if models is None or (own and not any(own.glob("**/model.bin"))):
        return ModelState("missing")
    return ModelState("prepared", size_of(models) + (_size(own) if own else 0))


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
