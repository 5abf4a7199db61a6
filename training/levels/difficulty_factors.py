"""Fits the weights of the four difficulty factors to the labelled articles: what a reader is shown of
each factor where there is no encoder.

    python -m training difficulty-factors --data ../shared/data

Non-negative least squares of the level on the scaled measurements, within each site (labels of
two sites are not on one scale), with a ridge towards equal weights. Writes
`core/judging/data/difficulty.json` and prints the rank correlation within each site, for the
fit on all sites and for the honest reading: fitted on all the other sites.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import spearmanr

from core.article import Article
from core.chunks import cut
from core.digest import FactorName
from core.judging.difficulty import measure
from training.lines import rows

OUT = Path(__file__).parents[2] / "core" / "judging" / "data" / "difficulty.json"
FACTOR_OF: dict[str, FactorName] = {
    "specialist_share": "terms",
    "specialist_variety": "terms",
    "rarity": "terms",
    "abstract_share": "concepts",
    "sentence_length": "concepts",
    "formal": "concepts",
    "technologies": "background",
    "short_forms": "background",
    "level_words": "background",
    "code_lines": "algorithms",
    "cyclomatic": "algorithms",
    "nesting": "algorithms",
    "calls": "algorithms",
    "asymptotics": "algorithms",
}
NAMES = tuple(FACTOR_OF)
# Best of .05 to 1.0 on unseen sites (mean Spearman .098; .084 at .05, .072 at 1.0), and all four
# factors stay alive. Length was tried as a measurement and left out: it bought .01 and made every
# long tutorial an expert's. Recorded in training/LOG.md.
RIDGE = 0.25
Matrix = NDArray[np.float64]


def measured(found: Sequence[dict[str, Any]]) -> Matrix:
    table = []
    for row in found:
        values = measure(cut(Article(title=row["title"], content=row["content"]), 330))
        table.append([values[name] for name in NAMES])
    return np.array(table)


def scaled(table: Matrix, low: Matrix, high: Matrix) -> Matrix:
    place = np.clip((table - low) / np.where(high > low, high - low, 1.0), -0.15, 1.15)
    code = np.array([FACTOR_OF[name] == "algorithms" for name in NAMES])
    without = table[:, NAMES.index("code_lines")] == 0
    # prose without code is judged by the rest, so its code stands where the rest stands
    place[np.ix_(without, code)] = place[without][:, ~code].mean(axis=1, keepdims=True)
    return np.asarray(place)


def weights(places: Matrix, levels: Matrix, sites: Sequence[str]) -> Matrix:
    """Non-negative, summing to 1. Sites weigh alike, whatever their size."""
    left, right = [], []
    for site in sorted(set(sites)):
        mine = np.array([s == site for s in sites])
        if len(set(levels[mine])) < 2:
            continue
        scale = 1 / np.sqrt(mine.sum())
        left.append((places[mine] - places[mine].mean(0)) * scale)
        right.append((levels[mine] - levels[mine].mean()) * scale)
    count = places.shape[1]
    left.append(np.eye(count) * RIDGE * np.sqrt(len(right)))
    right.append(np.full(count, 4.0 / count) * RIDGE * np.sqrt(len(right)))
    found, _ = nnls(np.vstack(left), np.concatenate(right))
    return np.asarray(found / found.sum())


def report(name: str, scores: Matrix, levels: Matrix, sites: Sequence[str]) -> None:
    for site in sorted(set(sites)):
        mine = np.array([s == site for s in sites])
        if len(set(levels[mine])) > 1:
            rho = spearmanr(scores[mine], levels[mine]).statistic
            print(f"{name} {site}: {mine.sum()} articles, Spearman {rho:.2f}")  # noqa: T201


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training difficulty-factors", description=__doc__
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    root = parser.parse_args(arguments).data
    train = list(rows(root / "difficulty" / "train.jsonl.gz"))
    table = measured(train)
    levels = np.array([float(row["level"]) for row in train])
    sites = [str(row["source"]) for row in train]
    low, high = np.percentile(table, 10, axis=0), np.percentile(table, 90, axis=0)
    places = scaled(table, low, high)
    found = weights(places, levels, sites)
    report("all sites", places @ found, levels, sites)
    held: dict[str, list[int]] = defaultdict(list)
    for index, site in enumerate(sites):
        held[site].append(index)
    for site, mine in held.items():
        others = [i for i in range(len(sites)) if sites[i] != site]
        honest = weights(places[others], levels[others], [sites[i] for i in others])
        report("others only", places[mine] @ honest, levels[mine], [site] * len(mine))
    korean = measured(list(rows(root / "react_ko" / "train.jsonl.gz")))
    bounds = np.percentile(korean, 10, axis=0), np.percentile(korean, 90, axis=0)
    both = {
        "en": fitted(low, high, found),
        "ko": fitted(*bounds, found),
    }
    OUT.write_text(json.dumps(both, indent=1) + "\n", encoding="utf-8")


def fitted(low: Matrix, high: Matrix, found: Matrix) -> dict[str, Any]:
    """No Korean labels are to be had: Korean keeps the weights and gets scales of its own."""
    return {
        "scales": {
            name: {
                "factor": FACTOR_OF[name],
                "low": round(float(low[i]), 4),
                "high": round(float(high[i]), 4),
                "weight": round(float(found[i]), 4),
            }
            for i, name in enumerate(NAMES)
        },
    }


if __name__ == "__main__":
    main()
