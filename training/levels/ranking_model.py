"""MiniLM with one number on top, taught to put the harder of two articles of one site above.

The number starts as the place on the axis from easy to hard (`core/judging/data/axes.txt`), which
needs no label; what is learned beyond it is held back: few steps, layers at rest or small
matrices only, weights drawn to where they began.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.engine.checkpoints import attention_without_plans, chosen_device
from core.judging.meaning import axes

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """The encoder as it came, its tokenizer and the axis from easy to hard."""

    model: Any
    tokenizer: Any
    axis: Any
    most: int
    device: str
    # token ids by text: every variant and seed reads the same windows
    known: dict[str, list[int]] = field(default_factory=dict)

    def ids(self, text: str) -> list[int]:
        if text not in self.known:
            read = self.tokenizer(text, truncation=True, max_length=self.most)
            self.known[text] = read["input_ids"]
        return self.known[text]

    def batch(self, texts: Sequence[str]) -> dict[str, Any]:
        import torch

        rows = [self.ids(text) for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return {
            "input_ids": ids.to(self.device, non_blocking=True),
            "attention_mask": mask.to(self.device, non_blocking=True),
        }


def opened(folder: str, most: int) -> Scale:
    """`folder`: a transformers folder or hub id; at most so many tokens of a text are read."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    attention_without_plans()
    device = chosen_device("auto")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).to(device).eval()
    without_axis = Scale(model, tokenizer, None, most, device)
    with torch.no_grad():
        easy, hard = (
            vectors(model, without_axis.batch([pair[side] for pair in axes()])) for side in (0, 1)
        )
    axis = (hard - easy).mean(dim=0)
    return replace(without_axis, axis=axis / axis.norm())


def vectors(model: Any, batch: dict[str, Any]) -> Any:
    """Means of the tokens, of length 1."""
    import torch

    device = batch["input_ids"].device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        states = model(**batch).last_hidden_state.float()
    mask = batch["attention_mask"][..., None].to(states.dtype)
    return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)


@dataclass(frozen=True, slots=True)
class Learned:
    """An encoder and the number on top of it, as taught."""

    model: Any
    head: Any
    scale: Scale
    seconds: float

    def read(self, texts: Sequence[Sequence[str]], windows: int) -> list[float]:
        """The mean over each article's first windows."""
        import torch

        flat = [(i, text) for i, own in enumerate(texts) for text in own[:windows]]
        order = sorted(range(len(flat)), key=lambda place: len(self.scale.ids(flat[place][1])))
        size = 256 if self.scale.device == "cuda" else 32
        sums, counts = np.zeros(len(texts)), np.zeros(len(texts))
        self.model.eval()
        with torch.no_grad():
            for start in range(0, len(order), size):
                chosen = [flat[place] for place in order[start : start + size]]
                batch = self.scale.batch([text for _, text in chosen])
                said = (vectors(self.model, batch) @ self.head).cpu().numpy()
                np.add.at(sums, [i for i, _ in chosen], said)
                np.add.at(counts, [i for i, _ in chosen], 1)
        return [float(value) for value in sums / counts]


