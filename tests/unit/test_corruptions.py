"""True sentences made false: one thing changed, and always something."""

from __future__ import annotations

import random

import pytest

from core.judging.facts import numbers
from training.faithfulness import corruptions


def _chance(seed: int = 0) -> random.Random:
    return random.Random(seed)  # noqa: S311 - weak labels, no secrets


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_number_is_another_number(seed: int) -> None:
    made = corruptions.number("The pool keeps 8 connections for 2.5 seconds.", _chance(seed))
    assert made is not None
    assert numbers(made) != ["8", "2.5"]
    assert made.count(" ") == 7


@pytest.mark.parametrize(
    ("sentence", "made"),
    [
        ("The lock is fair.", "The lock is not fair."),
        ("We replace the queue.", "We do not replace the queue."),
        ("Nothing to turn here", None),
    ],
)
def test_a_negation_is_added_where_english_takes_one(sentence: str, made: str | None) -> None:
    assert corruptions.negation(sentence, _chance()) == made


def test_korean_endings_are_turned() -> None:
    made = corruptions.negation_ko("이 설정은 데이터를 읽을 수 있습니다.", _chance())
    assert made == "이 설정은 데이터를 읽을 수 없습니다."


def test_an_opposite_keeps_the_ending_of_its_word() -> None:
    assert corruptions.antonym("It adds.", _chance()) in {"It removes."}


def test_sides_of_a_relation_change_places() -> None:
    made = corruptions.roles("The scheduler calls the runtime.", _chance())
    assert made == "The runtime calls the scheduler."
