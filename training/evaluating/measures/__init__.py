"""Which figures each task is read by, which baselines stand beside it, and why these.

A figure of a row is averaged, with a bootstrap interval; a figure of the whole (a correlation,
an area under a curve) is taken over all rows at once.
"""

from __future__ import annotations

from typing import Any

from training.evaluating import scores
from training.evaluating.items import Item, TaskName
from training.evaluating.measures.claims import FAITHFULNESS
from training.evaluating.measures.findings import EXTRACTION, RETRIEVAL
from training.evaluating.measures.levels import DIFFICULTY
from training.evaluating.measures.names import KEYWORDS, PREREQUISITES, TERMS
from training.evaluating.measures.shape import Ground, Measure, Scored
from training.evaluating.measures.texts import CONVERSATION, SUMMARY
from training.evaluating.systems import Prediction

__all__ = ["MEASURES", "Ground", "Measure", "Scored", "scored"]

MEASURES: dict[TaskName, Measure] = {
    "summary": SUMMARY,
    "keywords": KEYWORDS,
    "prerequisites": PREREQUISITES,
    "terms": TERMS,
    "difficulty": DIFFICULTY,
    "faithfulness": FAITHFULNESS,
    "retrieval": RETRIEVAL,
    "conversation": CONVERSATION,
    "extraction": EXTRACTION,
}


def scored(task: TaskName, item: Item, said: Prediction) -> Scored:
    """A row's figures. Raises ValueError or TypeError for a prediction of the wrong shape."""
    measure = MEASURES[task]
    gold: Any = item.gold if measure.keeps else None
    kept: Any = said if measure.keeps else None
    if task == "extraction":
        gold = None
        text = str(said)
        kept = (*scores.segments(item.gold.wanted, item.gold.unwanted, text), bool(text.strip()))
    return Scored(
        id=item.id,
        site=item.site,
        kind=item.kind,
        language=item.shown.language,
        figures=measure.figures(item, said),
        gold=gold,
        said=kept,
    )
