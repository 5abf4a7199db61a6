"""Korean shown to an encoder that reads English: glosses, and the vectors that come of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from support.builders import an_article

from core.article import Language
from core.chunks import Document, cut
from core.judging import meaning
from core.judging.glossing import dictionary, gloss
from core.ports import Vectors
from core.subject import subject

WORDS = {"서버": "server", "연결": "connection", "열": "open"}


class Listening:
    """Remembers what it was asked to read; a row's first number is the text's length."""

    reads: frozenset[Language] = frozenset({"en"})
    dimensions = 3

    def __init__(self, name: str = "all-MiniLM-L6-v2@abc") -> None:
        self.name = name
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text), 1.0, 0.0] for text in texts], dtype=np.float32)


def document(content: str, title: str = "서버") -> Document:
    return cut(an_article(title=title, content=content, language="ko"), 330)


def test_known_words_become_english_and_names_stay_in_their_order() -> None:
    assert gloss("서버는 Redis와 연결을 연다.", WORDS) == "server redis connection open"


def test_of_unknown_words_nothing_is_left() -> None:
    assert gloss("고양이가 잔다.", WORDS) == ""


def test_the_shipped_dictionary_knows_everyday_words_of_the_field() -> None:
    known = dictionary()
    assert len(known) > 1500
    assert known["서버"].startswith("server")
    assert known["함수"].startswith("function")
    assert all(word.isascii() and word.islower() for word in known.values())


async def test_a_korean_article_is_read_through_its_gloss() -> None:
    encoder = Listening()
    made = document("서버는 요청을 받는다. 함수는 값을 돌려준다.")
    rows = await subject(made, encoder, None)
    assert rows is not None
    assert rows.shape == (1 + len(made.sentences), 3)
    assert rows.any(axis=1).all()
    assert all(text.isascii() for text in encoder.asked)


async def test_a_sentence_without_a_known_word_is_no_sentence() -> None:
    made = document("서버는 요청을 받는다. 쀍뛟뀗.")
    rows = await subject(made, Listening(), None)
    assert rows is not None
    assert rows.any(axis=1).tolist() == [True, True, False]


async def test_of_a_long_article_only_what_is_needed_is_read() -> None:
    made = document(" ".join(f"서버 {number}번이 요청을 받는다." for number in range(300)))
    encoder = Listening()
    rows = await subject(made, encoder, None)
    assert rows is not None
    assert len(rows) == 1 + len(made.sentences)
    assert meaning.SPREAD <= len(encoder.asked) <= meaning.SPREAD + meaning.OPENING + 1


async def test_an_encoder_of_which_nothing_was_learned_is_not_asked() -> None:
    other = Listening("hashing")
    assert await subject(document("서버는 요청을 받는다."), other, None) is None
    assert other.asked == []


async def test_an_english_article_keeps_its_own_vectors() -> None:
    made = cut(an_article(title="Servers", content="A server waits.", language="en"), 330)
    own = np.array([[7.0, 7.0, 7.0]], dtype=np.float32)
    encoder = Listening()
    rows = await subject(made, encoder, own)
    assert rows is not None
    assert rows[1:] == pytest.approx(own)
    assert encoder.asked == ["Servers"]
