"""A model whose states are turned before it is rounded to 8 bits: the same answers, no outliers.

A few of a state's numbers are tens of times as large as the rest, always at the same places. Where
a row is rounded to 8 bits by its largest, they leave the others a few steps. In another basis they
are spread over all places, and a Llama cannot tell: RMSNorm keeps lengths, so the turn is undone in
the matrices that read a state and done in those that write one. Ashkboos et al., "QuaRot:
Outlier-Free 4-Bit Inference in Rotated LLMs" (2024), with the residual stream only: nothing is
calculated while the model runs.

The reading matrix of the words and the writing one of the answers differ afterwards (the last
norm's weights go into one of them), so a model that has one for both gets a second.
"""

from __future__ import annotations

from typing import Any

# Bump it when the result becomes another one: prepared models are named by it.
VERSION = 1
# RMSNorm with weights that multiply, and nothing else between a state and the matrices. (Gemma's
# norms add one to their weights and stand behind the matrices as well.)
_FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
_SEED = 17
_READ_BY = {
    "input_layernorm": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "post_attention_layernorm": ("mlp.gate_proj", "mlp.up_proj"),
}
_WRITE = ("self_attn.o_proj", "mlp.down_proj")


def rotate(model: Any) -> bool:
    """In place, calculated in 64 bits; False, and nothing done, for a family not known here."""
    import torch

    if model.config.model_type not in _FAMILIES:
        return False
    with torch.no_grad():
        words = model.get_input_embeddings()
        turn = _orthogonal(words.weight.shape[1])
        head = model.get_output_embeddings()
        if head.weight is words.weight:
            head.weight = torch.nn.Parameter(words.weight.detach().clone())
            model.config.tie_word_embeddings = False
        _set(words, words.weight.double() @ turn)
        for layer in model.model.layers:
            for norm, readers in _READ_BY.items():
                _fold(layer.get_submodule(norm), [layer.get_submodule(n) for n in readers], turn)
            for name in _WRITE:
                writer = layer.get_submodule(name)
                _set(writer, turn.T @ writer.weight.double())
                if writer.bias is not None:
                    writer.bias.copy_(writer.bias.double() @ turn)
        _fold(model.model.norm, [head], turn)
    return True


def _fold(norm: Any, readers: list[Any], turn: Any) -> None:
    """What the norm multiplies with goes into the matrices behind it, and the turn after that."""
    for reader in readers:
        _set(reader, (reader.weight.double() * norm.weight.double()) @ turn)
    norm.weight.fill_(1)


def _set(module: Any, weight: Any) -> None:
    module.weight.copy_(weight)


def _orthogonal(size: int) -> Any:
    import torch

    some = torch.Generator().manual_seed(_SEED)
    normal = torch.randn(size, size, generator=some, dtype=torch.float64)
    return torch.linalg.qr(normal).Q
