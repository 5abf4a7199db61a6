"""A few documents of many, scored as among all."""

from __future__ import annotations

import numpy as np
import pytest

from core.retrieval.document import Head
from core.retrieval.excerpt import Excerpt, Statistics
from core.retrieval.index import Facts, Index

COMMON, RARE, NEW = 1, 2, 2**32 - 1


def a_document(number: int) -> tuple[Facts, Head]:
    """Every second one has the rare word; longer ones come later."""
    terms = [COMMON, 100 + number, *([RARE] if number % 4 == 0 else [])]
    head = Head(
        np.array(terms, dtype=np.uint32),
        np.array([1 + number] + [1] * (len(terms) - 1), dtype=np.uint8),
        np.array([COMMON], dtype=np.uint32),
        np.array([], dtype=np.uint32),
        np.zeros(4, dtype=np.float32),
    )
    return Facts(key=str(number), content=str(number), language="en"), head


def of_all(index: Index) -> Statistics:
    lengths = float(index.joined("lengths").mean())
    counted = {"words": {COMMON: 12, RARE: 3}, "title_words": {COMMON: 12}, "sounds": {}}
    return Statistics(len(index), {"lengths": lengths, "title_lengths": 1.0}, counted)


@pytest.fixture
def whole() -> Index:
    index = Index()
    index.add(a_document(number) for number in range(12))
    return index


def test_a_few_score_as_among_all(whole: Index) -> None:
    few = Excerpt(of_all(whole))
    few.add([a_document(4), a_document(7)])
    asked = {COMMON: 1.0, RARE: 0.5}
    assert few.words(asked).tolist() == pytest.approx(whole.words(asked)[[4, 7]].tolist())
    assert few.title(asked).tolist() == pytest.approx(whole.title(asked)[[4, 7]].tolist())
    assert few.rarity([COMMON, RARE]) == pytest.approx(whole.rarity([COMMON, RARE]))


def test_what_came_since_the_counting_counts_where_it_is(whole: Index) -> None:
    few = Excerpt(of_all(whole))
    few.add([a_document(20)])
    assert few.rarity([120])[120] == pytest.approx(np.log1p(11.5 / 1.5))


def test_further_words_are_made_known(whole: Index) -> None:
    few = Excerpt(of_all(whole))
    before = few.rarity([105])[105]
    few.inform("words", {105: 6})
    assert few.rarity([105])[105] < before
    assert few.rarity([RARE]) == pytest.approx(whole.rarity([RARE]))


@pytest.mark.parametrize(
    ("most", "documents", "chosen"),
    [
        (6, 100, {NEW, RARE, COMMON}),
        (1, 100, {NEW, RARE}),
        (6, 14, {NEW, RARE}),
        (6, 1, {NEW, RARE}),
    ],
)
def test_the_rarest_are_few_and_stand_in_few(
    whole: Index, most: int, documents: int, chosen: set[int]
) -> None:
    """Who is not counted yet is asked for besides; one that is, however many it stands in."""
    asked = {COMMON: 1.0, RARE: 1.0, NEW: 1.0}
    assert set(Excerpt(of_all(whole)).rarest(asked, "words", most, documents)) == chosen
