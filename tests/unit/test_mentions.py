"""Words that people wrote into a form, found in what articles say."""

from __future__ import annotations

import pytest

from core.mentions import mentions


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Kubernetes", "kubernetes를 도입한 이유"),
        ("kubernetes", "Kubernetes-native builds"),
        ("database", "Two databases, one transaction"),
        ("go", "왜 Go를 골랐나"),
        ("c++", "Modern C++ for embedded systems"),
        ("쿠버네티스", "쿠버네티스를 버렸습니다"),
        ("데이터", "빅데이터 파이프라인"),
        ("머신러닝", "머신 러닝 모델의 서빙"),
        ("머신 러닝", "머신러닝으로 하는 추천"),
        ("large language model", "Large  Language\nModels on phones"),
        ("ｐｙｔｈｏｎ", "Python 3.14"),
        ("카페", "카페 추천"),
    ],
)
def test_a_word_is_found_as_people_mean_it(word: str, text: str) -> None:
    assert mentions(text, word)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("go", "Google and good algorithms"),
        ("c", "Modern C++ and C#"),
        ("java", "JavaScript everywhere"),
        ("ai", "maintain your repair chain"),
        ("광고", "관광 고속도로로"),
        ("", "anything"),
        ("  ", "any thing"),
        (".", "no regular expression abc"),
    ],
)
def test_a_word_is_not_found_within_another(word: str, text: str) -> None:
    assert not mentions(text, word)
