"""Which token comes next, for all rows at once.

Penalties and forbidden runs count what was written, not what was read: an article may well be
quoted. That is also how CTranslate2 counts. JSON repeats its quotes and commas: there they do not
count at all. A sampled row draws from a generator of its own, so
its answer does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from core.engine.constraint import Constraint
from core.ports import Generation


class Writes(Protocol):
    """A row as far as choosing goes."""

    options: Generation
    constraint: Constraint | None
    runs: Runs
    chance: Any

    @property
    def written(self) -> Sequence[int]: ...


class Runs:
    """Runs of `size` tokens that were written, and what would make one of them come twice."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._after: dict[tuple[int, ...], set[int]] = {}

    def wrote(self, ids: Sequence[int]) -> None:
        if self._size and len(ids) >= self._size:
            *before, last = ids[-self._size :]
            self._after.setdefault(tuple(before), set()).add(last)

    def forbidden(self, ids: Sequence[int]) -> set[int]:
        if not self._size or len(ids) < self._size - 1:
            return set()
        return self._after.get(tuple(ids[len(ids) - self._size + 1 :]), set())


def pick(logits: Any, rows: Sequence[Writes]) -> list[int]:
    """`logits`: one row each, of the vocabulary's size; they are changed."""
    logits = logits.float()
    _penalise(logits, rows)
    _forbid(logits, rows)
    _constrain(logits, rows)
    chosen: list[int] = logits.argmax(-1).tolist()
    for number, row in enumerate(rows):
        if row.options.temperature > 0:
            chosen[number] = _drawn(logits[number], row)
    return chosen


def _penalise(logits: Any, rows: Sequence[Writes]) -> None:
    """What was written becomes less likely by `repetition_penalty`."""
    import torch

    touched = [
        (number, sorted(set(row.written)), row.options.repetition_penalty)
        for number, row in enumerate(rows)
        if row.options.repetition_penalty != 1.0 and row.written and row.constraint is None
    ]
    if not touched:
        return
    numbers = [number for number, ids, _ in touched for _ in ids]
    tokens = [token for _, ids, _ in touched for token in ids]
    penalties = [penalty for _, ids, penalty in touched for _ in ids]
    device = logits.device
    at = (torch.tensor(numbers, device=device), torch.tensor(tokens, device=device))
    penalty = torch.tensor(penalties, device=device)
    scores = logits[at]
    logits[at] = torch.where(scores > 0, scores / penalty, scores * penalty)


def _forbid(logits: Any, rows: Sequence[Writes]) -> None:
    import torch

    pairs = [
        (number, token)
        for number, row in enumerate(rows)
        for token in row.runs.forbidden(row.written)
    ]
    if pairs:
        numbers, tokens = torch.tensor(pairs, device=logits.device).T
        logits[numbers, tokens] = float("-inf")


def _constrain(logits: Any, rows: Sequence[Writes]) -> None:
    import torch

    for number, row in enumerate(rows):
        if row.constraint is None:
            continue
        allowed = torch.from_numpy(row.constraint.allowed()).to(logits.device)
        logits[number, : len(allowed)].masked_fill_(~allowed, float("-inf"))
        if not bool(torch.isfinite(logits[number]).any()):  # every allowed token was forbidden
            logits[number, : len(allowed)].masked_fill_(allowed, 0.0)


def _drawn(scores: Any, row: Writes) -> int:
    import torch

    options = row.options
    ordered, tokens = (scores / options.temperature).sort(descending=True)
    chances = torch.softmax(ordered, -1)
    kept = chances.cumsum(-1) - chances < options.top_p
    if options.top_k:
        kept[options.top_k :] = False
    chances = torch.where(kept, chances, 0.0).cpu()
    return int(tokens[int(torch.multinomial(chances, 1, generator=row.chance))])
