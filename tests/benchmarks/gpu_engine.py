"""What the GPU engine does on a real card; see bench_engine.py --gpu.

Random weights, packed as gptqmodel packs them (symmetric, 4 bits, groups of 128), of the sizes of
a 7 B and a 32 B model: speed does not depend on what the weights say. Decoding one answer reads
every weight once a token, so bytes of weights over the measured copy bandwidth is the floor.

In one run, with the same weights: `generate` one request after the other (the plain loop), `generate`
over all of them at once (a padded batch, here without padding: all prompts and answers are of one
length, which is the best that it can have), our batch with every pass run anew, and as it is served,
with its passes recorded. --checkpoint FOLDER measures a real one as well (--sizes '' for it alone).
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

from benchmarks.gpu_apart import taken_apart  # noqa: E402
from support.tiny_model import tiny_tokenizer  # noqa: E402

from core.engine.chat import ModelCard  # noqa: E402
from core.engine.checkpoints import Checkpoint, kernels, load_checkpoint  # noqa: E402
from core.engine.gptq import GptqEngine  # noqa: E402
from core.ports import Generation, Prompt  # noqa: E402
from core.settings import ModelSettings  # noqa: E402

NEVER = ("<gh_stars>",)  # an end token that is never written: all answers are of one length
GROUP = 128
_ANEW = 16  # at most so many at once are also measured with every pass run anew: it is slow


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
    device = "cuda" if torch.cuda.is_available() else "cpu"
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
        tensors = {key: one.cpu() for key, one in tensors.items()}
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
            tensors[f"{at}.qweight"] = torch.randint(
                -(2**31), 2**31 - 1, (inputs // 8, outputs), dtype=torch.int32, device=device
            )
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
    wide = 0.02 * torch.randn(size.vocabulary, size.hidden, device=device)
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
    # Every number that the model can write is some text, as with a real one.
    tiny_tokenizer(size.vocabulary - 330).save_pretrained(folder)
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


def kernel_error(model: Any, folder: Path) -> float:
    """How far the first layer's fast product is from the slow one, as a share of its length."""
    import torch
    from safetensors import safe_open

    at = "model.layers.0.mlp.gate_proj"
    with safe_open(folder / "layer-000.safetensors", framework="pt") as file:
        words, scales = file.get_tensor(f"{at}.qweight"), file.get_tensor(f"{at}.scales")
    shifts = torch.arange(0, 32, 4, dtype=torch.int32)
    levels = (words[:, None, :] >> shifts[None, :, None]) & 15
    levels = levels.reshape(-1, words.shape[1]).double() - 8
    weights = levels * scales.double().repeat_interleave(GROUP, 0)
    given = torch.randn(5, weights.shape[0], device=model.device, dtype=model.dtype)
    with torch.inference_mode():
        fast = model.get_submodule(at)(given)
    slow = given.double() @ weights.to(model.device)
    return float((fast.double() - slow).norm() / slow.norm())


@dataclass(frozen=True)
class Load:
    """So many requests together; tokens to write and words to read for each."""

    at_once: int
    new_tokens: int
    words: int

    def prompts(self) -> list[Prompt]:
        return [Prompt(f"{number:04d} " + "queue " * self.words) for number in range(self.at_once)]


async def throughput(engine: GptqEngine, load: Load) -> list[float]:
    """Seconds of each of the answers that are asked for together."""
    options = Generation(max_new_tokens=load.new_tokens)

    async def one(prompt: Prompt) -> float:
        begin = time.perf_counter()
        await engine.generate(prompt, options)
        return time.perf_counter() - begin

    return await asyncio.gather(*map(one, load.prompts()))


def generated(checkpoint: Checkpoint, load: Load) -> float:
    """Seconds of transformers' own `generate` over all of them at once."""
    import torch

    ids = [checkpoint.template.ids(prompt) for prompt in load.prompts()]
    given = torch.tensor([one[-len(ids[0]) :] for one in ids], device=checkpoint.model.device)
    begin = time.perf_counter()
    with torch.inference_mode():
        checkpoint.model.generate(
            given,
            attention_mask=torch.ones_like(given),
            do_sample=False,
            max_new_tokens=load.new_tokens,
            min_new_tokens=load.new_tokens,
            pad_token_id=0,
        )
    if checkpoint.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def in_the_model(engine: GptqEngine) -> list[float]:
    """Watches the passes; the seconds of each are appended to what is returned."""
    import torch

    batch: Any = engine._batch
    seconds: list[float] = []

    def watched(run: Any) -> Any:
        def timed(*values: Any) -> Any:
            begin = time.perf_counter()
            logits = run(*values)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - begin)
            return logits

        return timed

    batch._forward_pieces = watched(batch._forward_pieces)
    batch._written = watched(batch._written)
    return seconds


