"""What a measure is, and what is kept of a row to make figures of the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.evaluating import baselines
from training.evaluating.items import Item, Rows
from training.evaluating.systems import Prediction


@dataclass(frozen=True, slots=True)
class Scored:
    """A row's figures, and of its gold and prediction what figures of the whole need."""

    id: str
    site: str
    kind: str
    language: str
    figures: Mapping[str, float]
    gold: Any = None
    said: Any = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What baselines are made from. `train`: rows to learn from, where some are given."""

    rows: Rows
    train: Rows | None = None
    docs: Path | None = None


Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """`main` is the figure that decides; `keeps`: gold and prediction are needed at the end."""

    main: str
    figures: Callable[[Item, Prediction], dict[str, float]]
    beside: Callable[[Ground], dict[str, baselines.Baseline]]
    whole: Callable[[Sequence[Scored]], dict[str, Any]]
    why: Mapping[str, str]
    keeps: bool = False


def nothing_more(_rows: Sequence[Scored]) -> dict[str, Any]:
    return {}
