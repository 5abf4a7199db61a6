from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.writing import Writer


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids: list[int]) -> str:
        return bytes(ids).decode("utf-8", "replace")


def written(text: str, *stop: str) -> tuple[list[str], Writer]:
    writer = Writer(Bytes(), stop)
    pieces = [writer.add(byte) for byte in text.encode()]
    return [*pieces, writer.close()], writer


@given(st.text())
def test_the_pieces_together_are_the_text(text: str) -> None:
    pieces, writer = written(text.replace("\ufffd", ""))
    assert "".join(pieces) == writer.text == text.replace("\ufffd", "")


@given(st.text(alphabet="가나다🙂é "))
def test_no_piece_has_half_a_character(text: str) -> None:
    pieces, _ = written(text)
    assert not any("\ufffd" in piece for piece in pieces)


def test_a_syllable_is_shown_when_its_last_byte_is_there() -> None:
    pieces, _ = written("한국")
    assert pieces == ["", "", "한", "", "", "국", ""]


def test_bytes_that_never_become_a_character_are_dropped() -> None:
    writer = Writer(Bytes())
    for byte in "끝".encode()[:2]:
        assert writer.add(byte) == ""
    assert writer.close() == ""
    assert writer.text == ""


@pytest.mark.parametrize(
    ("text", "stops", "shown"),
    [
        ("one STOP two", ("STOP",), "one "),
        ("one two", ("STOP",), "one two"),
        ("ends with ST", ("STOP",), "ends with ST"),
        ("a\n\nb", ("\n\n",), "a"),
        ("first and second", ("second", "and"), "first "),
        ("큐는 끝.", ("끝",), "큐는 "),
        ("aaab", ("aab",), "a"),
        ("nothing", ("",), "nothing"),
    ],
)
def test_the_text_ends_before_a_stop_string(text: str, stops: tuple[str, ...], shown: str) -> None:
    pieces, writer = written(text, *stops)
    assert "".join(pieces) == writer.text == shown


@given(st.text(alphabet="abS", max_size=30), st.text(alphabet="abS", min_size=1, max_size=4))
def test_a_stop_string_is_never_shown_even_in_part(text: str, stop: str) -> None:
    pieces, writer = written(text, stop)
    assert writer.text == text.split(stop)[0]
    assert "".join(pieces) == writer.text