def learned(
    scale: Scale,
    texts: Sequence[Sequence[str]],
    levels: Numbers,
    sites: NDArray[np.str_],
    settings: dict[str, Any],
    seed: int,
    earlier: Learned | None = None,
) -> Learned:
    """Taught from `earlier`, or from the encoder as it came and the axis."""
    import torch

    begun = time.monotonic()
    torch.manual_seed(seed)
    chance = random.Random(seed)  # noqa: S311
    model, head = _start(scale, settings, earlier)
    bounds = torch.nn.Parameter(torch.tensor([-1.0, 1.0], device=scale.device))
    offsets = {
        str(site): torch.nn.Parameter(torch.zeros((), device=scale.device)) for site in set(sites)
    }
    body = [weight for weight in model.parameters() if weight.requires_grad]
    began = [weight.detach().clone() for weight in body]
    groups = [
        {"params": body, "lr": settings["learning_rate"], "weight_decay": 0.0},
        {"params": [head], "lr": settings["head_rate"], "weight_decay": 0.0},
        {"params": [bounds, *offsets.values()], "lr": 0.02, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]])
    steps = settings["steps"]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
    )
    draw = drawing(levels, sites, settings["articles"], settings["sites"], chance)
    model.train()
    for _ in range(steps):
        chosen = draw()
        batch = scale.batch([chance.choice(texts[i][: settings["windows"]]) for i in chosen])
        found = vectors(model, batch) @ head * settings["sharpness"]
        loss = _apart(found, levels[chosen], sites[chosen])
        if settings["ordinal"]:
            moved = found + torch.stack([offsets[str(site)] for site in sites[chosen]])
            loss = loss + settings["ordinal"] * _ordinal(moved, bounds, levels[chosen])
        if settings["drawn_back"]:
            moved_weights = zip(body, began, strict=True)
            loss = loss + settings["drawn_back"] * sum(
                ((weight - start) ** 2).sum() for weight, start in moved_weights
            )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*body, head], 1.0)
        optimizer.step()
        schedule.step()
    return Learned(model, head.detach(), scale, time.monotonic() - begun)


def _start(scale: Scale, settings: dict[str, Any], earlier: Learned | None) -> tuple[Any, Any]:
    """The model, of which some weights learn, and the number's own."""
    import torch

    rank = settings["lora_rank"]
    if earlier is not None:
        model, head = copy.deepcopy(earlier.model), earlier.head
    else:
        model, head = copy.deepcopy(scale.model), scale.axis * float(settings["axis"])
        if not settings["axis"]:
            head = torch.randn_like(scale.axis) * 0.02
        if rank:
            model = _with_small_matrices(model, rank)
    if not rank:
        for weight in model.parameters():
            weight.requires_grad = False
        for layer in model.encoder.layer[settings["frozen_layers"] :]:
            for weight in layer.parameters():
                weight.requires_grad = True
    return model, torch.nn.Parameter(head.detach().clone())


def _with_small_matrices(model: Any, rank: int) -> Any:
    from peft import LoraConfig, get_peft_model

    wanted = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.1,
        target_modules=["query", "key", "value", "dense"],
    )
    return get_peft_model(model, wanted)


def drawing(
    levels: Numbers, sites: NDArray[np.str_], articles: int, most: int, chance: random.Random
) -> Callable[[], list[int]]:
    """Gives so many articles of at most `most` sites, every level of a site alike often."""
    places: dict[str, dict[float, list[int]]] = {}
    for i, (level, site) in enumerate(zip(levels, sites, strict=True)):
        places.setdefault(str(site), {}).setdefault(float(level), []).append(i)
    usable = sorted(site for site, own in places.items() if len(own) > 1)

    def draw() -> list[int]:
        chosen = chance.sample(usable, min(most, len(usable)))
        each = max(2, articles // len(chosen))
        return [i for site in chosen for i in _of_site(places[site], each, chance)]

    return draw


def _of_site(places: dict[float, list[int]], count: int, chance: random.Random) -> list[int]:
    levels = sorted(places)
    chance.shuffle(levels)
    return [chance.choice(places[levels[i % len(levels)]]) for i in range(count)]


def _apart(found: Any, levels: Numbers, sites: NDArray[np.str_]) -> Any:
    """Logistic loss of all pairs of one site and two levels; 0 where there is none."""
    import torch

    harder = (levels[:, None] > levels[None, :]) & (sites[:, None] == sites[None, :])
    mask = torch.from_numpy(harder).to(found.device)
    losses = torch.nn.functional.softplus(found[None, :] - found[:, None])
    return (losses * mask).sum() / mask.sum().clamp(min=1)


def _ordinal(found: Any, bounds: Any, levels: Numbers) -> Any:
    """CORAL: one number, two ordered bounds; above the first is not easy, above the second is hard."""
    import torch

    truth = np.stack([levels > 2, levels > 3], axis=1).astype(np.float32)
    target = torch.from_numpy(truth).to(found.device)
    return torch.nn.functional.binary_cross_entropy_with_logits(
        found[:, None] - bounds[None, :], target
    )
