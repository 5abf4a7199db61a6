"""Many prompts answered at once, on a card where there is one, as the product's engines answer.

What forbids repetition sees what is written and never the prompt, as in CTranslate2; a search
ends when it has as many whole answers as beams. So drafts made here in seconds stand for those
that `core/summarizing.py` gets from the embedded engine in an hour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from core.engine.templating import Template
from core.ports import Generation, Prompt
from training.model.tuning import Example, answer_loss, collate

_ON_A_PROCESSOR = 16


class NoRepeat(LogitsProcessor):  # type: ignore[misc]
    """No run of `size` tokens twice in what stands after `begin`."""

    def __init__(self, size: int, begin: int) -> None:
        self._size, self._begin = size, begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        ids = input_ids[:, self._begin :]
        if ids.shape[1] < self._size:
            return scores
        runs = ids.unfold(1, self._size, 1)
        last = ids[:, ids.shape[1] - self._size + 1 :].unsqueeze(1)
        again = (runs[:, :, :-1] == last).all(dim=2)
        forbidden = torch.zeros_like(scores).scatter_add(1, runs[:, :, -1], again.to(scores.dtype))
        return scores.masked_fill(forbidden > 0, -math.inf)


class Repetition(LogitsProcessor):  # type: ignore[misc]
    """Keskar et al. 2019 (CTRL): tokens that stand after `begin` become less likely."""

    def __init__(self, penalty: float, begin: int) -> None:
        self._penalty, self._begin = penalty, begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        ids = input_ids[:, self._begin :]
        found = scores.gather(1, ids)
        found = torch.where(found < 0, found * self._penalty, found / self._penalty)
        return scores.scatter(1, ids, found)


def answers(
    model: Any,
    template: Template,
    prompts: Sequence[Prompt],
    options: Generation,
    batch: int = 128,
) -> list[tuple[str, ...]]:
    """For each prompt its likeliest answers, as many as beams, likeliest first. What does not fit
    a card's memory at once is done in halves; a processor does sixteen at most, because it is no
    faster with more and its memory would be everybody's."""
    if model.device.type == "cpu":
        batch = min(batch, _ON_A_PROCESSOR)
    encoded = [template.ids(prompt) for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda i: -len(encoded[i]))
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        written = _written(model, template, [encoded[i] for i in chosen], options)
        found |= dict(zip(chosen, written, strict=True))
    return [found[i] for i in range(len(prompts))]


def _written(
    model: Any, template: Template, prompts: Sequence[list[int]], options: Generation
) -> list[tuple[str, ...]]:
    try:
        return list(_generated(model, template, prompts, options))
    except torch.OutOfMemoryError:
        if len(prompts) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(prompts) // 2
    first = _written(model, template, prompts[:half], options)
    return first + _written(model, template, prompts[half:], options)


def _generated(
    model: Any, template: Template, prompts: Sequence[list[int]], options: Generation
) -> Iterator[tuple[str, ...]]:
    longest, padding = max(map(len, prompts)), min(template.ends)
    ids = torch.full((len(prompts), longest), padding, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    search: dict[str, Any] = {}
    if options.beams > 1:
        search = {"length_penalty": options.length_penalty, "early_stopping": True}
    with torch.inference_mode():
        written = model.generate(
            ids.to(model.device),
            attention_mask=mask.to(model.device),
            do_sample=False,
            num_beams=options.beams,
            num_return_sequences=options.beams,
            max_new_tokens=options.max_new_tokens,
            logits_processor=_processors(options, longest),
            eos_token_id=sorted(template.ends),
            pad_token_id=padding,
            use_cache=True,
            **search,
        )
    rows = written[:, longest:].tolist()
    for start in range(0, len(rows), options.beams):
        yield tuple(template.decode(row).strip() for row in rows[start : start + options.beams])


def _processors(options: Generation, begin: int) -> LogitsProcessorList:
    found = LogitsProcessorList()
    if options.repetition_penalty != 1.0:
        found.append(Repetition(options.repetition_penalty, begin))
    if options.no_repeat_ngram:
        found.append(NoRepeat(options.no_repeat_ngram, begin))
    return found


def perplexity(model: Any, examples: Sequence[Example], batch: int = 64) -> float:
    """Of what is learned in the examples."""
    nats, count = 0.0, 0
    near = sorted(examples, key=lambda one: len(one.ids))
    for start in range(0, len(near), batch):
        inputs = collate(near[start : start + batch])
        inputs = {name: value.to(model.device) for name, value in inputs.items()}
        with torch.inference_mode():
            nats += float(answer_loss(model, inputs)) * len(inputs["learned"])
        count += len(inputs["learned"])
    return math.exp(nats / max(1, count))
