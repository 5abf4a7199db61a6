"""What is read of a difficulty judge beside its ranks: classes where the site's shares are known."""

from __future__ import annotations

import numpy as np

from training.levels.labels import by_shares
from training.levels.tables import Table
from training.levels.unseen import CLASSES


def table(classes: list[str], sites: list[str]) -> Table:
    rows = np.zeros((len(classes), 2))
    levels = np.array([float(CLASSES.index(name)) for name in classes])
    texts = ("",) * len(classes)
    return Table(rows, rows, rows, rows, levels, np.array(classes), np.array(sites), texts)


def test_a_perfect_order_gives_every_class_though_sites_are_on_other_scales() -> None:
    easy = ["beginner"] * 6 + ["intermediate"] * 3
    hard = ["intermediate"] * 2 + ["advanced"] * 8
    made = table(easy + hard, ["one"] * 9 + ["two"] * 10)
    scores = np.r_[np.linspace(3, 5, 9), np.linspace(1, 2, 10)]
    assert by_shares(made, scores) == easy + hard


def test_shares_are_kept_however_wrong_the_order_is() -> None:
    classes = ["beginner"] * 4 + ["advanced"] * 4
    made = table(classes, ["one"] * 8)
    turned = by_shares(made, -np.arange(8.0))
    assert sorted(turned) == sorted(classes)
    assert turned[0] == "advanced"
