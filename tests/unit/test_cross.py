"""Passage and claim for the cross-encoder: what teaches, what combines, what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import an_article

from core.chunks import cut
from core.judging.evidence import Measuring
from training.faithfulness.cross import KINDS, balanced, claim_scores, combined, report, split
from training.faithfulness.cross_pairs import mnli, passage


def row(place: int, kind: str = "reference", signs: float = 0.5) -> dict[str, Any]:
    label = "entailment" if kind == "reference" else "contradiction"
    return {"article": f"a{place % 10}", "kind": kind, "label": label, "signs": signs}


def test_what_combines_is_of_articles_that_taught_nothing() -> None:
    taught, held = split([row(place) for place in range(100)], 0.7, seed=1)
    assert (len(taught), len(held)) == (70, 30)
    assert not {one["article"] for one in taught} & {one["article"] for one in held}


def test_kinds_have_their_shares_and_no_row_comes_twice() -> None:
    found = [row(place, kind) for kind in ("reference", "number") for place in range(40)]
    chosen = balanced(found, {"reference": 3.0, "number": 1.0}, 24, seed=1)
    assert [one["kind"] for one in chosen].count("number") == 6
    assert len({id(one) for one in chosen}) == 24


def test_the_pairs_left_for_the_comparison_are_short_and_as_many_of_each_label() -> None:
    found = [
        {**row(place), "premise": "word " * length, "hypothesis": "one", "label": label}
        for label, count in (("entailment", 9), ("neutral", 4), ("contradiction", 6))
        for place in range(count)
        for length in (5, 90)
    ]
    kept = mnli(found, seed=1)
    assert len(kept) == 12
    assert {one["premise"] for one in kept} == {"word " * 5}
    assert len({one["label"] for one in kept[:6]}) > 1


def test_a_score_that_knows_the_truth_weighs_and_noise_does_not() -> None:
    chance = np.random.default_rng(0)
    held = [row(p, kind) for p in range(60) for kind in ("reference", "number")]
    truth = np.array([one["label"] == "entailment" for one in held])
    for one in held:
        one["signs"] = float(chance.uniform(0.2, 0.8))
    knows = np.where(truth, 0.9, 0.1) + chance.normal(0, 0.02, len(held))
    _, of_signs, of_cross = combined(held, knows)
    assert of_cross > 1.0
    assert of_signs < of_cross / 4
    _, _, of_noise = combined(held, chance.uniform(0.2, 0.8, len(held)))
    assert of_noise < 0.3


def test_one_false_sentence_makes_a_long_claim_doubtful() -> None:
    whole, spoilt = claim_scores([], [np.array([0.9, 0.9]), np.array([0.9, 0.1])])
    assert whole == pytest.approx(0.9)
    assert spoilt == pytest.approx(0.3)


def test_the_passage_has_two_places_in_the_article_s_order() -> None:
    text = "Pools keep connections open. Cats sleep all day. A connection costs three round trips."
    measured = Measuring(cut(an_article(content=text, language="en"), 330)).measure(
        "A connection costs three round trips and pools keep it open."
    )
    assert measured is not None
    found = passage(measured)
    assert found.index("Pools keep") < found.index("three round trips")
    assert found.count("round trips") == 1


@pytest.mark.slow
def test_each_way_is_told_by_kind_at_a_tenth_of_false_alarms(tmp_path: Path) -> None:
    judged = [{"kind": "reference", "true": True}] * 20 + [
        {"kind": kind, "true": False} for kind in KINDS for _ in range(5)
    ]
    clear = [0.9] * 20 + [0.1] * 20
    made = report(judged, {"signs": clear, "both": [0.5] * 40}, tmp_path)
    assert made["signs"]["kinds"]["number"]["auc"][0] == 1.0
    assert made["signs"]["kinds"]["number"]["caught"] == 1.0
    assert made["both"]["kinds"]["negation"]["auc"][0] == 0.5
    assert (tmp_path / "curves_signs.png").stat().st_size > 1000
    assert (tmp_path / "confusion_both.png").is_file()
