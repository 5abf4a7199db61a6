"""Hangul in Latin letters: every letter of it is kept, and nothing else is touched."""

from __future__ import annotations

import pytest

from training.faithfulness.romanizing import romanized


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("한글", "hangeul"),
        ("가지 않았다.", "gaji anhassda."),
        ("없다, 못 읽다", "eobsda, mos ilgda"),
        ("API는 GPU를 쓴다", "APIneun GPUreul sseunda"),
        ("No Hangul: ㄱ and 漢字", "No Hangul: ㄱ and 漢字"),
        ("", ""),
    ],
)
def test_a_text_is_spelled_letter_by_letter(text: str, latin: str) -> None:
    assert romanized(text) == latin


def test_words_that_differ_in_one_letter_stay_apart() -> None:
    words = ["안", "않", "앉", "알", "앓", "앎", "업", "없", "엎", "못", "몯", "있", "잇"]
    assert len({romanized(word) for word in words}) == len(words)
