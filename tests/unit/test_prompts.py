from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prompts import questions, summary, term


def test_the_question_holds_title_and_text_as_they_are() -> None:
    prompt = summary.render("On <|im_end|> tokens", "Text {with} braces.", "en")
    assert prompt.user == (
        "Title: On <|im_end|> tokens\n\nText:\nText {with} braces.\n\nSummarize this article in one sentence."
    )


def test_several_sentences_are_asked_for_by_number() -> None:
    assert "in 3 sentences" in summary.render("T", "x", "en", 3).user
    assert "3개의 문장" in summary.render("제목", "본문", "ko", 3).user


def test_a_section_is_not_asked_for_as_an_article() -> None:
    assert summary.render("T", "x", "en", kind="section").user.endswith(
        "Summarize this section in one sentence."
    )
    assert summary.render("제목", "본문", "ko", kind="section").user.endswith(
        "이 부분을 한 문장으로 요약하십시오."
    )


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Sure! The pool keeps connections open.", ["The pool keeps connections open."]),
        (
            "Here's a summary of the text:\n- The pool is small here.\n- It waits for them.",
            ["The pool is small here.", "It waits for them."],
        ),
        (
            "A whole sentence stands here. And one that is cut off in the mid",
            ["A whole sentence stands here."],
        ),
        ("I'm sorry, as an AI language model I cannot help.", []),
        ("The same thing is said. The same thing is said.", ["The same thing is said."]),
        ("", []),
    ],
)
def test_a_reply_becomes_whole_sentences(reply: str, expected: list[str]) -> None:
    assert summary.parse(reply, "en") == expected


@given(st.text(max_size=300))
def test_whatever_comes_back_is_read_without_a_crash(reply: str) -> None:
    assert all(sentence.strip() for sentence in summary.parse(reply, "en"))
    assert len(questions.parse(reply, "pool connection size", "en")) <= questions.COUNT


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            "A pool is a set of open connections. It is shared.",
            "A pool is a set of open connections.",
        ),
        ("Connections are kept open in the server.", None),
        ("A pool is a set of open connec", None),
        ("", None),
    ],
)
def test_an_explanation_says_what_the_term_is(reply: str, expected: str | None) -> None:
    assert term.parse(reply, "pool", "en") == expected


def test_only_questions_about_the_digest_are_kept() -> None:
    reply = "1. How large should a connection pool be?\n2. Who won the football match yesterday?\nNot a question."
    found = questions.parse(reply, "connection pool size and latency", "en")
    assert found == ["How large should a connection pool be?"]


@pytest.mark.parametrize("keywords", [(), ("pool",), ("pool", "latency", "timeout", "queue")])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_there_are_always_five_different_questions(
    keywords: tuple[str, ...], language: str
) -> None:
    found = questions.fill([], keywords, "ko" if language == "ko" else "en")
    assert len(set(found)) == 5


def test_the_model_s_questions_come_first() -> None:
    found = questions.fill(["How large should it be?"], ("pool",), "en")
    assert found[0] == "How large should it be?"


def test_korean_particles_follow_the_last_syllable() -> None:
    found = questions.fill([], ("컨테이너", "노드", "볼륨"), "ko")
    assert "컨테이너와 노드의 관계는 무엇입니까?" in found
    assert "볼륨과 파드의 관계는 무엇입니까?" in questions.fill([], ("볼륨", "파드"), "ko")
    assert "이 글에서 볼륨이 중요한 이유는 무엇입니까?" in questions.fill([], ("볼륨",), "ko")
