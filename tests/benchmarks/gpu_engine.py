"""What the GPU engine does on a real card; see bench_engine.py --gpu.

Random weights, packed as gptqmodel packs them (symmetric, 4 bits, groups of 128), of the sizes of
a 7 B and a 32 B model: speed does not depend on what the weights say. Decoding one answer reads
every weight once a token, so bytes of weights over the measured copy bandwidth is the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.tiny_model import tiny_model  # noqa: E402

from core.engine.chat import ModelCard  # noqa: E402
from core.engine.checkpoints import kernels, load_checkpoint  # noqa: E402
from core.engine.gptq import GptqEngine  # noqa: E402
from core.ports import Generation, Prompt  # noqa: E402
from core.settings import ModelSettings  # noqa: E402

NEVER = ("<gh_stars>",)  # an end token that is never written: all answers are of one length
GROUP = 128


@dataclass(frozen=True)
class Size:
    """The widths of a decoder with grouped-query attention."""

    hidden: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int


SIZES = {
    "7b": Size(3584, 18944, 28, 28, 4, 152_064),
    "32b": Size(5120, 27648, 64, 40, 8, 152_064),
    "tiny": Size(256, 512, 2, 4, 2, 512),  # for a machine without a card: does it load at all
}


def random_gptq(folder: Path, size: Size) -> int:
    """A checkpoint in gptqmodel's format; returns the bytes that one token reads."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    head = size.hidden // size.heads
    shapes = {
        "self_attn.q_proj": (size.hidden, size.hidden),
        "self_attn.k_proj": (size.hidden, size.key_heads * head),
        "self_attn.v_proj": (size.hidden, size.key_heads * head),
        "self_attn.o_proj": (size.hidden, size.hidden),
        "mlp.gate_proj": (size.hidden, size.inner),
        "mlp.up_proj": (size.hidden, size.inner),
        "mlp.down_proj": (size.inner, size.hidden),
    }
    read = 0
    index: dict[str, str] = {}
    torch.manual_seed(17)

    def save(name: str, tensors: dict[str, Any]) -> None:
        nonlocal read
        save_file(tensors, folder / name, metadata={"format": "pt"})
        index.update(dict.fromkeys(tensors, name))
        read += sum(
            one.nbytes
            for key, one in tensors.items()
            if not key.endswith(("g_idx", "embed_tokens.weight"))
        )

    for layer in range(size.layers):
        tensors: dict[str, Any] = {}
        for name, (inputs, outputs) in shapes.items():
            at = f"model.layers.{layer}.{name}"
            words = torch.randint(-(2**31), 2**31 - 1, (inputs // 8, outputs), dtype=torch.int64)
            tensors[f"{at}.qweight"] = words.to(torch.int32)
            # Symmetric: every zero point is 8, stored as 7 in this format.
            zeros = torch.full((inputs // GROUP, outputs // 8), 0x77777777, dtype=torch.int64)
            tensors[f"{at}.qzeros"] = zeros.to(torch.int32)
            scale = torch.full((inputs // GROUP, outputs), 0.3 / inputs**0.5)
            tensors[f"{at}.scales"] = scale.to(torch.float16)
            tensors[f"{at}.g_idx"] = torch.arange(inputs, dtype=torch.int32) // GROUP
        for norm in ("input_layernorm", "post_attention_layernorm"):
            ones = torch.ones(size.hidden, dtype=torch.float16)
            tensors[f"model.layers.{layer}.{norm}.weight"] = ones
        save(f"layer-{layer:03d}.safetensors", tensors)
    wide = 0.02 * torch.randn(size.vocabulary, size.hidden)
    save(
        "rest.safetensors",
        {
            "model.embed_tokens.weight": wide.to(torch.float16),
            "lm_head.weight": wide.to(torch.float16).clone(),
            "model.norm.weight": torch.ones(size.hidden, dtype=torch.float16),
        },
    )
    _describe(folder, size, index)
    return read


def _describe(folder: Path, size: Size, index: dict[str, str]) -> None:
    quantization = {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": GROUP,
        "desc_act": False,
        "sym": True,
        "checkpoint_format": "gptq",
        "lm_head": False,
        "pack_dtype": "int32",
    }
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": size.hidden,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.key_heads,
        "vocab_size": size.vocabulary,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": False,
        "dtype": "float16",
        "quantization_config": quantization,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "quantize_config.json").write_text(json.dumps(quantization))
    listed = {"metadata": {}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(listed))
    tiny_model().tokenizer.save_pretrained(folder)
    ModelCard(name=folder.name, context_tokens=8192, ends=NEVER).save(folder)


def copy_bandwidth() -> float:
    """Bytes a second that the card reads and writes while copying; the better of ten."""
    import torch

    source = torch.empty(2**31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    best = float("inf")
    size: int = source.numel()
    for _ in range(10):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        target.copy_(source)
        end.record()
        torch.cuda.synchronize()
        best = min(best, float(begin.elapsed_time(end)) / 1000)
    return 2 * size / best


async def throughput(engine: GptqEngine, at_once: int, new_tokens: int, words: int) -> list[float]:
    """Seconds of each of `at_once` answers that are asked for together."""
    options = Generation(max_new_tokens=new_tokens)

    async def one(number: int) -> float:
        begin = time.perf_counter()
        await engine.generate(Prompt(f"{number} " + "queue " * words), options)
        return time.perf_counter() - begin

    return await asyncio.gather(*(one(number) for number in range(at_once)))


def in_the_model(engine: GptqEngine) -> list[float]:
    """Watches the forward passes; the seconds of each are appended to what is returned."""
    import torch

    batch = engine._batch
    forward, seconds = batch._forward, []

    def timed(ids: Any, places: Any, behind: Any) -> Any:
        begin = time.perf_counter()
        logits = forward(ids, places, behind)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
        return logits

    batch._forward = timed  # type: ignore[method-assign]
    return seconds


async def measure(name: str, asked: argparse.Namespace) -> None:
    place = Path(tempfile.mkdtemp(prefix="gptq-", dir=asked.data_dir))
    try:
        read = random_gptq(place / name, SIZES[name])
        began = time.perf_counter()
        checkpoint = load_checkpoint(place / name, device="auto")
        print(f"\n## {name}: {read / 1e9:.2f} GB read a token, loaded in "
              f"{time.perf_counter() - began:.0f} s, {kernels(checkpoint.model)}, {checkpoint.device}\n")  # fmt: skip
        settings = ModelSettings(max_batch=256, max_waiting=1024, timeout=600)
        engine = GptqEngine(checkpoint, settings)
        # A token a pass: what random weights say again and again would be guessed, and flatter.
        engine._batch._together = 1
        try:
            await engine.warm_up()
            await _floor(engine, read, checkpoint.device, asked.new_tokens)
            await _rates(engine, asked)
        finally:
            await engine.close()
    finally:
        shutil.rmtree(place)


async def _floor(engine: GptqEngine, read: int, device: str, new_tokens: int) -> None:
    took = statistics.median([(await throughput(engine, 1, new_tokens, 1))[0] for _ in range(3)])
    a_token = took / new_tokens
    print(f"one answer: {1000 * a_token:.2f} ms a token, {1 / a_token:.1f} tokens/s")
    if device == "cuda":
        floor = read / copy_bandwidth()
        print(f"floor by the copy bandwidth: {1000 * floor:.2f} ms; {a_token / floor:.2f} times it")


async def _rates(engine: GptqEngine, asked: argparse.Namespace) -> None:
    print("\n| at once | tokens/s | ratio to 1 | p50 s | p95 s | outside the model |")
    print("|---|---|---|---|---|---|")
    seconds = in_the_model(engine)
    single = 0.0
    for at_once in map(int, asked.requests.split(",")):
        seconds.clear()
        begin = time.perf_counter()
        answers = sorted(await throughput(engine, at_once, asked.new_tokens, 64))
        took = time.perf_counter() - begin
        rate = at_once * asked.new_tokens / took
        single = single or rate
        outside = 1 - sum(seconds) / took
        late = answers[min(len(answers) - 1, int(0.95 * len(answers)))]
        print(
            f"| {at_once} | {rate:.0f} | {rate / single:.1f} | {statistics.median(answers):.2f} | "
            f"{late:.2f} | {100 * outside:.0f} % |"
        )


async def run(asked: argparse.Namespace) -> None:
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no card"
    print(f"{card}, torch {torch.__version__}")
    for name in asked.sizes.split(","):
        await measure(name, asked)
