"""A checkpoint, GPTQ or plain, read by transformers: the model, its tokenizer, its card.

GPTQ weights are run by gptqmodel: by Marlin on NVIDIA cards, by its own kernel in torch on a CPU.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.engine.chat import CARD
from core.engine.fusing import fuse
from core.engine.templating import Template, card_of
from core.engine.weights import sha256_of
from core.errors import EngineOutOfMemory, ModelNotReady

Device = Literal["cpu", "cuda"]
log = logging.getLogger(__name__)
# On the newest cards gptqmodel would choose Machete by itself, which fetches CUTLASS's sources when the
# first model is loaded. Triton takes what Marlin refuses: no nvcc to build it, or narrow layers whose
# columns are in the order of their weight.
_KERNELS = {"cuda": ("gptq_marlin", "gptq_triton", "gptq_torch"), "cpu": ("auto",)}
_EXTRA = 'install them beside the rest: pip install --no-build-isolation -e ".[gpu]"'


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`revision` changes with the weights: it is part of the cache key of digests."""

    model: Any
    template: Template
    device: Device
    quantized: bool
    revision: str


def load_checkpoint(
    place: str | Path,
    *,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    adapter: Path | None = None,
) -> Checkpoint:
    """From a folder or, where a hub is reachable, its id. Raises ModelNotReady and
    EngineOutOfMemory (the weights do not fit)."""
    import torch
    from transformers import AutoConfig, AutoTokenizer

    name = str(place)
    where = chosen_device(device)
    # gptqmodel starts a pool of threads for packing; two are enough beside a service.
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")
    try:
        config = AutoConfig.from_pretrained(name)
        quantized = _check_quantization(name, config)
        _check_layers(name, config)
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = _loaded(name, config, where)
        if adapter is not None:
            model = _with_adapter(model, adapter)
        if where == "cuda":
            fuse(model)
    except torch.OutOfMemoryError as error:
        raise EngineOutOfMemory(name, f"the weights do not fit the {where} ({error})") from error
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelNotReady(name, f"the checkpoint cannot be loaded ({_first(error)})") from error
    folder = Path(name)
    card = card_of(folder, config, Path(name).name)
    template = Template(tokenizer, card, folder)
    log.info("%s is loaded: %s on %s", name, kernels(model) or "no GPTQ layers", where)
    return Checkpoint(model.eval(), template, where, quantized, _revision(folder, config, adapter))


def _loaded(name: str, config: Any, where: Device) -> Any:
    """With the first kernel that takes the weights."""
    import torch
    from transformers import AutoModelForCausalLM

    if where == "cuda":
        attention_without_plans()
    said: Any = getattr(config, "quantization_config", None)
    gptq = isinstance(said, dict) and said.get("quant_method") == "gptq"
    tried = _KERNELS[where] if gptq else ("",)
    for last, kernel in enumerate(tried, 1 - len(tried)):
        if gptq:
            config.quantization_config = {**said, "backend": kernel}
        try:
            return AutoModelForCausalLM.from_pretrained(
                name,
                config=config,
                dtype=dtype_for(where),
                device_map=where,
                attn_implementation="sdpa",
            )
        except torch.OutOfMemoryError:
            raise
        except (ValueError, RuntimeError, ImportError) as error:
            if not last:
                raise
            log.warning("%s: no %s for these weights (%s)", name, kernel, _first(error))
    raise AssertionError


def attention_without_plans() -> None:
    """With a mask torch asks cuDNN first on the newest cards, which makes a plan for every shape that
    it has not met yet: some 40 ms a pass while answers grow, a second and more a step of training
    (https://github.com/modelscope/FunASR/issues/3704). The other ways need none."""
    import torch

    torch.backends.cuda.enable_cudnn_sdp(False)


def chosen_device(device: Literal["auto", "cpu", "cuda"]) -> Device:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ModelNotReady(
            "cuda", "torch sees no NVIDIA GPU; set model.device to cpu or install a CUDA torch"
        )
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def dtype_for(device: Device) -> Any:
    """Half precision on a GPU; processors calculate in single precision."""
    import torch

    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def kernels(model: Any) -> str:
    """Which of gptqmodel's linear layers the model has, for people."""
    names = {type(part).__name__ for part in model.modules() if hasattr(part, "qweight")}
    return ", ".join(sorted(names))


def _check_quantization(name: str, config: Any) -> bool:
    said = getattr(config, "quantization_config", None)
    if said is None:
        return False
    method = said.get("quant_method") if isinstance(said, dict) else said.quant_method
    method = str(getattr(method, "value", method))
    if method == "gptq" and lacking_packages():
        raise ModelNotReady(name, f"GPTQ weights need gptqmodel and optimum; {_EXTRA}")
    return True


def lacking_packages() -> list[str]:
    """What GPTQ weights need and is not installed."""
    return [one for one in ("gptqmodel", "optimum") if importlib.util.find_spec(one) is None]


def _check_layers(name: str, config: Any) -> None:
    """Our batch keeps keys and values of attention; other kinds of memory it does not know."""
    kinds = set(getattr(config.get_text_config(), "layer_types", None) or ())
    unknown = kinds - {"full_attention", "sliding_attention"}
    if unknown:
        raise ModelNotReady(
            name,
            f"its layers ({', '.join(sorted(unknown))}) keep a memory that this engine does not "
            "batch; serve it by vLLM and set model.engine to openai",
        )


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    if not (adapter / "adapter_config.json").is_file():
        raise ModelNotReady(str(adapter), "this is no LoRA adapter: adapter_config.json is missing")
    return PeftModel.from_pretrained(model, str(adapter))


def _revision(folder: Path, config: Any, adapter: Path | None) -> str:
    """From the manifest beside our own weights, else from the files' hashes or the hub's commit."""
    manifest = folder / "manifest.json"
    found = ""
    if manifest.is_file():
        found = sha256_of(manifest)[:12]
    elif folder.is_dir():
        sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.safetensors"))}
        stamp = {
            name: sha256_of(folder / name) if size < 2**30 else size for name, size in sizes.items()
        }
        found = _short(json.dumps(stamp))
    else:
        found = str(getattr(config, "_commit_hash", None) or "")[:12]
    if adapter is not None:
        found += "+" + sha256_of(adapter / "adapter_model.safetensors")[:8]
    return found


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _first(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:300]


__all__ = ["CARD", "Checkpoint", "chosen_device", "dtype_for", "kernels", "load_checkpoint"]
