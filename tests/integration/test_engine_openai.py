"""The engine for servers: faults of a server are nobody's answer; what differs between servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from support.openai_server import MODEL, OpenAiServer
from support.tiny_model import CHATS, SONG, tiny_model

from core.engine.openai import OpenAiEngine, open_servers
from core.errors import EngineBusy, EngineFailed, EngineTimedOut, ModelNotReady
from core.ports import Generation, Prompt
from core.settings import ModelSettings

QUEUE = Prompt("What is a queue?")
ANSWER = CHATS[QUEUE.user]
SHORT = Generation(max_new_tokens=60)
SCHEMA = '{"type": "object", "properties": {"score": {"type": "integer"}}}'


@asynccontextmanager
async def asking(*servers: OpenAiServer, **settings: Any) -> AsyncIterator[OpenAiEngine]:
    for server in servers:
        await server.start()
    given = {"engine": "openai", "endpoints": tuple(s.address for s in servers), "timeout": 20.0}
    engine = OpenAiEngine(
        ModelSettings.model_validate(given | {"folder": tiny_model().folder} | settings),
        look_seconds=0.02,
    )
    try:
        await engine.begin()
        yield engine
    finally:
        await engine.close()
        for server in servers:
            await server.stop()


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


async def test_the_server_is_told_what_was_asked_and_nothing_else() -> None:
    server = OpenAiServer()
    async with asking(server) as engine:
        options = Generation(max_new_tokens=60, stop=("STOP",), temperature=0.5, seed=3)
        await engine.generate(Prompt("What is a stack?", system="You are brief."), options)
    assert server.asked == [
        {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": "You are brief."},
                {"role": "user", "content": "What is a stack?"},
            ],
            "max_tokens": 60,
            "temperature": 0.5,
            "top_p": 1.0,
            "seed": 3,
            "stream": False,
            "stop": ["STOP"],
            "chat_template_kwargs": {"enable_thinking": False},
        }
    ]


@pytest.mark.parametrize("owner", ["vllm", "llamacpp", "library", "someone"])
async def test_each_kind_of_server_is_asked_in_words_it_takes(owner: str) -> None:
    server = OpenAiServer(owner=owner)
    async with asking(server) as engine:
        options = Generation(max_new_tokens=60, repetition_penalty=1.1, no_repeat_ngram=3)
        assert await engine.generate(QUEUE, options) == ANSWER
        assert [piece async for piece in engine.stream(QUEUE, options)]


async def test_an_answer_begins_as_it_must() -> None:
    async with asking(OpenAiServer()) as engine:
        begun = Prompt(QUEUE.user, opening="A queue")
        assert await engine.generate(begun, SHORT) == ANSWER.removeprefix("A queue")


@pytest.mark.parametrize(
    ("owner", "key"), [("vllm", "structured_outputs"), ("llamacpp", "response_format")]
)
async def test_a_schema_is_handed_on(owner: str, key: str) -> None:
    server = OpenAiServer(owner=owner)
    async with asking(server) as engine:
        said = await engine.generate(QUEUE, Generation(max_new_tokens=60, schema=SCHEMA))
    assert said == '{"score":3}'
    assert "score" in str(server.asked[0][key])


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_server_that_knows_no_schemas_is_asked_without_from_then_on(streamed: bool) -> None:
    server = OpenAiServer(owner="someone")
    options = Generation(max_new_tokens=60, schema=SCHEMA)
    async with asking(server) as engine:
        for _ in range(2):
            if streamed:
                assert "".join([p async for p in engine.stream(QUEUE, options)]) == ANSWER
            else:
                assert await engine.generate(QUEUE, options) == ANSWER
    assert ["response_format" in said for said in server.asked] == [True, False, False]


@pytest.mark.parametrize("status", [429, 500])
async def test_a_server_that_stumbles_is_asked_again(status: int) -> None:
    server = OpenAiServer(refusals=[(status, "not now")])
    async with asking(server) as engine:
        assert await engine.generate(QUEUE, SHORT) == ANSWER
    assert len(server.asked) == 2


async def test_a_server_that_says_it_is_away_is_left_alone_until_it_is_seen_to_be_well() -> None:
    server = OpenAiServer(refusals=[(503, "starting")])
    async with asking(server, retries=0) as engine:
        with pytest.raises(EngineBusy, match="starting"):
            await engine.generate(QUEUE, SHORT)
        await until(lambda: engine.healthy[server.address])
        assert await engine.generate(QUEUE, SHORT) == ANSWER


async def test_what_a_server_refuses_for_good_is_not_asked_again() -> None:
    server = OpenAiServer(refusals=[(422, "no such thing")])
    async with asking(server) as engine:
        with pytest.raises(EngineFailed, match="422: no such thing"):
            await engine.generate(QUEUE, SHORT)
    assert len(server.asked) == 1


async def test_a_server_that_only_fails_is_given_up() -> None:
    server = OpenAiServer(refusals=[(500, "broken")] * 9)
    async with asking(server, retries=1) as engine:
        with pytest.raises(EngineBusy, match="broken"):
            await engine.generate(QUEUE, SHORT)
    assert len(server.asked) == 2


async def test_the_less_busy_server_is_asked() -> None:
    one, other = OpenAiServer(delay=0.002), OpenAiServer(delay=0.002)
    async with asking(one, other, per_endpoint=4) as engine:
        answers = await asyncio.gather(*(engine.generate(QUEUE, SHORT) for _ in range(16)))
    assert answers == [ANSWER] * 16
    assert 4 <= len(one.asked) <= 12
    assert max(one.busiest, other.busiest) <= 4


async def test_when_a_server_dies_the_other_answers_everything() -> None:
    one, other = OpenAiServer(delay=0.005), OpenAiServer()
    async with asking(one, other) as engine:
        asked = [asyncio.create_task(engine.generate(QUEUE, SHORT)) for _ in range(12)]
        await until(lambda: one.busy >= 3)
        await one.stop()
        assert await asyncio.gather(*asked) == [ANSWER] * 12
        # whether a request met the dead server before it was looked at again is chance
        assert engine.healthy[other.address]
        await one.start()
        await until(lambda: engine.healthy[one.address])
        assert await engine.generate(QUEUE, SHORT) == ANSWER


async def test_a_streamed_answer_that_breaks_off_goes_on_elsewhere() -> None:
    one, other = OpenAiServer(break_after=5), OpenAiServer()
    async with asking(one, other) as engine:
        text = "".join([piece async for piece in engine.stream(QUEUE, SHORT)])
    assert text == ANSWER
    (again,) = other.asked
    assert again["messages"][-1]["role"] == "assistant"
    assert ANSWER.startswith(again["messages"][-1]["content"])


async def test_without_any_server_it_says_so_and_finds_it_when_it_is_back() -> None:
    server = OpenAiServer()
    async with asking(server, retries=0) as engine:
        await server.stop()
        with pytest.raises(EngineBusy):
            await engine.generate(QUEUE, SHORT)
        with pytest.raises(EngineBusy, match="no server answers"):
            await engine.generate(QUEUE, SHORT)
        await server.start()
        await until(lambda: engine.healthy[server.address])
        assert await engine.generate(QUEUE, SHORT) == ANSWER


async def test_who_stops_listening_stops_the_server() -> None:
    server = OpenAiServer(delay=0.01)
    async with asking(server) as engine:
        async with aclosing(engine.stream(Prompt(SONG), Generation(max_new_tokens=900))) as pieces:
            await anext(pieces)
        await until(lambda: server.cancelled or not server.busy)
        assert engine.running == 0
        assert await engine.generate(QUEUE, SHORT) == ANSWER


async def test_a_slow_answer_is_not_waited_for_longer_than_allowed() -> None:
    async with asking(OpenAiServer(delay=1.0), timeout=0.2) as engine:
        with pytest.raises(EngineTimedOut):
            await engine.generate(QUEUE, SHORT)
        with pytest.raises(EngineTimedOut):
            await anext(engine.stream(QUEUE, SHORT))


async def test_too_many_waiting_are_told_so() -> None:
    server = OpenAiServer(delay=0.05)
    async with asking(server, per_endpoint=1, max_waiting=2) as engine:
        asked = [asyncio.create_task(engine.generate(QUEUE, SHORT)) for _ in range(3)]
        await until(lambda: engine.waiting == 2)
        with pytest.raises(EngineBusy, match="waiting"):
            await engine.generate(QUEUE, SHORT)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert (engine.waiting, engine.running) == (0, 0)


async def test_the_key_is_sent_and_a_wrong_one_finds_no_server() -> None:
    server = OpenAiServer(key="sesame")
    async with asking(server, api_key=SecretStr("sesame")) as engine:
        assert await engine.generate(QUEUE, SHORT) == ANSWER
    with pytest.raises(ModelNotReady, match="no server answers"):
        async with asking(OpenAiServer(key="sesame"), api_key=SecretStr("wrong")):
            pass


async def test_a_model_that_is_not_served_is_named_with_those_that_are() -> None:
    with pytest.raises(ModelNotReady, match=f"big: no server serves it; they serve {MODEL}"):
        async with asking(OpenAiServer(), served="big"):
            pass


async def test_an_address_where_nobody_is() -> None:
    settings = ModelSettings(engine="openai", endpoints=("http://127.0.0.1:9",))
    with pytest.raises(ModelNotReady, match=r"127\.0\.0\.1:9/v1"):
        await open_servers(settings)
