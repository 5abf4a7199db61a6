"""What is counted beside the page: the model's answers, the steps of a digest, grounding, feeds.

One registry for a service, which /metrics shows. The engine is watched from outside: whatever
engine it is, the same figures come out of it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.tracing import span
from core.article import Language
from core.digest import DigestRecord
from core.errors import DigestError
from core.feed import Source
from core.ports import Engine, Generation, Prompt

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
_FEEDS_SHOWN = 1000


class Figures:
    """Counters with the prefix smartdevdigest_, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = self._counter("engine_answers", "Answers of the model", "outcome")
        self.tokens = self._counter("engine_tokens", "Tokens that the model wrote")
        self.answer_seconds = self._histogram("engine_seconds", "Seconds for a whole answer")
        self.first_seconds = self._histogram(
            "engine_first_text_seconds", "Seconds to the first text of a streamed answer"
        )
        self.waiting = self._gauge("engine_waiting", "Requests that wait for the model")
        self.running = self._gauge("engine_running", "Requests answered together now (batch size)")
        self.reused = self._gauge(
            "engine_prefix_tokens", "Prompt tokens that were taken from the cache, since the start"
        )
        self.servers = self._gauge("engine_server_up", "Whether a model server answers", "server")
        self.step_seconds = self._histogram("step_seconds", "Seconds of a step", "step")
        self.step_failures = self._counter("step_failures", "Steps that failed", "step", "error")
        self.known = self._counter("digests_known", "Digests that needed no model: kept already")
        self.checked = self._counter("sentences_checked", "The model's sentences compared")
        self.rejected = self._counter("sentences_rejected", "Those the article did not bear out")
        self.links = self._gauge(
            "links_waiting", "Links accepted and not answered yet, of all processes together"
        )
        self.limited = self._counter("limited", "Links refused by a limit", "limit")
        self.feed_failures = self._gauge("feed_failures", "Failures in a row", "feed", "state")
        self.feed_age = self._gauge(
            "feed_age_seconds", "Seconds since a feed last answered usefully", "feed"
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times a step and gives it a span."""
        began = time.monotonic()
        try:
            with span(name):
                yield
        except DigestError as error:
            self.step_failures.labels(name, error.code).inc()
            raise
        finally:
            self.step_seconds.labels(name).observe(time.monotonic() - began)

    def grounded(self, record: DigestRecord) -> None:
        """The rate of rejection is rejected / checked."""
        self.checked.inc(record.details.checked)
        self.rejected.inc(record.details.rejected)

    def look_at(self, engine: object) -> None:
        """What an engine says of itself, at the moment it is asked."""
        self.waiting.set(getattr(engine, "waiting", 0))
        self.running.set(getattr(engine, "running", 0))
        counts = getattr(engine, "counts", None)
        self.reused.set(getattr(counts, "prefix_tokens", 0))
        for server, well in getattr(engine, "healthy", {}).items():
            self.servers.labels(server).set(well)

    async def look_at_links(self, waiting: Callable[[], Awaitable[int]]) -> None:
        self.links.set(await waiting())

    async def look_at_feeds(self, all_feeds: Callable[[int], Awaitable[Sequence[Source]]]) -> None:
        """Each feed's health; at most a thousand, so that a scrape stays small."""
        self.feed_failures.clear()
        self.feed_age.clear()
        now = time.time()
        for source in await all_feeds(_FEEDS_SHOWN):
            self.feed_failures.labels(source.url, source.state).set(source.failures)
            if source.worked_at is not None:
                self.feed_age.labels(source.url).set(max(0.0, now - source.worked_at.timestamp()))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"smartdevdigest_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"smartdevdigest_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(
            f"smartdevdigest_{name}", text, labels, registry=self.registry, buckets=_SECONDS
        )


def figures_of(engine: object) -> Figures | None:
    """Those of an engine that is watched."""
    return engine.figures if isinstance(engine, WatchedEngine) else None


class WatchedEngine:
    """core.ports.Engine around another one: every answer is counted and timed."""

    def __init__(self, engine: Engine, figures: Figures) -> None:
        self.inner = engine
        self.figures = figures

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def context_tokens(self) -> int:
        return self.inner.context_tokens

    @property
    def writes(self) -> frozenset[Language]:
        return self.inner.writes

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        with self._answering() as wrote:
            text = await self.inner.generate(prompt, options)
            wrote(text)
            return text

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        began = time.monotonic()
        text = ""
        with self._answering() as wrote:
            async with aclosing(self.inner.stream(prompt, options)) as pieces:
                async for piece in pieces:
                    if not text:
                        self.figures.first_seconds.observe(time.monotonic() - began)
                    text += piece
                    yield piece
            wrote(text)

    async def close(self) -> None:
        await self.inner.close()

    @contextmanager
    def _answering(self) -> Iterator[Callable[[str], None]]:
        began = time.monotonic()
        outcome = "left"  # whoever asked went away: no exception of ours says so

        def wrote(text: str) -> None:
            nonlocal outcome
            outcome = "answered"
            self.figures.tokens.inc(self.inner.count_tokens(text))

        try:
            with span("engine.answer", model=self.inner.name):
                yield wrote
        except DigestError as error:
            outcome = error.code
            raise
        finally:
            self.figures.answers.labels(outcome).inc()
            if outcome == "answered":
                self.figures.answer_seconds.observe(time.monotonic() - began)
