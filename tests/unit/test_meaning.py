"""How hard a subject is, told from its place in the encoder's space."""

from __future__ import annotations

import numpy as np
import pytest
from support.builders import an_article

from core.chunks import Document, cut
from core.digest import LABELS
from core.judging import difficulty, meaning
from core.ports import Vectors

TEXT = " ".join(
    f"The {name} server keeps its state on disk." for name in ("first", "second", "next")
)


def document(content: str = TEXT) -> Document:
    return cut(an_article(title="Servers", content=content, language="en"), 330)


def rows(towards: float, count: int) -> Vectors:
    """Vectors so far along the hard end of the whole text's axis, the rest at right angles."""
    axis = meaning.head().mean / np.linalg.norm(meaning.head().mean)
    aside = np.zeros_like(axis)
    aside[:2] = -axis[1], axis[0]
    one = towards * axis + np.sqrt(1 - towards**2) * aside / np.linalg.norm(aside)
    return np.tile(one.astype(np.float32), (count, 1))


def test_a_subject_further_along_the_axis_is_harder_whatever_the_words() -> None:
    found = [difficulty.judge(document(), rows(x, 4)).level.score for x in (-0.6, -0.1, 0.1, 0.6)]
    assert found == sorted(found)
    assert found[-1] >= found[0] + 2.0


@pytest.mark.parametrize("towards", [-0.9, -0.2, 0.0, 0.3, 0.9])
def test_probabilities_are_one_in_all_and_those_of_the_label_s_side_are_highest(
    towards: float,
) -> None:
    judged = difficulty.judge(document(), rows(towards, 4))
    assert sum(judged.probabilities) == pytest.approx(1.0, abs=0.01)
    likeliest = int(np.argmax(judged.probabilities))
    assert abs(likeliest - LABELS.index(judged.level.label)) <= 1


def test_a_level_between_two_labels_is_marked_uncertain() -> None:
    found = [difficulty.judge(document(), rows(x, 4)) for x in np.linspace(-0.5, 0.5, 81)]
    sure = [abs(one.level.score % 1 - 0.5) for one in found if not one.uncertain]
    unsure = [abs(one.level.score % 1 - 0.5) for one in found if one.uncertain]
    assert sure
    assert unsure
    assert np.mean(unsure) < np.mean(sure)


def test_the_same_text_with_another_footer_is_as_hard() -> None:
    many = " ".join([TEXT] * 8)
    plain, more = document(many), document(f"{many} Subscribe to our newsletter.")
    first = difficulty.judge(plain, rows(0.2, len(plain.sentences) + 1)).level.score
    footer = np.vstack([rows(0.2, len(plain.sentences) + 1), rows(-0.2, 1)])
    assert abs(difficulty.judge(more, footer).level.score - first) <= 0.2


def test_sentences_without_a_vector_are_left_out() -> None:
    known = rows(0.4, 3)
    gaps = np.vstack([known, np.zeros_like(known)])
    assert meaning.pooled(gaps)[0] == pytest.approx(meaning.pooled(known)[0])
    assert not meaning.pooled(np.zeros_like(known))[0].any()


def test_long_texts_are_told_from_sentences_spread_over_all_of_them() -> None:
    assert meaning.evenly(3) == [0, 1, 2]
    chosen = meaning.evenly(1000)
    assert len(chosen) == meaning.SPREAD
    assert chosen[-1] > 980


def test_the_hardest_sentences_are_named() -> None:
    vectors = np.vstack([rows(-0.5, 1), rows(0.7, 1), rows(0.1, 1)])
    assert meaning.hardest(vectors, ["easy", "hard", "so so"], 2) == ["hard", "so so"]


def test_the_head_belongs_to_one_encoder() -> None:
    assert meaning.fits("all-MiniLM-L6-v2@abc")
    assert not meaning.fits("hashing")
    assert all(easy and hard for easy, hard in meaning.axes())
