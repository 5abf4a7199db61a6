"""The published generator out of its GGUF file, as transformers' model and tokenizer.

transformers can read the file too, but reads it three times, each of its hundred thousand words
through a memory map of its own: half a minute of a processor. Here it is walked through once.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelNotReady

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
# The format's types of values of one size, as `struct` calls them, and the two of any size.
_SIZED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
_ALIGNMENT = 32  # where the file names no other

_OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_INSIDE = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor: `shape` with the fastest dimension last, `kind` of its numbers, `start` in bytes."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int


@dataclass(frozen=True, slots=True)
class Header:
    """`said`: the metadata by their keys."""

    said: dict[str, Any]
    tensors: tuple[Stored, ...]


def load_generator(path: Path) -> tuple[Any, Any]:
    """Model, in 32-bit numbers, and tokenizer. Raises ModelNotReady."""
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            header = _Walk(data).header()
            if header.said.get("general.architecture") != "llama":
                raise ModelNotReady(str(path), "it is of a kind that is not read here")
            config, weights = _config(header), _weights(data, header)
        except (struct.error, UnicodeDecodeError, KeyError, ValueError) as error:
            raise ModelNotReady(str(path), f"it cannot be read as GGUF ({error})") from error
    model = LlamaForCausalLM.from_pretrained(
        None, config=config, state_dict=weights, dtype=config.dtype
    )
    return model, PreTrainedTokenizerFast.from_pretrained(path.parent, gguf_file=path.name)


class _Walk:
    def __init__(self, data: Any) -> None:
        self._data, self._at = data, 0

    def header(self) -> Header:
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise ValueError("another file begins otherwise")
        self._at = len(_MAGIC)
        version, tensors, values = self._next("IQQ")
        if version not in _VERSIONS:
            raise ValueError(f"version {version}")
        said = {self._text(): self._value() for _ in range(values)}
        found = [self._tensor() for _ in range(tensors)]
        step = said.get("general.alignment", _ALIGNMENT)
        begin = -(-self._at // step) * step
        return Header(
            said, tuple(Stored(name, shape, kind, begin + at) for name, shape, kind, at in found)
        )

    def _next(self, kinds: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{kinds}", self._data, self._at)
        self._at += struct.calcsize(f"<{kinds}")
        return found

    def _text(self) -> str:
        (length,) = self._next("Q")
        begin, self._at = self._at, self._at + length
        return bytes(self._data[begin : self._at]).decode("utf-8")

    def _value(self) -> Any:
        (kind,) = self._next("I")
        if kind == _TEXT:
            return self._text()
        if kind != _LIST:
            return self._next(_SIZED[kind])[0]
        each, count = self._next("IQ")
        if each == _TEXT:
            return [self._text() for _ in range(count)]
        return list(self._next(f"{count}{_SIZED[each]}"))

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._text()
        (dimensions,) = self._next("I")
        shape = self._next(f"{dimensions}Q")
        kind, offset = self._next("IQ")
        return name, shape[::-1], kind, offset


def _config(header: Header) -> Any:
    import torch
    from transformers import LlamaConfig

    def said(key: str) -> Any:
        return header.said[f"llama.{key}"]

    def token(name: str) -> Any:
        return header.said.get(f"tokenizer.ggml.{name}_token_id")

    return LlamaConfig(
        vocab_size=said("vocab_size"),
        hidden_size=said("embedding_length"),
        intermediate_size=said("feed_forward_length"),
        num_hidden_layers=said("block_count"),
        num_attention_heads=said("attention.head_count"),
        num_key_value_heads=said("attention.head_count_kv"),
        max_position_embeddings=said("context_length"),
        rms_norm_eps=said("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": said("rope.freq_base")},
        bos_token_id=token("bos"),
        eos_token_id=token("eos"),
        pad_token_id=token("padding"),
        tie_word_embeddings=all(one.name != "output.weight" for one in header.tensors),
        dtype=torch.float32,
    )


def _weights(data: Any, header: Header) -> dict[str, Any]:
    """By the names that transformers has for them."""
    heads = {
        "attn_q": header.said["llama.attention.head_count"],
        "attn_k": header.said["llama.attention.head_count_kv"],
    }
    found = {}
    for stored in header.tensors:
        *block, part, ending = stored.name.split(".")
        weights = _numbers(data, stored)
        if part in heads:
            weights = _turned(weights, heads[part])
        inside = f"model.layers.{block[1]}.{_INSIDE[part]}" if block else _OUTSIDE[part]
        found[f"{inside}.{ending}"] = weights
    return found


def _numbers(data: Any, stored: Stored) -> Any:
    import numpy as np
    import torch
    from gguf import GGMLQuantizationType, dequantize, quant_shape_to_byte_shape

    kind = GGMLQuantizationType(stored.kind)
    size = int(np.prod(quant_shape_to_byte_shape(stored.shape, kind)))
    packed = np.frombuffer(data, np.uint8, size, stored.start)
    # As one row: the library takes sixteen rows at a time, which are short here.
    numbers = dequantize(packed.reshape(1, -1), kind).reshape(stored.shape)
    return torch.from_numpy(numbers.copy())


def _turned(weights: Any, heads: int) -> Any:
    """GGUF has the two halves that a rotation takes together side by side, transformers apart."""
    pairs = weights.reshape(heads, -1, 2, weights.shape[1])
    return pairs.transpose(1, 2).reshape(weights.shape)
