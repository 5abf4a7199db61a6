"""A GGUF file of a tiny LLaMA, read by us and by transformers."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from support.tiny_model import tiny_tokenizer

from core.engine.gguf_file import load_generator
from core.errors import ModelNotReady

pytestmark = pytest.mark.slow

WIDTH, INNER, HEADS, KEY_HEADS, LAYERS = 64, 96, 4, 2, 2
KEYS = WIDTH // HEADS * KEY_HEADS
PARTS = {
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (KEYS, WIDTH),
    "attn_v": (KEYS, WIDTH),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (INNER, WIDTH),
    "ffn_up": (INNER, WIDTH),
    "ffn_down": (WIDTH, INNER),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    told = json.loads(tiny_tokenizer().backend_tokenizer.to_str())["model"]
    words = sorted(told["vocab"], key=told["vocab"].get)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(len(words))
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_context_length(512)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(5000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3 if word.startswith("<|") else 1 for word in words])
    writer.add_token_merges([" ".join(pair) for pair in told["merges"]])
    for number, name in enumerate(("unk", "bos", "eos")):
        getattr(writer, f"add_{name}_token_id")(number)
    random = np.random.default_rng(3)

    def add(name: str, shape: tuple[int, ...], kind: gguf.GGMLQuantizationType) -> None:
        numbers = random.normal(size=shape).astype(np.float32)
        packed = gguf.quantize(numbers, kind)
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=kind)

    kinds = gguf.GGMLQuantizationType
    add("token_embd", (len(words), WIDTH), kinds.Q8_0)
    for layer in range(LAYERS):
        for part, shape in PARTS.items():
            add(f"blk.{layer}.{part}", shape, kinds.Q4_1)
        for part in ("attn_norm", "ffn_norm"):
            add(f"blk.{layer}.{part}", (WIDTH,), kinds.F32)
    add("output_norm", (WIDTH,), kinds.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_weights_settings_and_tokens_are_those_that_transformers_reads(file: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ours, tokenizer = load_generator(file)
    theirs = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )
    known = theirs.state_dict()
    assert ours.state_dict().keys() == known.keys()
    for name, weights in ours.state_dict().items():
        assert torch.equal(weights, known[name]), name
    ids = torch.arange(20).reshape(2, 10)
    with torch.inference_mode():
        assert torch.equal(ours(ids).logits, theirs(ids).logits)
    for name in ("max_position_embeddings", "bos_token_id", "eos_token_id", "rms_norm_eps"):
        assert getattr(ours.config, name) == getattr(theirs.config, name)
    usual = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    assert tokenizer.backend_tokenizer.to_str() == usual.backend_tokenizer.to_str()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"GGML" + data[4:], "begins otherwise"),
        (lambda data: data[:4] + b"\x09" + data[5:], "version 9"),
        (lambda data: data[:200], "cannot be read"),
        (lambda data: data[:-500], "cannot be read"),
        (lambda data: data.replace(b"llama", b"mamba"), "not read here"),
    ],
)
def test_what_is_damaged_or_of_another_kind_is_one_sentence(
    file: Path, damage: object, reason: str
) -> None:
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ModelNotReady, match=reason):
        load_generator(file)
