"""Figures against values worked out by hand, and against the libraries' own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from training import reporting
from training.evaluating import scores

pytestmark = pytest.mark.slow  # rouge-score brings nltk, which takes two seconds to load


def test_rouge_of_english_is_the_library_s_with_stems() -> None:
    from rouge_score.rouge_scorer import RougeScorer

    reference, text = "The pool keeps connections open.", "Pools keep a connection open"
    found = scores.rouge([reference], text, "en")
    own = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(reference, text)
    assert found == {name: own[name].fmeasure for name in own}


def test_rouge_takes_the_best_reference_for_each_figure() -> None:
    found = scores.rouge(["nothing of it", "a b c d"], "a b c d", "en")
    assert found == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}


def test_korean_syllables_are_counted_one_by_one() -> None:
    # 풀은 / 풀이: one of two syllables on each side is shared; 열다 stands in both
    found = scores.rouge(["풀은 열다"], "풀이 열다", "ko")
    assert found["rouge1 (syllables)"] == pytest.approx(3 / 4)
    assert found["rouge2 (syllables)"] == pytest.approx(1 / 3)


def test_korean_morphemes_meet_under_different_endings() -> None:
    found = scores.rouge(["연결을 엽니다"], "연결이 열린다", "ko")
    assert found["rouge1 (morphemes)"] > 0
    assert "rouge1" not in found


def test_korean_morphemes_leave_punctuation_out_and_keep_words_and_numbers() -> None:
    tokens = scores.Morphemes().tokenize("React 19를 씁니다!")
    assert "react" in tokens
    assert "19" in tokens
    assert "!" not in tokens


def test_bleu_of_the_reference_itself_is_100_whichever_of_several_it_is() -> None:
    texts = ["the pool keeps all connections open", "a queue bounds the time to wait"]
    references = [["something else entirely here now", texts[0]], [texts[1]]]
    assert scores.bleu(references, texts, "en") == pytest.approx(100.0)


def test_bleu_is_sacrebleu_s() -> None:
    import sacrebleu

    texts, references = (
        ["the pool keeps some connections open"],
        ["the pool keeps all of them open"],
    )
    own = sacrebleu.corpus_bleu(texts, [references]).score
    assert scores.bleu([references], texts, "en") == pytest.approx(own)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Web servers", "web-server", True),
        ("C", "C++", False),
        ("C#", "C", False),
        ("Node.js", "node.js", True),
        ("쿠버네티스", "도커", False),
    ],
)
def test_names_meet_by_their_stems(one: str, other: str, same: bool) -> None:
    assert (scores.normal(one) == scores.normal(other)) is same


def test_keyword_f1_by_hand() -> None:
    gold = ["Docker", "web server", "Linux"]
    said = ["docker", "Dockers", "web servers", "cloud", "latency", "linux"]
    # without the repetition: docker, web server, cloud, latency, linux
    found = scores.matched(gold, said, 3)
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    assert scores.matched(gold, said, 5)["f1"] == pytest.approx(2 * 3 / (5 + 3))


def test_nothing_said_where_nothing_is_asked_is_right_and_otherwise_not() -> None:
    assert scores.matched([], [])["f1"] == 1.0
    assert scores.matched(["a b"], [])["f1"] == 0.0
    assert scores.matched([], ["a b"])["f1"] == 0.0


def test_near_phrases_meet_one_to_one() -> None:
    gold = ["Some familiarity with Docker", "An AWS account"]
    said = ["familiarity with Docker", "Docker", "an AWS account"]
    found = scores.near(gold, said)
    assert found["recall"] == 1.0
    assert found["precision"] == pytest.approx(2 / 3)


def test_soft_figures_by_hand() -> None:
    # words' F1 of "an aw account" and "account": 2 * 1 / (3 + 1)
    found = scores.soft(["An AWS account"], ["account"])
    assert found == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


def test_rankings_by_hand() -> None:
    found = scores.ranking(["b", "d"], ["a", "b", "b", "c", "d"])
    assert found["R@1"] == 0.0
    assert found["R@5"] == 1.0
    assert found["MRR@10"] == 0.5
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert found["nDCG@10"] == pytest.approx(gain / (1 + 1 / math.log2(3)))


def test_pages_are_compared_by_runs_of_four_tokens() -> None:
    found = scores.page("a b c d e", "a b c d f")
    assert found == {"precision": 0.5, "recall": 0.5}
    assert scores.page("a b c d", "") == {"recall": 0.0}
    assert scores.segments(["one two", "three"], ["four"], "One, one two! four") == (1, 1, 1)


def test_kappa_and_rank_correlation_of_perfect_and_of_constant_guesses() -> None:
    assert scores.quadratic_kappa([1, 3, 5], [1, 3, 5], range(1, 6)) == 1.0
    assert scores.spearman([1, 2, 3], [10, 20, 30]) == pytest.approx(1.0)
    assert math.isnan(scores.spearman([1, 2, 3], [1, 1, 1]))
    assert math.isnan(scores.quadratic_kappa([3, 3], [3, 3], range(1, 6)))


def test_kappa_by_hand() -> None:
    # one of two misses by two levels: observed 4, expected by the margins (0 + 4 + 16 + 4) / 4
    found = scores.quadratic_kappa([1, 5], [1, 3], range(1, 6))
    assert found == pytest.approx(1 - (4 / 2) / ((0 + 4 + 16 + 4) / 4))


def test_an_interval_holds_the_mean_and_is_the_same_twice() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    found = scores.mean_interval(values)
    assert found["mean"] == pytest.approx(0.6)
    assert found["low"] <= found["mean"] <= found["high"]
    assert found == scores.mean_interval(values)
    assert scores.mean_interval([])["rows"] == 0


@pytest.mark.parametrize("rows", [3, 40])
def test_the_area_under_the_curve_and_its_interval_are_the_library_s(rows: int) -> None:
    from sklearn.metrics import roc_auc_score

    chance = np.random.default_rng(rows)
    truth = np.array([0, 1, *chance.integers(0, 2, rows - 2)])
    given = np.round(chance.normal(truth, 1.5), 1)  # some of them are equal

    def measure(draw: NDArray[np.int64]) -> float:
        if len({*truth[draw].tolist()}) == 1:
            return float("nan")
        return float(roc_auc_score(truth[draw], given[draw]))

    area, low, high = reporting.auc(truth.tolist(), given.tolist(), draws=50)
    assert area == pytest.approx(roc_auc_score(truth, given))
    assert (low, high) == pytest.approx(reporting.interval(measure, rows, draws=50))
    assert low <= area <= high
