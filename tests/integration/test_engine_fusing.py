"""Wider layers, norms of one program and attention by products say what the model said before."""

from __future__ import annotations

from typing import Any

import pytest
from support.tiny_model import CHATS, SONG, chatml, tiny_checkpoint

from core.engine import fusing
from core.engine.checkpoints import load_checkpoint
from core.engine.fusing import fuse
from core.engine.gptq import GptqEngine
from core.ports import Generation, Prompt
from core.settings import ModelSettings

ANSWER = Generation(max_new_tokens=60)
_SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 50,
    "max_position_embeddings": 64,
    "attn_implementation": "sdpa",
}


def a_model(kind: str, **changes: Any) -> Any:
    """Of random weights and norms that are not all one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **{**_SMALL, **changes})
    torch.manual_seed(11)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.3 * torch.rand_like(weights))
    return model


def scores(model: Any) -> Any:
    import torch

    ids = torch.arange(24).view(2, 12) % 50
    with torch.inference_mode():
        return model(input_ids=ids).logits


@pytest.mark.parametrize(
    ("kind", "joined", "norms"),
    # Qwen 2 has biases, Qwen 3 norms of single heads, Gemma adds one to the weights of its norms.
    [("llama", 4, 5), ("qwen2", 4, 5), ("qwen3", 4, 9), ("mistral", 4, 5), ("gemma3_text", 4, 0)],
)
def test_a_fused_model_says_the_same_and_what_is_not_known_stays(
    kind: str, joined: int, norms: int
) -> None:
    import torch

    model = a_model(kind, **({"layer_types": ["full_attention"] * 2} if "gemma" in kind else {}))
    before = scores(model)
    assert fuse(model) == joined
    assert sum("forward" in vars(part) for part in model.modules()) == 5 * 2 + norms
    assert torch.allclose(scores(model), before, atol=1e-4)
    assert torch.allclose(scores(model), before, atol=1e-4), "the second time"


def test_layers_of_unlike_inputs_or_adapters_stay_apart() -> None:
    from peft import LoraConfig, get_peft_model

    adapted: Any = get_peft_model(a_model("llama"), LoraConfig(target_modules=["v_proj"]))
    before = scores(adapted)
    assert fuse(adapted) == 2  # the gates; one of three is an adapter's
    assert scores(adapted).allclose(before, atol=1e-4)


def test_a_part_asked_for_alone_is_its_own_columns() -> None:
    import torch

    model = a_model("llama")
    part = model.model.layers[0].self_attn.v_proj
    given = torch.randn(3, 32)
    before = part(given)
    fuse(model)
    other = torch.randn(3, 32)
    for _ in range(2):  # never mind that nobody asks for the others
        part(other)
        assert part(given).allclose(before, atol=1e-5)


@pytest.mark.parametrize("long", [1, 10_000], ids=["by products", "by torch"])
async def test_answers_are_the_same_word_for_word(
    monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    monkeypatch.setattr(fusing, "_LONG", long)
    answers = []
    for fused in (False, True):
        checkpoint = load_checkpoint(tiny_checkpoint(), device="cpu")
        if fused:
            assert fuse(checkpoint.model) == 4
        engine = GptqEngine(checkpoint, ModelSettings(max_batch=4))
        asked = [Prompt(chatml(question)) for question in (*CHATS, SONG)]
        answers.append([await engine.generate(prompt, ANSWER) for prompt in asked])
        answers[-1] += await engine.search(asked[0], Generation(max_new_tokens=20, beams=3))
        await engine.close()
    assert answers[0] == answers[1]


def test_attention_by_products_is_taken_for_few_tokens_far_back_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch
    from transformers.integrations import sdpa_attention

    class Layer:
        num_key_value_groups = 2
        is_causal = True

    usual: list[int] = []
    sdpa = sdpa_attention.sdpa_attention_forward

    def watched(*given: Any, **named: Any) -> Any:
        usual.append(1)
        return sdpa(*given, **named)

    monkeypatch.setattr(sdpa_attention, "sdpa_attention_forward", watched)
    torch.manual_seed(3)
    layer: Any = Layer()

    def some(rows: int, tokens: int, places: int) -> tuple[Any, Any, Any, Any]:
        query = torch.randn(rows, 4, tokens, 8)
        key, value = torch.randn(rows, 2, places, 8), torch.randn(rows, 2, places, 8)
        return query, key, value, torch.rand(rows, 1, tokens, places) < 0.7

    for rows, tokens, places, by_torch in (
        (1, 1, 600, 0),
        (8, 9, 512, 0),
        (9, 1, 600, 1),
        (1, 17, 600, 1),
        (1, 1, 500, 1),
    ):
        given = some(rows, tokens, places)
        usual.clear()
        found, _ = fusing.attention(layer, *given, scaling=0.4)
        assert len(usual) == by_torch, (rows, tokens, places)
        expected, _ = sdpa(layer, *given, scaling=0.4)
        assert found.shape == expected.shape == (rows, tokens, 4, 8)
        assert torch.allclose(found, expected, atol=1e-5)
    # Scores that get something added are not ours.
    usual.clear()
    fusing.attention(layer, *some(1, 1, 600), position_bias=torch.zeros(1, 4, 1, 600))
    assert usual
