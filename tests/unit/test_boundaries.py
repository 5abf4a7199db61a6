from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boundaries import mended
from core.language import sentences


@pytest.mark.parametrize(
    "expected",
    [
        ["React는 if 문, && 및 ? : 연산자와 같은 자바스크립트 문법을 사용합니다."],
        ["반복을 피하려면 items !== prevItems와 같은 조건이 필요합니다."],
        [
            "에러가 덜 발생합니다(서로 다른 변수가 동기화되지 않는 버그를 피할 수 있습니다).",
            "다음입니다.",
        ],
        ["빠릅니다. (비활성화 한 경우와 비슷한 속도).", "이를 해석하면 그렇습니다."],
        ["코드에는 버그가 있습니다.", '"hello"를 빠르게 입력한다고 합시다.'],
        ["목록에 TodoList가 표시됩니다.", '"Show only active todos" 체크박스는 중요합니다.'],
        ["이 예시에서 값을 받습니다.", "&& 연산자를 씁니다."],
        ["기본적으로 1개의 프로젝트 당 (프로젝트)-api 3개를 생성합니다."],
        ["안녕하세요, 하이퍼커넥트 팀의 홍길동입니다."],
        ["아닙니다!!", "그렇습니다...", "그런데 (웃음) 갑니다."],
        ["그는 갔습니다.", "(그는 돌아왔습니다.)", "끝입니다."],
    ],
)
def test_korean_is_cut_where_it_ends_and_not_before(expected: list[str]) -> None:
    assert sentences(" ".join(expected), "ko") == expected


def test_marks_in_code_end_no_sentence_and_code_begins_one() -> None:
    text = "Use a. B here. foo() is called."
    assert sentences(text, "en", "Use Xxxx here. Xxxxx is called.") == [
        "Use a. B here.",
        "foo() is called.",
    ]


def test_a_bracket_before_code_ends_no_sentence() -> None:
    text = "Now, any does satisfy (not implement!) comparable."
    assert sentences(text, "en", text.replace("comparable", "Xxxxxxxxxx")) == [text]


def test_another_text_s_shield_is_not_used() -> None:
    assert sentences("One. Two.", "en", "One") == ["One.", "Two."]


@given(st.text(alphabet='다가 .?!(),"”&', max_size=80), st.lists(st.integers(0, 80)))
def test_nothing_is_lost_and_nothing_comes_twice(text: str, cuts: list[int]) -> None:
    ends = sorted({min(c, len(text)) for c in cuts} | {0, len(text)})
    spans = [(a, b) for a, b in pairwise(ends) if text[a:b].strip()]
    found = mended(text, spans)
    assert "".join("".join(text[a:b] for a, b in found).split()) == "".join(text.split())
    assert all(a < b for a, b in found)
