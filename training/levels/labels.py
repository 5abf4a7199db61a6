"""What a site's own labels teach about difficulty, within each site.

Labels of two sites are not on one scale, so levels and features go in less their site's mean, and
all sites weigh alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from training.encoding import FACTORS
from training.levels.tables import Fitted, Table
from training.levels.unseen import CLASSES, Numbers, equal, quantile, within


def fit(table: Table, directions: Numbers, settings: dict[str, Any]) -> Fitted:
    """`directions`: an axis a row, from easy to hard."""
    from sklearn.linear_model import Ridge

    weight = equal(table.sites)
    views = table.views
    target = within(table.levels, table.sites)
    for site in set(table.sites):
        target[table.sites == site] /= target[table.sites == site].std() or 1.0
    placed = within(np.hstack([view @ directions.T for view in views]), table.sites)
    scale = placed.std()
    ridge = Ridge(alpha=settings["ridge"], fit_intercept=False)
    ridge.fit(placed / scale, target, sample_weight=weight * len(target))
    taught = np.split(ridge.coef_ / scale, 3)
    untaught = directions.mean(axis=0)
    vectors = [untaught / within(view @ untaught, table.sites).std() for view in views]
    learned = [part @ directions for part in taught]
    width = within(table.along(learned), table.sites).std()
    vectors = [own + part / width for own, part in zip(vectors, learned, strict=True)]
    return _scaled(table, tuple(vectors), settings)


def _scaled(table: Table, vectors: tuple[Any, ...], settings: dict[str, Any]) -> Fitted:
    weight = equal(table.sites)
    raw = {"concepts": table.along(vectors), **table.signs_by_name()}
    centres = {name: float((values * weight).sum()) for name, values in raw.items()}
    widths = {name: float(within(values, table.sites).std()) for name, values in raw.items()}
    weights = {"concepts": widths["concepts"], **{n: float(settings[n]) for n in FACTORS}}
    first = Fitted(vectors, centres, widths, weights, np.zeros(1), np.zeros(1))
    sums, levels = _line(first.total(table), table.levels, weight)
    return replace(first, sums=sums, levels=levels)


_MIDDLE, _DRAWN = 3.0, 0.8


def _line(total: Numbers, levels: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    """A monotone line: the middle of each level's share stands for the level, the ends for 1 and 5.

    So the levels come out nearly as often as people give them; a regression would call all of them 3.
    Drawn a little towards the middle: of an order that is known this roughly, the far ends are
    claimed for more articles than have them.
    """
    before, sums, heights = 0.0, [quantile(total, weight, 0.01)], [1.0]
    for level in np.unique(levels):
        share = float(weight[levels == level].sum())
        sums.append(quantile(total, weight, before + share / 2))
        heights.append(_MIDDLE + _DRAWN * (float(level) - _MIDDLE))
        before += share
    sums.append(quantile(total, weight, 0.99))
    heights.append(5.0)
    return np.array(sums), np.maximum.accumulate(np.array(heights))


def by_shares(table: Table, scores: Numbers) -> list[str]:
    """Classes by rank, each site's shares taken as known: what is lost to the scale of the labels
    alone, for the order is that of the scores."""
    made = np.empty(len(scores), dtype=object)
    for site in set(table.sites):
        mine = np.flatnonzero(table.sites == site)
        ends = np.cumsum([float(np.mean(table.classes[mine] == name)) for name in CLASSES])
        order = mine[np.argsort(scores[mine], kind="stable")]
        places = (np.arange(len(order)) + 0.5) / len(order)
        made[order] = [CLASSES[min(2, int(np.searchsorted(ends, place)))] for place in places]
    return [str(name) for name in made]
