"""What an operator sees of a running bot: its figures move, and a link's way has one name."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from support.messenger import messenger
from support.slack_server import slack_server
from support.whole_bot import PORT, WholeBot, digests_in_slack

pytestmark = pytest.mark.slow
Samples = dict[tuple[str, str], float]


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[WholeBot]:
    whole = WholeBot(tmp_path)
    yield whole
    whole.kill()


@dataclass
class Collector:
    """Takes spans as an OpenTelemetry collector does, by OTLP over HTTP."""

    address: str = ""
    spans: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        told = trace_service_pb2.ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    known = {one.key: one.value.string_value for one in span.attributes}
                    self.spans.append((span.name, known))
        return web.Response()


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    taking = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", taking.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    taking.address = f"http://127.0.0.1:{port}"
    try:
        yield taking
    finally:
        await runner.cleanup()


async def figures(address: str) -> Samples:
    async with httpx.AsyncClient(trust_env=False) as client:
        said = (await client.get(f"{address}/metrics")).raise_for_status().text
    families = list(text_string_to_metric_families(said))
    return {
        (
            sample.name.removeprefix("smartdevdigest_"),
            ",".join(sample.labels.values()),
        ): sample.value
        for family in families
        for sample in family.samples
    }


def lines_of(bot: WholeBot) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bot.log.splitlines() if line.startswith("{")]


async def test_a_link_has_one_name_from_the_message_to_the_reply_and_its_figures_move(
    bot: WholeBot,
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    async with messenger() as web_of_articles, slack_server() as slack, collector() as traces:
        bot.articles_at(web_of_articles.address)
        bot.in_slack(slack)
        bot.start(
            SMARTDEVDIGEST_LOG__JSON_LINES="true",
            SMARTDEVDIGEST_LOG__TRACES=traces.address,
            SMARTDEVDIGEST_LIMITS__LINKS_PER_MESSAGE="1",
        )
        await slack.until(lambda: slack.sockets.open and PORT.search(bot.log), 60)
        found = PORT.search(bot.log)
        assert found
        address = found[0].rstrip("/")
        before = await figures(address)
        channel = slack.channel("C1")
        one, other = web_of_articles.link(1), web_of_articles.link(2)
        shared = await slack.say(channel, user="U1", text=f"<{one}> and <{other}>")
        await slack.until(lambda: digests_in_slack(channel, shared), 60)
        again = await slack.say(channel, user="U2", text=f"<{one}>")
        await slack.until(lambda: digests_in_slack(channel, again), 60)
        after = await figures(address)
        assert (await ready(address)) == {"status": "ok"}
        assert after["links_waiting", ""] == 0
        assert await asyncio.to_thread(bot.stop) == 0, bot.log[-2000:]
    assert_moved(before, after)
    accepted = named(bot, r"accepted from slack: .*")
    assert len(accepted) == 2
    [read] = named(bot, r"read; its digest is request (\w+)")
    [made] = named(bot, r"made and kept as digest .*")
    answered = named(bot, r"answered with digest .*")
    assert {line["request"] for line in accepted} == {line["request"] for line in answered}
    assert read["request"] == accepted[0]["request"]
    assert read["event"].endswith(made["request"])
    spans = {(name, known.get("request")) for name, known in traces.spans}
    for name in ("fetch", "extract"):
        assert (name, accepted[0]["request"]) in spans
    for name in ("digest", "keep", "engine.answer"):
        assert (name, made["request"]) in spans


def assert_moved(before: Samples, after: Samples) -> None:
    for name, label in (
        ("engine_answers_total", "answered"),
        ("engine_tokens_total", ""),
        ("engine_seconds_count", ""),
        ("step_seconds_count", "fetch"),
        ("step_seconds_count", "extract"),
        ("step_seconds_count", "digest"),
        ("step_seconds_count", "keep"),
        ("sentences_checked_total", ""),
        ("limited_total", "limit.message"),
    ):
        was = before.get((name, label), 0.0)
        assert after[name, label] > was, f"{name} {label}"
    for name in ("engine_waiting", "engine_running", "digests_known_total"):
        assert (name, "") in after


def named(bot: WholeBot, pattern: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(bot) if re.fullmatch(pattern, line["event"])]


async def ready(address: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return dict((await client.get(f"{address}/readyz")).json())
