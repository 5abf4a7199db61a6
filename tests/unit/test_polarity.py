"""What is affirmed, what is negated, and which words are opposites."""

from __future__ import annotations

import pytest
from support.builders import an_article

from core.article import Language
from core.chunks import cut
from core.judging.evidence import SIGNS, Measuring
from core.judging.facts import initials, names
from core.judging.polarity import opposites, polarity


@pytest.mark.parametrize(
    ("text", "language", "negated"),
    [
        ("The lock does not block readers.", "en", {"block"}),
        ("It cannot be added without a key.", "en", {"add", "key"}),
        ("The lock blocks readers.", "en", set()),
        ("이 설정은 데이터를 삭제하지 않는다.", "ko", {"삭제"}),
        ("값을 읽을 수 없습니다.", "ko", {"읽"}),
        ("값을 읽을 수 있습니다.", "ko", set()),
    ],
)
def test_a_negation_reaches_the_word_it_is_about(
    text: str, language: Language, negated: set[str]
) -> None:
    found = polarity(text, language)
    assert found.negated == negated
    assert not found.negated & found.affirmed


@pytest.mark.parametrize("language", ["en", "ko"])
def test_opposites_are_mutual_and_no_word_is_its_own(language: Language) -> None:
    known = opposites(language)
    assert len(known) > 150
    for word, others in known.items():
        assert word not in others
        assert all(word in known[other] for other in others)


def test_names_are_told_by_their_pieces() -> None:
    assert names("We train GAN-based models with PyTorch on v2.1 data.") == [
        "gan",
        "pytorch",
        "v2.1",
    ]
    assert "rnn" in initials("a recurrent neural network")
    assert "rnn" in initials("with a Recurrent-Neural Network.")
    assert "pep" not in initials("It prints the error, and the process ends. It prints. Each pool")


def test_every_sign_is_measured_and_each_change_shows_in_its_own() -> None:
    content = "The pool keeps 8 connections open. It never closes idle ones. Faster retries reduce errors."
    measuring = Measuring(cut(an_article(title="Pools", content=content, language="en"), 300))

    def signs(claim: str) -> dict[str, float]:
        found = measuring.measure(claim)
        assert found is not None
        assert tuple(found.signs) == SIGNS
        return found.signs

    assert signs("The pool keeps 9 connections open.")["numbers_gone"] == 1
    assert signs("The pool does not keep 8 connections open.")["turned"] == 1
    assert signs("Faster retries increase errors.")["opposed"] == 1
    assert signs("Redis keeps 8 connections open in HAProxy.")["names_gone"] == 1
    assert signs("The pool keeps 8 connections open.")["covered"] == pytest.approx(1.0)


def test_a_claim_without_words_has_no_signs() -> None:
    measuring = Measuring(cut(an_article(title="A", content="It runs.", language="en"), 300))
    assert measuring.measure("It is what it is.") is None
