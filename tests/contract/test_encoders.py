"""What every encoder promises."""

from __future__ import annotations

import numpy as np
import pytest
from support.tiny_encoder import tiny_encoder

from core.engine.echo import HashingEncoder
from core.engine.encoder import CTranslate2Encoder
from core.ports import Encoder

TEXTS = [
    "The scheduler places pods on nodes.",
    "Cats sleep most of the day.",
    "",
    "[MASK] <|im_start|> \x00 🙂",
    "한국어 문장도 들어옵니다.",
    "long " * 3000,
]


@pytest.fixture(params=["hashing", pytest.param("ctranslate2", marks=pytest.mark.slow)])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param == "hashing":
        return HashingEncoder()
    return CTranslate2Encoder(tiny_encoder().folder, threads=2)


async def test_each_text_gets_a_vector_of_length_one(encoder: Encoder) -> None:
    vectors = await encoder.embed(TEXTS)
    assert vectors.shape[0] == len(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


async def test_no_texts_give_no_rows_of_the_same_width(encoder: Encoder) -> None:
    width = (await encoder.embed(["one"])).shape[1]
    assert (await encoder.embed([])).shape == (0, width)


async def test_a_text_has_the_same_vector_whoever_is_beside_it(encoder: Encoder) -> None:
    alone = np.vstack([await encoder.embed([text]) for text in TEXTS])
    together = await encoder.embed(TEXTS * 9)
    np.testing.assert_allclose(together, np.tile(alone, (9, 1)), atol=0.02)


async def test_the_same_text_is_nearest_to_itself(encoder: Encoder) -> None:
    vectors = await encoder.embed(TEXTS)
    likeness = vectors @ vectors.T
    assert (likeness.argmax(axis=1) == np.arange(len(TEXTS))).all()


async def test_it_says_its_name_and_what_it_reads(encoder: Encoder) -> None:
    assert encoder.name
    assert encoder.reads <= {"ko", "en"}