class Table:
    """Rows as they come, in Markdown; `loop`: tokens a second of the plain loop."""

    def __init__(self) -> None:
        self.loop = 0.0
        print(
            "\n| at once | engine | tokens/s | to the plain loop | p50 s | p95 s | outside the model |"
        )
        print("|---|---|---|---|---|---|---|")

    def row(
        self, engine: str, load: Load, took: float, answers: list[float], inside: float | None
    ) -> None:
        rate = load.at_once * load.new_tokens / took
        self.loop = self.loop or rate
        late = sorted(answers)[min(len(answers) - 1, int(0.95 * len(answers)))]
        outside = "" if inside is None else f"{100 * (1 - inside / took):.0f} %"
        print(
            f"| {load.at_once} | {engine} | {rate:.0f} | {rate / self.loop:.2f} | "
            f"{statistics.median(answers):.2f} | {late:.2f} | {outside} |",
            flush=True,
        )


async def measure(name: str, asked: argparse.Namespace) -> None:
    place = Path(tempfile.mkdtemp(prefix="gptq-", dir=asked.data_dir))
    try:
        began = time.perf_counter()
        read = random_gptq(place / name, SIZES[name])
        made = time.perf_counter()
        checkpoint = load_checkpoint(place / name, device="auto")
        print(f"\n## {name}: {read / 1e9:.2f} GB read a token, made in {made - began:.0f} s, loaded in "
              f"{time.perf_counter() - made:.0f} s, {kernels(checkpoint.model)}, {checkpoint.device}, "
              f"{checkpoint.model.dtype}")  # fmt: skip
        error = kernel_error(checkpoint.model, place / name)
        print(f"kernel against the product in float64: {error:.1e} apart", flush=True)
    finally:
        shutil.rmtree(place)
    await _measured(checkpoint, read, asked)


async def _measured(checkpoint: Checkpoint, read: int, asked: argparse.Namespace) -> None:
    settings = ModelSettings(max_batch=256, max_waiting=1024, timeout=600)
    engine = GptqEngine(checkpoint, settings)
    # A token a pass: what random weights say again and again would be guessed, and flatter.
    engine._batch._together = 1
    try:
        await engine.warm_up()
        await _floor(engine, read, checkpoint.device, asked.new_tokens)
        await _rates(engine, checkpoint, asked)
    finally:
        await engine.close()


async def _floor(engine: GptqEngine, read: int, device: str, new_tokens: int) -> None:
    """One answer by the difference of a long and a short one: what a further token takes."""
    short, long = Load(1, new_tokens, 1), Load(1, 3 * new_tokens, 1)
    floor = read / copy_bandwidth() if device == "cuda" else 0.0
    if floor:
        print(f"floor by the copy bandwidth: {1000 * floor:.2f} ms a token")
    recordings = engine._batch._recordings
    # Run anew it is slow: once.
    for name, kept, times in (("run anew", None, 1), ("recorded", recordings, 3)):
        if name == "recorded" and recordings is None:
            continue
        engine._batch._recordings = kept
        for load in (short, long):
            await throughput(engine, load)
        took = [
            [(await throughput(engine, load))[0] for _ in range(times)] for load in (short, long)
        ]
        a_token = (statistics.median(took[1]) - statistics.median(took[0])) / (2 * new_tokens)
        beside = f"; {a_token / floor:.2f} times the floor" if floor else ""
        print(
            f"one answer, {name}: {1000 * a_token:.2f} ms a token, {1 / a_token:.1f} tokens/s{beside}",
            flush=True,
        )


async def _rates(engine: GptqEngine, checkpoint: Checkpoint, asked: argparse.Namespace) -> None:
    seconds = in_the_model(engine)
    recordings = engine._batch._recordings
    table, apart = Table(), list[str]()
    for at_once in map(int, asked.requests.split(",")):
        load = Load(at_once, asked.new_tokens, 48)
        warm = Load(at_once, 8, 48)
        generated(checkpoint, Load(at_once, 2, 48))
        took = await asyncio.to_thread(generated, checkpoint, load)
        table.row(
            "plain loop" if at_once == 1 else "padded batch", load, took, [took] * at_once, None
        )
        for name, kept in (("ours, run anew", None), ("ours", recordings)):
            anew = kept is None and recordings is not None
            if (name == "ours" and recordings is None) or (anew and at_once > _ANEW):
                continue
            engine._batch._recordings = kept
            await throughput(engine, warm)
            seconds.clear()
            begin = time.perf_counter()
            answers = await throughput(engine, load)
            took = time.perf_counter() - begin
            table.row(name, load, took, answers, sum(seconds))
            if asked.apart and kept is not None:
                apart.extend(
                    f"\na recorded pass over {rows} rows, {tokens} token each:\n\n{taken_apart(made.play)}"
                    for (rows, tokens), made in kept._made.items()
                )
    print("\n".join(apart), flush=True)


async def run(asked: argparse.Namespace) -> None:
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no card"
    print(f"{card}, torch {torch.__version__}")
    if torch.cuda.is_available():
        print(f"copying reads and writes {copy_bandwidth() / 1e12:.2f} TB/s")
    for name in filter(None, asked.sizes.split(",")):
        await measure(name, asked)
    if asked.checkpoint:
        checkpoint = load_checkpoint(asked.checkpoint, device="auto")
        read = sum(path.stat().st_size for path in asked.checkpoint.glob("*.safetensors"))
        kernel = kernels(checkpoint.model) or "no GPTQ layers"
        print(f"\n## {asked.checkpoint.name}: {read / 1e9:.2f} GB, {kernel}, {checkpoint.device}")
        await _measured(checkpoint, read, asked)
