"""Server-sent events: their order and framing, and what happens when the reader walks away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from starlette.types import Message
from support.http_client import LINK, Running, events_in, running

from bot.http.streaming import EventStream, Named, frame

STREAM = "/v1/digest?stream=1"


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


async def test_a_digest_is_told_while_it_is_made(server: Running) -> None:
    answer = await server.client.post(STREAM, json={"link": LINK})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    told = events_in(answer.text)
    names = [name for name, _ in told]
    assert names[:2] == ["reading", "judged"]
    assert "drafting" in names
    assert names[-2:] == ["checking", "finished"]
    finished = json.loads(told[-1][1])
    assert finished["cached"] is False
    kept = await server.client.get(f"/v1/digests/{finished['id']}?details=1")
    del finished["cached"]
    assert kept.json() == finished


async def test_the_first_events_come_before_the_model_is_done(server: Running) -> None:
    server.engine.hold()
    seen = ""
    async with server.client.stream("POST", STREAM, json={"link": LINK}) as answer:
        async for piece in answer.aiter_text():
            seen += piece
            if "event: drafting" in seen:
                break
        assert "event: judged" in seen
        server.engine.release()


async def test_a_kept_digest_is_finished_at_once(server: Running) -> None:
    await server.digest()
    told = events_in((await server.client.post(STREAM, json={"link": LINK})).text)
    assert [name for name, _ in told] == ["finished"]
    assert json.loads(told[0][1])["cached"] is True


async def test_trouble_is_the_last_event(server: Running) -> None:
    answer = await server.client.post(STREAM, json={"link": "https://blog.example.com/gone"})
    assert answer.status_code == 200
    told = events_in(answer.text)
    assert [name for name, _ in told] == ["failed"]
    assert json.loads(told[0][1])["code"] == "not_found"


@pytest.mark.parametrize("path", [STREAM, "/v1/digest"])
async def test_a_reader_who_leaves_ends_the_work(server: Running, path: str) -> None:
    server.engine.hold()
    asking = asyncio.create_task(server.client.post(path, json={"link": LINK}))
    async with asyncio.timeout(10):
        await server.engine.begun.wait()
        asking.cancel()
        await server.engine.cancelled.wait()
        await until_counted(server, 'smartdevdigest_digests_total{outcome="cancelled"} 1.0')
    assert "smartdevdigest_in_flight 0.0" in (await server.client.get("/metrics")).text
    assert server.digests.records == {}


async def until_counted(server: Running, line: str) -> None:
    """The engine hears of the end before the counters do, since it is the innermost."""
    while line not in (await server.client.get("/metrics")).text:
        pass


def test_a_line_feed_in_the_data_does_not_end_the_event() -> None:
    text = frame("drafting", {"text": "one\n\nevent: finished\ndata: {}\r\n둘"}).decode()
    assert text.count("\n\n") == 1
    assert text.splitlines()[0] == "event: drafting"
    assert json.loads(events_in(text)[0][1])["text"].endswith("둘")


async def _answered(events: AsyncGenerator[Named, None], heartbeat: float) -> bytes:
    body = b""

    async def receive() -> Message:
        await asyncio.Event().wait()  # a client that stays
        raise AssertionError

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    await EventStream(events, heartbeat=heartbeat)({"type": "http"}, receive, send)
    return body


async def test_silence_is_filled_with_comments() -> None:
    async def slow() -> AsyncGenerator[Named, None]:
        await asyncio.sleep(0.2)
        yield "checking", {"sentences": 1}

    body = await _answered(slow(), heartbeat=0.03)
    assert body.count(b": still here\n\n") >= 2
    assert events_in(body.decode()) == [("checking", '{"sentences": 1}')]


async def test_a_surprise_in_the_source_ends_the_stream_and_is_not_swallowed() -> None:
    async def broken() -> AsyncGenerator[Named, None]:
        yield "checking", {"sentences": 1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await _answered(broken(), heartbeat=5)
