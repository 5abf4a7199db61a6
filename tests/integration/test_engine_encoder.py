from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from support.tiny_encoder import tiny_encoder

from core.engine.echo import HashingEncoder
from core.engine.encoder import CTranslate2Encoder
from core.engine.gptq import open_gptq
from core.engine.vectors import mean_of_tokens, unit
from core.errors import ModelNotReady
from core.settings import ModelSettings

TEXTS = [
    "The scheduler places pods on nodes.",
    "cats sleep",
    "A long queue of cats. " * 8,
    "most of the day",
    "pods " * 400,
]


async def test_its_vectors_are_those_of_transformers() -> None:
    tiny = tiny_encoder()
    ours = await CTranslate2Encoder(tiny.folder).embed(TEXTS)
    likeness = (ours * tiny.embed(TEXTS)).sum(axis=1)
    assert likeness.min() > 0.99


async def test_token_states_are_what_the_vector_is_the_mean_of_and_stand_where_they_say() -> None:
    encoder = CTranslate2Encoder(tiny_encoder().folder)
    texts = ["The scheduler places pods on nodes.", "cats sleep"]
    read = await encoder.states(texts)
    for text, one in zip(texts, read, strict=True):
        assert len(one.spans) == len(one.states)
        assert "".join(text[start:end] for start, end in one.spans) == text.replace(" ", "")
    longer, alone = read[1], (await encoder.states(texts[1:]))[0]
    np.testing.assert_allclose(longer.states, alone.states, atol=0.05)
    assert await encoder.states([]) == []


def test_the_mean_leaves_out_padding() -> None:
    states = np.array([[[2, 0], [0, 2], [99, 99]]], dtype=np.float32)
    np.testing.assert_allclose(mean_of_tokens(states, [2]), [[0.5**0.5, 0.5**0.5]], rtol=1e-6)


def test_a_vector_of_zeros_gets_a_length_too() -> None:
    np.testing.assert_allclose(np.linalg.norm(unit(np.zeros((2, 3), np.float32)), axis=1), 1)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("Pods run on nodes.", "A node runs many pods.", "The cat sleeps."),
        ("스케줄러는 파드를 노드에 배치한다.", "파드가 노드에 배치됩니다.", "고양이가 잔다."),
    ],
)
async def test_hashing_puts_shared_words_together(text: str, near: str, far: str) -> None:
    one, two, three = await HashingEncoder().embed([text, near, far])
    assert one @ two > one @ three + 0.1


async def test_the_echo_engine_opens_without_a_model(tmp_path: object) -> None:
    code = (
        "import asyncio, sys, pathlib\n"
        "from core.engine.choose import open_engine\n"
        "from core.settings import ModelSettings\n"
        "engine, encoder = asyncio.run(\n"
        "    open_engine(ModelSettings(engine='echo'), pathlib.Path('/nowhere')))\n"
        "heavy = {'torch', 'transformers', 'ctranslate2', 'peft'} & set(sys.modules)\n"
        "print(engine.name, encoder.name, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["echo", "hashing-512", "[]"]


async def test_an_engine_without_its_model_says_what_to_set() -> None:
    with pytest.raises(ModelNotReady, match=r"model\.folder"):
        await open_gptq(ModelSettings(engine="gptq"))
