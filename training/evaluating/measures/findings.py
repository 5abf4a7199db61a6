"""How rankings of passages and texts of pages are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training import reporting
from training.evaluating import baselines, scores
from training.evaluating.items import Item
from training.evaluating.measures.names import named
from training.evaluating.measures.shape import Ground, Measure, Scored, nothing_more
from training.evaluating.systems import Prediction, pool


def _retrieval_beside(ground: Ground) -> dict[str, baselines.Baseline]:
    okapi = baselines.Okapi(pool(ground.docs))
    return {"BM25": okapi, "shared words": okapi.shared_words}


RETRIEVAL = Measure(
    main="MRR@10",
    figures=lambda item, said: scores.ranking(item.gold, named(said)),
    beside=_retrieval_beside,
    whole=nothing_more,
    why={
        "R@": "is the document among the first 1, 5, 10: what fits on a screen",
        "MRR@10": "one over its place: the difference between first and second is what people feel",
        "nDCG@10": "the same for several relevant documents, each place discounted by its logarithm",
    },
)


def _page_figures(item: Item, said: Prediction) -> dict[str, float]:
    if not item.gold.text:
        return {}
    return scores.page(item.gold.text, str(said))


def _pages(rows: Sequence[Scored]) -> dict[str, Any]:
    found: dict[str, Any] = {"empty": float(np.mean([not row.said[3] for row in rows]))}
    precision = [r.figures["precision"] for r in rows if "precision" in r.figures]
    recall = [r.figures["recall"] for r in rows if "recall" in r.figures]
    if recall:
        found["token F1"] = scores.f1(float(np.mean(precision or [0.0])), float(np.mean(recall)))
        found["intervals"] = {"token F1": _page_interval(rows)}
    hit, missed, wrong = (sum(row.said[place] for row in rows) for place in range(3))
    if hit + missed:
        found["segment precision"] = hit / max(1, hit + wrong)
        found["segment recall"] = hit / (hit + missed)
        found["segment F1"] = scores.f1(found["segment precision"], found["segment recall"])
    return found


def _page_interval(rows: Sequence[Scored]) -> tuple[float, float]:
    precision = np.array([row.figures.get("precision", np.nan) for row in rows])
    recall = np.array([row.figures.get("recall", np.nan) for row in rows])

    def measure(draw: Any) -> float:
        if np.isnan(precision[draw]).all() or np.isnan(recall[draw]).all():
            return float("nan")
        return scores.f1(float(np.nanmean(precision[draw])), float(np.nanmean(recall[draw])))

    return reporting.interval(measure, len(rows), draws=500)


EXTRACTION = Measure(
    main="token F1",
    figures=_page_figures,
    beside=lambda _ground: {
        "trafilatura": baselines.bare(include_comments=False),
        "all text": baselines.all_text,
    },
    whole=_pages,
    why={
        "token F1": "the article-extraction benchmark's own: precision and recall of runs of four tokens, each averaged over pages",
        "segment F1": "trafilatura's own: sentences that must, and that must not be in the text",
        "empty": "the share of pages of which nothing is left, refused ones among them",
    },
    keeps=True,
)
