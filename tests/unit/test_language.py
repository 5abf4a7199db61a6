from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import count_words, detect, raw_words, sentences, stem, words


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Kubernetes restarts the container.", "en"),
        ("쿠버네티스는 컨테이너를 다시 시작한다.", "ko"),
        ("React의 useEffect Hook은 의존성 배열을 받는다.", "ko"),
        ("The author, 김철수, wrote about Raft and Paxos at length.", "en"),
        (
            "```\n이것은 코드 안의 한국어 주석입니다 전부 한국어\n```\nAll the prose is English here.",
            "en",
        ),
        ("12345", "en"),
    ],
)
def test_the_share_of_hangul_outside_code_decides_the_language(text: str, language: str) -> None:
    assert detect(text) == language


def test_without_a_letter_the_hint_decides() -> None:
    assert detect("1 + 1 = 2", "ko") == "ko"


def test_a_template_s_wrong_hint_does_not_turn_english_into_korean() -> None:
    assert detect("A plain English sentence about databases.", "ko") == "en"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Use foo.bar() here. It returns v1.2 of the API, e.g. for tests. Done!",
            ["Use foo.bar() here.", "It returns v1.2 of the API, e.g. for tests.", "Done!"],
        ),
        (
            "See Fig. 3 and Smith et al. 2020 for more.",
            ["See Fig. 3 and Smith et al. 2020 for more."],
        ),
        ('He said "stop." Then it stopped.', ['He said "stop."', "Then it stopped."]),
        ("Version 2.0 is out. node.js is not.", ["Version 2.0 is out. node.js is not."]),
        ("  ", []),
    ],
)
def test_english_is_cut_where_a_sentence_ends(text: str, expected: list[str]) -> None:
    assert sentences(text, "en") == expected


def test_korean_is_cut_where_a_sentence_ends() -> None:
    text = "파드는 배포의 가장 작은 단위다. 버전 1.2에서 바뀌었다. 왜 그럴까요?"
    assert sentences(text, "ko") == [
        "파드는 배포의 가장 작은 단위다.",
        "버전 1.2에서 바뀌었다.",
        "왜 그럴까요?",
    ]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_character_of_an_english_text_is_lost(text: str) -> None:
    assert "".join("".join(sentences(text, "en")).split()) == "".join(text.split())


def test_a_book_without_a_line_break_is_cut_too() -> None:
    found = sentences("컨테이너는 격리된 프로세스다. " * 2_000, "ko")
    assert len(found) == 2_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("containers", "container"),
        ("caching", "cached"),
        ("queries", "query"),
        ("batches", "batch"),
        ("running", "runs"),
        ("caches", "cache"),
    ],
)
def test_inflected_forms_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("class", "classic"), ("status", "state"), ("k8s", "k8")]
)
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_content_words_leave_out_stop_words_and_endings() -> None:
    assert words("The container is not restarted by the kubelet", "en") == [
        "container",
        "restart",
        "kubelet",
    ]
    assert words("컨테이너를 다시 시작했다", "ko") == ["컨테이너", "시작"]


def test_a_contraction_is_one_word_whatever_its_apostrophe() -> None:
    assert raw_words("We’ve and we've") == ["we've", "and", "we've"]


def test_words_are_counted_as_people_count_them() -> None:
    assert count_words("one two\nthree") == 3
