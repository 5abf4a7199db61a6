"""How judgements about claims are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training import reporting
from training.evaluating import baselines
from training.evaluating.measures.shape import Measure, Scored


def _claims(rows: Sequence[Scored]) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score

    truth = [int(row.gold) for row in rows]
    said = [float(row.said) for row in rows]
    found: dict[str, Any] = {"base rate": float(np.mean(truth))}
    if len(set(truth)) < 2:
        return found
    area, low, high = reporting.auc(truth, said)
    true, given = np.array(truth), np.array(said)

    def precision_recall(draw: Any) -> float:
        if len(set(true[draw].tolist())) < 2:
            return float("nan")
        return float(average_precision_score(true[draw], given[draw]))

    classes = reporting.classification(
        ["follows" if one else "does not" for one in truth],
        ["follows" if one >= 0.5 else "does not" for one in said],
    )
    return found | {
        "ROC-AUC": area,
        "PR-AUC": precision_recall(np.arange(len(rows))),
        "accuracy at .5": classes["accuracy"],
        "fall-out at .5": classes["fall_out"].get("follows", 0.0),
        "intervals": {
            "ROC-AUC": (low, high),
            "PR-AUC": reporting.interval(precision_recall, len(rows), draws=200),
        },
        "ROC-AUC by kind": _by_kind(rows),
        "classes": classes,
        "curve": {"truth": truth, "scores": [round(one, 4) for one in said]},
    }


def _by_kind(rows: Sequence[Scored]) -> dict[str, float]:
    """Each kind of false claim against all true ones, and by language."""
    true = [float(row.said) for row in rows if row.gold]
    found = {}
    for kind in sorted({row.kind for row in rows if not row.gold}):
        false = [float(row.said) for row in rows if not row.gold and row.kind == kind]
        found[kind or "-"] = _area(true, false)
    for language in sorted({row.language for row in rows}):
        own = [row for row in rows if row.language == language]
        sides = [
            [float(row.said) for row in own if bool(row.gold) is side] for side in (True, False)
        ]
        found[f"language {language}"] = _area(*sides)
    return found


def _area(true: Sequence[float], false: Sequence[float]) -> float:
    if not true or not false:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score([1] * len(true) + [0] * len(false), [*true, *false]))


FAITHFULNESS = Measure(
    main="ROC-AUC",
    figures=lambda _item, _said: {},
    beside=lambda ground: {
        "word overlap": baselines.word_overlap,
        "majority": baselines.common_label(ground.train, ground.rows),
    },
    whole=_claims,
    why={
        "ROC-AUC": "the chance that a true claim scores above a false one: needs no threshold",
        "PR-AUC": "precision over recall of true claims: moves where false claims are many",
        "ROC-AUC by kind": "word overlap alone finds another document's claims, and no negation: so each kind by itself",
        "fall-out at .5": "the share of false claims that would pass at 0.5: lies told to a channel",
        "accuracy at .5": "right verdicts at 0.5; beside it the base rate, which a constant reaches",
    },
    keeps=True,
)
