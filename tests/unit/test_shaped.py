"""JSON answers: whatever a model writes, the caller gets a whole value or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from core.prompts import questions
from core.prompts.shaped import Shape


class Judged(BaseModel):
    reason: str = ""
    score: int = 3
    terms: list[str] = []


SHAPE = Shape(Judged)


@pytest.mark.parametrize(
    "reply",
    [
        '{"reason": "short", "score": 4, "terms": ["pod"]}',
        'Sure! Here it is:\n```json\n{"reason": "short", "score": 4, "terms": ["pod"]}\n```',
        '{"reason": "short", "score": 4, "terms": ["pod"]',
        "{'reason': 'short', score: 4, 'terms': ['pod'],}",
        '{"reason": "short", "score": "4", "terms": ["pod"], "mood": "fine"}',
    ],
)
def test_what_is_nearly_json_is_repaired(reply: str) -> None:
    assert SHAPE.read(reply) == Judged(reason="short", score=4, terms=["pod"])


def test_what_is_missing_or_wrong_is_filled() -> None:
    assert SHAPE.read('{"reason": "short"}') == Judged(reason="short")
    assert SHAPE.read('{"reason": "short", "score": "high"}') == Judged(reason="short")


@pytest.mark.parametrize("reply", ["", "no braces", "{}", '{"mood": "fine"}', "[1, 2]", "{"])
def test_a_reply_without_anything_of_it_is_none(reply: str) -> None:
    assert SHAPE.read(reply) is None


@given(st.text())
def test_whatever_comes_it_never_raises(reply: str) -> None:
    found = SHAPE.read("{" + reply)
    assert found is None or isinstance(found, Judged)


def test_the_schema_asks_for_every_field_and_no_other() -> None:
    schema = json.loads(SHAPE.schema)
    assert schema["required"] == ["reason", "score", "terms"]
    assert schema["additionalProperties"] is False


def test_a_field_without_a_default_cannot_be_filled() -> None:
    class Bare(BaseModel):
        score: int

    with pytest.raises(TypeError, match="score"):
        Shape(Bare)


def test_questions_are_read_from_json_and_from_lines_alike() -> None:
    asked = ["How does the scheduler place pods on nodes?", "Why do pods restart on other nodes?"]
    about = "The scheduler places pods on nodes and pods restart on other nodes."
    shaped = json.dumps({"questions": asked})
    lined = "\n".join(f"{number}. {one}" for number, one in enumerate(asked, 1))
    assert questions.parse(shaped, about, "en") == questions.parse(lined, about, "en") == asked
