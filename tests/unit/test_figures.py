"""What is counted and timed, and that a request keeps its name."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from support.http_client import running

from bot.figures import Figures, WatchedEngine
from bot.http.requests import HEADER
from bot.tracing import about, request_id, set_up_tracing, span
from core.engine.echo import EchoEngine
from core.errors import EngineFailed, NotFound
from core.feed import Source
from core.ports import Generation, Prompt

PROMPT = Prompt("One sentence. Another sentence. A third one.")


def watched() -> WatchedEngine:
    return WatchedEngine(EchoEngine(), Figures())


def value(figures: Figures, name: str, **labels: str) -> float | None:
    return figures.registry.get_sample_value(f"smartdevdigest_{name}", labels)


async def test_every_answer_is_counted_with_its_tokens() -> None:
    engine = watched()
    text = await engine.generate(PROMPT, Generation())
    streamed = "".join([piece async for piece in engine.stream(PROMPT, Generation())])
    assert streamed == text
    figures = engine.figures
    assert value(figures, "engine_answers_total", outcome="answered") == 2
    assert value(figures, "engine_tokens_total") == 2 * engine.count_tokens(text)
    assert value(figures, "engine_seconds_count") == 2
    assert value(figures, "engine_first_text_seconds_count") == 1


async def test_a_failure_and_a_listener_who_left_are_no_answers() -> None:
    engine = watched()
    async with aclosing(engine.stream(PROMPT, Generation())) as pieces:
        await anext(pieces)
    await engine.close()
    with pytest.raises(EngineFailed):
        await engine.generate(PROMPT, Generation())
    assert value(engine.figures, "engine_answers_total", outcome="left") == 1
    assert value(engine.figures, "engine_answers_total", outcome="engine_failed") == 1
    assert value(engine.figures, "engine_seconds_count") == 0


def test_a_step_is_timed_and_its_failure_named() -> None:
    figures = Figures()
    with pytest.raises(NotFound), figures.step("fetch"):
        raise NotFound("https://example.com")
    assert value(figures, "step_seconds_count", step="fetch") == 1
    assert value(figures, "step_failures_total", step="fetch", error="not_found") == 1


async def test_each_feed_shows_how_it_is_and_one_that_is_gone_disappears() -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    feeds = [
        Source("1", "https://a.example/feed", worked_at=hour_ago),
        Source("2", "https://b.example/feed", failures=4, error="timed_out"),
    ]

    async def all_feeds(limit: int) -> list[Source]:
        return feeds[:limit]

    figures = Figures()
    await figures.look_at_feeds(all_feeds)
    age = value(figures, "feed_age_seconds", feed="https://a.example/feed")
    assert age is not None
    assert 3590 < age < 3700
    failing = {"feed": "https://b.example/feed", "state": "alive"}
    assert value(figures, "feed_failures", **failing) == 4
    del feeds[1]
    await figures.look_at_feeds(all_feeds)
    assert value(figures, "feed_failures", **failing) is None


def test_the_engine_is_looked_at_when_asked() -> None:
    class Busy:
        waiting, running, healthy = 5, 3, {"http://gpu1/v1": False}

    figures = Figures()
    figures.look_at(Busy())
    assert value(figures, "engine_waiting") == 5
    assert value(figures, "engine_running") == 3
    assert value(figures, "engine_server_up", server="http://gpu1/v1") == 0


async def test_a_request_keeps_its_name_in_its_own_context_only() -> None:
    seen: dict[str, object] = {}

    async def work(name: str) -> None:
        with about(name), span("work"):
            await asyncio.sleep(0)
            seen[name] = structlog.contextvars.get_contextvars()["request"]

    await asyncio.gather(work("one"), work("two"))
    assert seen == {"one": "one", "two": "two"}
    assert "request" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("given", ["", "a b", "x" * 81, "né-à-é", "a\nb: c"])
def test_a_name_that_may_not_stand_in_a_log_is_replaced(given: str) -> None:
    assert request_id(given) != given
    assert request_id("abc-123") == "abc-123"


def test_without_a_collector_nothing_is_sent() -> None:
    assert set_up_tracing(None) is None


async def test_the_page_answers_with_the_callers_id_and_shows_the_figures() -> None:
    async with running() as service:
        answer = await service.client.get("/healthz", headers={HEADER: "from-the-proxy"})
        assert answer.headers[HEADER] == "from-the-proxy"
        assert len((await service.client.get("/healthz")).headers[HEADER]) == 16
        shown = (await service.client.get("/metrics")).text
        assert (await service.client.get("/readyz")).json() == {"status": "ok"}
    for name in ("engine_waiting", "engine_running", "engine_tokens_total", "digests_known_total"):
        assert f"smartdevdigest_{name} " in shown
