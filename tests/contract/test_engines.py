"""What every engine promises, run against each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from support.openai_server import OpenAiServer
from support.tiny_model import tiny_checkpoint, tiny_model

from core.engine.checkpoints import load_checkpoint
from core.engine.ct2 import CTranslate2Engine
from core.engine.echo import EchoEngine
from core.engine.gptq import GptqEngine
from core.engine.openai import open_servers
from core.errors import EngineFailed
from core.ports import Engine, Generation, Prompt
from core.settings import ModelSettings

QUEUE = Prompt("What is a queue?")
KOREAN = Prompt("큐가 무엇입니까?")


_SLOW = pytest.mark.slow  # a tiny model has to be made first


@pytest.fixture(
    params=["echo", *(pytest.param(one, marks=_SLOW) for one in ("ctranslate2", "gptq", "openai"))]
)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    opened: Engine
    server = None
    if request.param == "echo":
        opened = EchoEngine()
    elif request.param == "openai":
        server = await OpenAiServer().start()
        opened = await open_servers(
            ModelSettings(endpoints=(server.address,), folder=tiny_model().folder)
        )
    elif request.param == "gptq":
        settings = ModelSettings(max_batch=4, cache_memory=64)
        opened = GptqEngine(load_checkpoint(tiny_checkpoint(), device="cpu"), settings)
    else:
        opened = CTranslate2Engine(tiny_model().folder, ModelSettings(threads=2))
    yield opened
    await opened.close()
    if server is not None:
        await server.stop()


async def test_it_has_a_name_and_a_size_and_says_what_it_writes(engine: Engine) -> None:
    assert engine.name
    assert engine.context_tokens >= 512
    assert engine.writes <= {"ko", "en"}


async def test_it_answers_the_same_again(engine: Engine) -> None:
    options = Generation(max_new_tokens=30)
    first = await engine.generate(QUEUE, options)
    assert first.strip()
    assert await engine.generate(QUEUE, options) == first


@pytest.mark.parametrize("prompt", [QUEUE, KOREAN])
async def test_streaming_gives_the_same_text_in_pieces(engine: Engine, prompt: Prompt) -> None:
    options = Generation(max_new_tokens=60)
    pieces = [piece async for piece in engine.stream(prompt, options)]
    assert len(pieces) > 1
    assert all(pieces)
    assert "".join(pieces) == await engine.generate(prompt, options)
    assert not any("\ufffd" in piece for piece in pieces)


async def test_the_answer_has_at_most_the_tokens_asked_for(engine: Engine) -> None:
    answer = await engine.generate(QUEUE, Generation(max_new_tokens=3))
    assert 1 <= engine.count_tokens(answer) <= 3


async def test_it_stops_before_a_stop_string(engine: Engine) -> None:
    whole = await engine.generate(QUEUE, Generation(max_new_tokens=60))
    middle = whole[len(whole) // 2 :][:3]
    cut = await engine.generate(QUEUE, Generation(max_new_tokens=60, stop=(middle,)))
    assert cut == whole.split(middle)[0]


async def test_a_prompt_that_does_not_fit_is_refused_and_not_cut(engine: Engine) -> None:
    long = Prompt("queue " * (engine.context_tokens + 1))
    with pytest.raises(EngineFailed, match="tokens"):
        await engine.generate(long, Generation())
    with pytest.raises(EngineFailed, match="tokens"):
        await anext(engine.stream(long, Generation()))


async def test_counting_grows_with_the_text(engine: Engine) -> None:
    assert engine.count_tokens("") == 0
    one = engine.count_tokens("A queue keeps order.")
    assert one > 1
    assert engine.count_tokens("A queue keeps order. " * 10) > 5 * one


async def test_many_at_once_get_the_answers_they_get_alone(engine: Engine) -> None:
    options = Generation(max_new_tokens=40)
    prompts = [QUEUE, KOREAN, Prompt("What is a stack?")] * 4
    alone = [await engine.generate(prompt, options) for prompt in prompts[:3]]
    together = await asyncio.gather(*(engine.generate(prompt, options) for prompt in prompts))
    assert together == alone * 4


async def test_who_stops_listening_does_not_disturb_the_next(engine: Engine) -> None:
    options = Generation(max_new_tokens=40)
    expected = await engine.generate(QUEUE, options)
    async with aclosing(engine.stream(KOREAN, options)) as pieces:
        await anext(pieces)
    assert await engine.generate(QUEUE, options) == expected


async def test_after_closing_it_says_that_it_is_closed(engine: Engine) -> None:
    await engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        await engine.generate(QUEUE, Generation(max_new_tokens=3))
