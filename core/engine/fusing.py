"""Fewer and wider programs for a pass over few tokens: projections, norms and attention, fused.

A card is fast with one wide product and slow with three narrow ones: a 7 B model's keys and values
are 512 columns each, and Marlin's product with so few takes as long as one with ten times as many
(BENCHMARKS.md, "On a card"). So what is multiplied with the same input is laid side by side; norms
are one program instead of seven; and one row's attention over a long text, which torch's own kernel
leaves to as many of 132 processors as there are key heads, is two products and a softmax.

Whatever a model has that is not known here stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

log = logging.getLogger(__name__)

ATTENTION = "few_tokens"  # its name among transformers' attention functions
_TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
# What of a layer has its outputs side by side, and along which dimension.
_WEIGHTS = {
    "torch.nn.modules.linear.Linear": {"weight": 0, "bias": 0},
    "gptqmodel.nn_modules.qlinear.marlin.MarlinLinear": {"qweight": 1, "scales": 1, "bias": 0},
}
# Must be the same for all of them.
_ALIKE = ("in_features", "bits", "group_size", "desc_act", "sym", "_marlin_tile_padding")
# Measured: more rows fill a card with torch's kernel as well; a short text takes either way as long.
_FEW_ROWS = 8
_FEW_TOKENS = 16
_LONG = 512
# What some models add to their scores; torch's kernel, or transformers, knows what to do.
_ADDED = ("softcap", "s_aux", "position_bias")


def fuse(model: Any) -> int:
    """In place; returns how many layers are wider ones now."""
    import torch

    with torch.inference_mode():
        joined = 0
        for parts in _found(model):
            _lay_side_by_side(parts)
            joined += 1
        norms = sum(map(_one_norm, model.modules()))
    _take_attention(model)
    if model.device.type == "cuda":
        torch.cuda.empty_cache()  # the narrow ones'
    log.info("%d projections are wider ones, %d norms one program each", joined, norms)
    return joined


# --- projections


def _found(model: Any) -> Iterator[list[Any]]:
    for owner in list(model.modules()):
        for names in _TOGETHER:
            parts = [getattr(owner, name, None) for name in names]
            if all(part is not None for part in parts) and _can_be_joined(parts):
                yield parts


def _can_be_joined(parts: list[Any]) -> bool:
    first = parts[0]
    if _kind(first) not in _WEIGHTS or any(type(part) is not type(first) for part in parts):
        return False
    if any(getattr(part, "adapter", None) or getattr(part, "desc_act", False) for part in parts):
        return False
    if getattr(first, "_marlin_tile_padding", None) is not None:
        return False
    alike = {tuple(getattr(part, name, None) for name in _ALIKE) for part in parts}
    biased = {getattr(part, "bias", None) is not None for part in parts}
    return len(alike) == len(biased) == 1


def _kind(part: Any) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


def _lay_side_by_side(parts: list[Any]) -> None:
    """The first becomes all of them; each still answers for itself."""
    import torch

    first = parts[0]
    sizes = [int(part.out_features) for part in parts]
    for name, dimension in _WEIGHTS[_kind(first)].items():
        kept: list[Any] = [getattr(part, name, None) for part in parts]
        if kept[0] is None:
            continue
        wide = torch.cat([one.data for one in kept], dimension)
        for part in parts[1:]:
            setattr(part, name, None)
        if isinstance(kept[0], torch.nn.Parameter):
            wide = torch.nn.Parameter(wide, requires_grad=False)
        setattr(first, name, wide)
    first.out_features = sum(sizes)
    together = _Together(first.forward, sizes)
    for number, part in enumerate(parts):
        part.forward = partial(together.part, number)


class _Together:
    """One product for all who ask with the same tensor, each for its own columns."""

    def __init__(self, product: Any, sizes: list[int]) -> None:
        self._product = product
        self._sizes = sizes
        self._given: Any = None
        self._parts: list[Any] = []

    def part(self, number: int, given: Any) -> Any:
        if self._given is not given or self._parts[number] is None:
            self._given = given
            self._parts = list(self._product(given).split(self._sizes, -1))
        part, self._parts[number] = self._parts[number], None
        if all(one is None for one in self._parts):
            self._given = None  # nothing is held on to between two passes
        return part


# --- norms


def _one_norm(part: Any) -> bool:
    """Where the layer is what its name says, tried out: some add one to their weights."""
    import torch

    epsilon = getattr(part, "variance_epsilon", getattr(part, "eps", None))
    weight = getattr(part, "weight", None)
    named = type(part).__name__.endswith("RMSNorm")
    if not named or weight is None or not isinstance(epsilon, float):
        return False

    def one_program(given: Any) -> Any:
        return torch.nn.functional.rms_norm(given, weight.shape, weight, epsilon)

    some = torch.linspace(-3, 3, 2 * len(weight), device=weight.device, dtype=weight.dtype)
    some = some.view(2, -1)
    if not torch.allclose(part(some).float(), one_program(some).float(), rtol=0.02, atol=1e-3):
        return False
    part.forward = one_program
    return True


# --- attention


def _take_attention(model: Any) -> None:
    """Instead of torch's, for passes over a few tokens of a few rows that look far back."""
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(ATTENTION, attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, sdpa_mask)
    model.set_attn_implementation(ATTENTION)


def attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    **named: Any,
) -> tuple[Any, None]:
    """Shapes as transformers has them: query (rows, heads, tokens, size), key and value (rows, key
    heads, places, size), mask (rows, 1, tokens, places), true where a place is seen."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if not _few(query, key, attention_mask, named):
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, scaling=scaling, **named
        )
    rows, heads, tokens, size = query.shape
    shared = key.shape[1]
    # Heads that share a key are further tokens of one product.
    packed = query.reshape(rows, shared, heads // shared * tokens, size)
    scores = _product(packed, key.transpose(-1, -2)) * (scaling or size**-0.5)
    apart = scores.view(rows, shared, heads // shared, tokens, -1)
    chances = apart.masked_fill(~attention_mask[:, :, None], float("-inf")).softmax(-1)
    found = chances.view_as(scores).to(value.dtype) @ value
    return found.view(rows, heads, tokens, size).transpose(1, 2).contiguous(), None


def _few(query: Any, key: Any, mask: Any, named: dict[str, Any]) -> bool:
    import torch

    rows, _, tokens, _ = query.shape
    small = rows <= _FEW_ROWS and tokens <= _FEW_TOKENS and key.shape[2] >= _LONG
    known = mask is not None and mask.dtype == torch.bool and mask.shape[1] == 1
    return small and known and not any(named.get(name) is not None for name in _ADDED)


def _product(one: Any, other: Any) -> Any:
    """In 32 bits, from what is kept in 16: scores of half precision would be rounded to hundredths."""
    import torch

    if one.dtype == torch.float32:
        return one @ other
    if not one.is_cuda:
        return one.float() @ other.float()
    rows, shared = one.shape[:2]
    flat = torch.bmm(one.flatten(0, 1), other.flatten(0, 1), out_dtype=torch.float32)
    return flat.view(rows, shared, *flat.shape[1:])
