"""Scores of different kinds on one scale: whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.retrieval.fuse import Scores, ranks, reciprocal, scaled, weighted

numbers = arrays.arrays(
    np.float32,
    st.shared(st.integers(1, 20), key="size"),
    elements=st.floats(-1e6, 1e6, width=32),
)
weights = st.floats(0.0625, 8.0)


@settings(deadline=None)
@given(numbers)
def test_scaled_scores_lie_between_nothing_and_one(scores: Scores) -> None:
    found = scaled(scores)
    assert found.min() >= 0
    assert found.max() <= 1
    assert not np.isnan(found).any()


@settings(deadline=None)
@given(numbers)
def test_scaling_keeps_the_order(scores: Scores) -> None:
    order = np.argsort(scores, kind="stable")
    assert (np.diff(scaled(scores)[order]) >= 0).all()


@settings(deadline=None)
@given(numbers, numbers, weights, weights)
def test_a_document_that_is_best_by_both_is_best_by_all(
    words: Scores, meaning: Scores, first: float, second: float
) -> None:
    best = len(words) // 2
    words[best], meaning[best] = words.max(), meaning.max()
    for fuse in (weighted, reciprocal):
        fused = fuse({"words": words, "meaning": meaning}, {"words": first, "meaning": second})
        assert fused[best] == pytest.approx(fused.max())


@settings(deadline=None)
@given(numbers, numbers, weights, weights)
def test_only_the_proportion_of_weights_counts(
    words: Scores, meaning: Scores, first: float, second: float
) -> None:
    kinds = {"words": words, "meaning": meaning}
    once = weighted(kinds, {"words": first, "meaning": second})
    twice = weighted(kinds, {"words": 2 * first, "meaning": 2 * second})
    assert once == pytest.approx(twice)


@settings(deadline=None)
@given(numbers)
def test_one_kind_alone_keeps_its_own_order(scores: Scores) -> None:
    for fuse in (weighted, reciprocal):
        fused = fuse({"words": scores}, {"words": 0.4, "meaning": 0.6})
        assert (np.diff(fused[np.argsort(scores, kind="stable")]) >= 0).all()


@settings(deadline=None)
@given(numbers)
def test_equal_scores_share_a_rank(scores: Scores) -> None:
    found = ranks(scores)
    assert found[scores == scores.max()] == pytest.approx(1)
    assert all(len(set(found[scores == value])) == 1 for value in scores)


def test_what_is_not_known_of_a_document_counts_neither_for_nor_against_it() -> None:
    words = np.array([3.0, 2.0, 0.0], dtype=np.float32)
    meaning = np.array([0.0, 0.9, 0.1], dtype=np.float32)
    known = {"meaning": np.array([False, True, True])}
    weights = {"words": 0.4, "meaning": 0.6}
    fused = weighted({"words": words, "meaning": meaning}, weights, known)
    assert fused.tolist() == pytest.approx([1.0, (0.4 * 2 / 3 + 0.6), 0.0])


def test_a_weight_for_none_of_the_kinds_is_a_mistake() -> None:
    for fuse in (weighted, reciprocal):
        with pytest.raises(ValueError, match="weight"):
            fuse({"words": np.ones(3, dtype=np.float32)}, {"meaning": 1.0})
