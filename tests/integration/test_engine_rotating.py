"""Turned states say what they said before, and 8 bits cost them less."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from support.tiny_model import tiny_tokenizer

from core.engine.rotating import rotate

pytestmark = pytest.mark.slow

_SMALL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 128,
}
_OUTLIERS = [3, 40]


def a_model(kind: str, **changes: Any) -> Any:
    """Of random weights, norms that are not all one, and states of which two numbers are huge."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, vocab_size=len(tiny_tokenizer()), **{**_SMALL, **changes})
    torch.manual_seed(11)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            # Also biases, which are all nothing in a new model.
            weights.add_(0.1 * torch.randn_like(weights))
            if name.endswith(("layernorm.weight", "model.norm.weight")):
                weights[_OUTLIERS] = 30.0
    return model


def ids() -> Any:
    import torch

    return torch.arange(48).view(2, 24) * 7 % 300


def scores(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(input_ids=ids()).logits


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("llama", {}),
        ("llama", {"attention_bias": True, "mlp_bias": True}),
        ("mistral", {}),
        ("qwen2", {}),
        ("qwen3", {}),
    ],
)
def test_a_turned_model_says_the_same(kind: str, changes: dict[str, Any], tied: bool) -> None:
    import torch

    model = a_model(kind, tie_word_embeddings=tied, **changes)
    before, states = scores(model), model.get_input_embeddings().weight.detach().clone()
    assert rotate(model)
    assert not torch.allclose(model.get_input_embeddings().weight, states, atol=0.01)
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    torch.testing.assert_close(scores(model), before, rtol=1e-3, atol=1e-3)


def test_a_family_whose_norms_are_others_stays_as_it_is() -> None:
    import torch

    model = a_model("gemma3_text")
    before = copy.deepcopy(model.state_dict())
    assert not rotate(model)
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, before[name]), name


def test_eight_bits_cost_less(tmp_path: Path) -> None:
    from core.engine.converting import convert

    model, tokenizer = a_model("llama", tie_word_embeddings=True), tiny_tokenizer()
    wanted = scores(model)
    # The converter takes the model apart.
    convert(copy.deepcopy(model), tokenizer, tmp_path / "plain", turned=False)
    convert(model, tokenizer, tmp_path / "turned")
    off = {name: _off(tmp_path / name, tokenizer, wanted) for name in ("turned", "plain")}
    assert off["turned"] < off["plain"] / 2


def _off(folder: Path, tokenizer: Any, wanted: Any) -> float:
    """How far CTranslate2's logarithms of probabilities are from the model's own, on average."""
    import ctranslate2
    import numpy as np
    import torch

    engine = ctranslate2.Generator(str(folder), compute_type="int8", intra_threads=1)
    rows = [tokenizer.convert_ids_to_tokens(row) for row in ids().tolist()]
    found = np.array(engine.forward_batch(rows, return_log_probs=True))
    return float(np.abs(found - torch.log_softmax(wanted, -1).numpy()).mean())
