"""What the GPU engine does on a real card; see bench_engine.py --gpu.

Random weights, packed as gptqmodel packs them (symmetric, 4 bits, groups of 128), of the sizes of
a 7 B and a 32 B model: speed does not depend on what the weights say. Decoding one answer reads
every weight once a token, so bytes of weights over the measured copy bandwidth is the floor.

In one run, with the same weights: `generate` one request after the other (the plain loop), `generate`
over all of them at once (a padded batch, here without padding: all prompts and answers are of one
length, which is the best that it can have), our batch with every pass run anew, and as it is served,
with its passes recorded. --checkpoint FOLDER measures a real one as well (--sizes '' for it alone).

--texts FILE.jsonl ("content" in each row) asks real articles of at most --words words, and --guesses adds
our batch with guesses (`core/engine/lookup.py`), which say something of a real model with real texts only.
--squeeze N asks the last number of requests once more while others hold all memory but N GB.
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
    texts: tuple[str, ...] = ()

    def prompts(self) -> list[Prompt]:
        said = [self._words(number) for number in range(self.at_once)]
        if not self.texts:
            return [Prompt(f"{number:04d} {words}") for number, words in enumerate(said)]
        return [Prompt(f"Summarize this text ({n}):\n\n{words}") for n, words in enumerate(said)]

    def _words(self, number: int) -> str:
        if not self.texts:
            return "queue " * self.words
        return " ".join(self.texts[number % len(self.texts)].split()[: self.words])


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
    longest = max(map(len, ids))
    filled = [[0] * (longest - len(one)) + one for one in ids]
    seen = [[0] * (longest - len(one)) + [1] * len(one) for one in ids]
    given, mask = (torch.tensor(one, device=checkpoint.model.device) for one in (filled, seen))
    begin = time.perf_counter()
    with torch.inference_mode():
        checkpoint.model.generate(
            given,
            attention_mask=mask,
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
    """Rows as they come, in Markdown; `loop`: tokens a second of the plain loop; `read`: tokens of a
    prompt, on average."""

    def __init__(self) -> None:
        self.loop = 0.0
        self.read = 0
        print(
            "\n| at once | tokens of a prompt | engine | tokens/s | to the plain loop | p50 s | p95 s "
            "| outside the model |"
        )
        print("|---|---|---|---|---|---|---|---|")

    def row(
        self,
        engine: str,
        load: Load,
        took: float,
        answers: list[float],
        inside: float | None = None,
        tokens: int = 0,
    ) -> None:
        rate = (tokens or load.at_once * load.new_tokens) / took
        self.loop = self.loop or rate
        late = sorted(answers)[min(len(answers) - 1, int(0.95 * len(answers)))]
        outside = "" if inside is None else f"{100 * (1 - inside / took):.0f} %"
        print(
            f"| {load.at_once} | {self.read} | {engine} | {rate:.0f} | {rate / self.loop:.2f} | "
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
    guesses = engine._batch._together
    # A token a pass: what random weights say again and again would be guessed, and flatter.
    engine._batch._together = 1
    try:
        await engine.warm_up()
        await _floor(engine, read, checkpoint.device, asked.new_tokens)
        await _rates(engine, checkpoint, asked, guesses if asked.guesses else 0)
        if asked.squeeze and checkpoint.device == "cuda":
            await _squeezed(engine, _load(asked, int(asked.requests.split(",")[-1])), asked.squeeze)
    finally:
        await engine.close()


def _load(asked: argparse.Namespace, at_once: int, new_tokens: int = 0) -> Load:
    texts = ()
    if asked.texts:
        lines = asked.texts.read_text(encoding="utf-8").splitlines()
        texts = tuple(json.loads(line)["content"] for line in lines)
    return Load(at_once, new_tokens or asked.new_tokens, asked.words, texts)


async def _squeezed(engine: GptqEngine, load: Load, left: float) -> None:
    """The same requests with and without the memory that others now hold."""
    import torch

    def told(name: str, begin: float, back: int) -> None:
        batch = engine._batch
        print(
            f"{name}: {load.at_once} answers in {time.perf_counter() - begin:.1f} s, handed back "
            f"{batch.counts.handed_back - back}, at most {batch.max_rows} together since; "
            f"{torch.cuda.memory_allocated() / 1e9:.2f} GB held",
            flush=True,
        )

    held = None
    for name in ("all memory free", f"all but {left:g} GB held by others", "given back"):
        engine._batch.forget()
        torch.cuda.empty_cache()
        if name.startswith("all but"):
            free, _ = torch.cuda.mem_get_info()
            held = torch.empty(free - int(left * 1e9), dtype=torch.uint8, device="cuda")
        elif held is not None:
            del held
            torch.cuda.empty_cache()
        begin, back = time.perf_counter(), engine.counts.handed_back
        await throughput(engine, load)
        told(name, begin, back)


async def _floor(engine: GptqEngine, read: int, device: str, new_tokens: int) -> None:
    """One answer by the difference of a long and a short one: what a further token takes. A real
    model may end its answer sooner; then there is none."""
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
        written = []
        for load in (short, long):
            before = engine.counts.tokens
            await throughput(engine, load)
            written.append(engine.counts.tokens - before)
        further = written[1] - written[0]
        if further < new_tokens:
            print(f"one answer, {name}: it ends by itself after {written[1]} tokens")
            continue
        took = [
            [(await throughput(engine, load))[0] for _ in range(times)] for load in (short, long)
        ]
        a_token = (statistics.median(took[1]) - statistics.median(took[0])) / further
        beside = f"; {a_token / floor:.2f} times the floor" if floor else ""
        print(
            f"one answer, {name}: {1000 * a_token:.2f} ms a token, {1 / a_token:.1f} tokens/s{beside}",
            flush=True,
        )


async def _rates(
    engine: GptqEngine, checkpoint: Checkpoint, asked: argparse.Namespace, guesses: int
) -> None:
    seconds = in_the_model(engine)
    batch = engine._batch
    recordings = batch._recordings
    ways: dict[str, tuple[Any, int]] = {"ours, run anew": (None, 1)} | (
        {"ours": (recordings, 1)} if recordings is not None else {}
    )
    ways |= {"ours, guessing": (recordings, guesses)} if guesses else {}
    table, apart = Table(), list[str]()
    for at_once in map(int, asked.requests.split(",")):
        load, warm = _load(asked, at_once), _load(asked, at_once, 8)
        read = sum(len(checkpoint.template.ids(one)) for one in load.prompts())
        table.read = round(read / at_once)
        if at_once <= asked.padded:
            if at_once <= _ANEW:  # many are warm within the first tenth of what they take
                generated(checkpoint, _load(asked, at_once, 2))
            took = await asyncio.to_thread(generated, checkpoint, load)
            table.row(
                "plain loop" if at_once == 1 else "padded batch", load, took, [took] * at_once
            )
        for name, (kept, together) in ways.items():
            if name == "ours, run anew" and recordings is not None and at_once > _ANEW:
                continue
            batch._recordings, batch._together = kept, together
            await throughput(engine, warm)
            seconds.clear()
            before, begin = engine.counts.tokens, time.perf_counter()
            answers = await throughput(engine, load)
            took, written = time.perf_counter() - begin, engine.counts.tokens - before
            table.row(name, load, took, answers, sum(seconds), written)
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
