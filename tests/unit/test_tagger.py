"""Terms in sentences: words, labels by rule, the best path, and a head that learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.article import Language
from core.engine.encoder import TokenStates
from training.names.tagger import beside, by_head, by_labels, fit, read_by
from training.names.tagging import (
    BEGINS,
    GOES_ON,
    OUTSIDE,
    SHAPES,
    best_path,
    columns,
    first_tokens,
    load,
    shapes,
    spans,
    split,
)
from training.names.term_labels import IGNORED, label, names
from training.sets.term_sentences import Sentence, entities, gold


def test_particles_stay_outside_a_korean_word() -> None:
    found = [word.text for word in split("컴포넌트는 useState를 부릅니다.", "ko")]
    assert found[:4] == ["컴포넌트", "는", "useState", "를"]


def test_words_stand_where_they_say() -> None:
    text = "Set `os.path` and C++ (v1.2)."
    assert all(text[w.start : w.end] == w.text for w in split(text, "en"))
    assert {"os.path", "C++"} <= {w.text for w in split(text, "en")}


@pytest.mark.parametrize(
    ("text", "language", "begins", "outside"),
    [
        (
            "We deploy to Kubernetes with helm_values today.",
            "en",
            ["Kubernetes", "helm_values"],
            ["We"],
        ),
        ("You go there and the Go team waits.", "en", ["Go"], ["go", "the"]),
        ("쿠버네티스는 컨테이너를 배치합니다.", "ko", ["쿠버네티스", "컨테이너"], ["는"]),
    ],
)
def test_known_names_and_code_begin_terms(
    text: str, language: Language, begins: list[str], outside: list[str]
) -> None:
    words = split(text, language)
    labels = dict(
        zip([w.text for w in words], label(words, language, names(language)).labels, strict=True)
    )
    assert [labels[word] for word in begins] == [BEGINS] * len(begins)
    assert [labels[word] for word in outside] == [OUTSIDE] * len(outside)


def test_a_specialist_word_without_a_known_name_is_ignored_and_not_denied() -> None:
    words = split("The flurbostat quantises everything.", "en")
    labels = label(words, "en", names("en")).labels
    assert labels[1] == IGNORED


def test_nothing_goes_on_that_has_not_begun() -> None:
    chances = np.array([[0.3, 0.1, 0.6], [0.2, 0.1, 0.7], [0.9, 0.05, 0.05]])
    labels = best_path(chances)
    assert labels[0] != GOES_ON
    assert labels == [BEGINS, GOES_ON, OUTSIDE]
    assert best_path(np.zeros((0, 3))) == []


def test_a_span_counts_from_its_chance_on() -> None:
    words = split("garbage collection runs", "en")
    chances = np.array([[0.3, 0.7, 0.0], [0.4, 0.0, 0.6], [1.0, 0.0, 0.0]])
    (found,) = spans(words, chances, 0.6)
    assert (found.start, found.end) == (0, 18)
    assert found.chance == pytest.approx(0.65)
    assert spans(words, chances, 0.7) == []


def test_a_word_has_the_state_of_its_first_token_and_none_where_the_text_was_cut() -> None:
    words = split("kubelet restarts pods", "en")
    read = TokenStates(((0, 4), (4, 7), (8, 16)), np.arange(6, dtype=np.float32).reshape(3, 2))
    assert first_tokens(words, read) == [0, 2, -1]
    made = columns(words, read, "en")
    assert made.shape == (3, 2 + 3 * len(SHAPES))
    assert made[0, :2].tolist() == [0, 1]
    assert made[2, :2].tolist() == [0, 0]


def test_shapes_tell_a_name_from_a_word() -> None:
    table = shapes(split("The TLS handshake() uses io_uring", "en"), "en")
    column = SHAPES.index
    assert table[1, column("all_capitals")] == 1
    assert table[2, column("called")] == 1
    assert table[0, column("function_word")] == 1
    assert table[-1, column("sign_inside")] == 1


@pytest.mark.slow  # torch, and some hundred steps
def test_a_head_learns_from_weak_labels_and_is_the_same_after_saving(tmp_path: Path) -> None:
    """States say here which words are terms; half the words of no list are ignored."""
    chance = np.random.default_rng(1)
    found, seen = [], []
    for _ in range(60):
        words = split("the quick zorblat runs near it", "en")
        labels = [OUTSIDE, OUTSIDE, BEGINS, OUTSIDE, IGNORED, OUTSIDE]
        states = chance.normal(0, 0.1, (6, 4)).astype(np.float32)
        states[2, 0] += 2.0
        places = tuple((word.start, word.end) for word in words)
        found.append(Sentence("", "en", words, labels))
        seen.append(columns(words, TokenStates(places, states), "en"))
    settings = {
        "seed": 1,
        "unknown": 0.1,
        "goes_on": 1.0,
        "hidden": 8,
        "dropout": 0.0,
        "epochs": 20,
        "batch": 32,
        "learning_rate": 0.01,
        "decay": 0.0,
        "least": 0.5,
    }
    head = fit(seen, found, settings, "tiny")
    assert by_head(head, 0.5)(found[0], seen[0]) == [0, 0, 1, 0, 0, 0]
    head.save(tmp_path / "tagger.npz")
    again = load(tmp_path / "tagger.npz")
    assert (again.encoder, again.least) == ("tiny", 0.5)
    np.testing.assert_allclose(again.chances(seen[0]), head.chances(seen[0]), atol=0.02)


def test_the_marked_sentences_hold_terms_in_both_languages() -> None:
    found = gold()
    for language, least in (("en", 90), ("ko", 60)):
        mine = [one for one in found if one.language == language]
        assert sum(len(entities(one.labels)) for one in mine) >= least
        assert "[" not in "".join(one.text for one in mine if language == "ko")


@pytest.mark.slow  # seqeval brings scikit-learn
def test_figures_count_whole_terms_and_those_of_no_list_apart() -> None:
    text = "The Kubernetes flurb_stat waits"
    words = split(text, "en")
    sentence = Sentence(text, "en", words, [OUTSIDE, BEGINS, BEGINS, OUTSIDE])
    read = read_by(by_labels, [sentence], [np.zeros((4, 1))])
    figures = read.figures()
    assert figures["entity"]["f1"] == 1.0
    assert figures["unlisted"]["terms"] == 1
    wrong = read_by(lambda *_: [OUTSIDE, BEGINS, GOES_ON, OUTSIDE], [sentence], [np.zeros((4, 1))])
    assert wrong.figures()["entity"]["f1"] == 0.0
    assert wrong.figures()["words"]["accuracy"] == 0.75


def test_of_two_terms_that_overlap_the_longer_stands() -> None:
    words = split("machine code runs fast", "en")
    sentence = Sentence("", "en", words, [])
    both = beside(lambda *_: [1, 0, 0, 1], lambda *_: [1, 2, 0, 0])
    assert both(sentence, np.zeros((4, 1))) == [1, 2, 0, 1]
