"""What /metrics tells: how many digests, how they ended, how long they took.

The registry belongs to one application, not to the process, so two of them do not count
each other's work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from bot.figures import Figures
from core.errors import DigestError
from core.progress import Event, Finished

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self, figures: Figures | None = None, engine: object = None) -> None:
        self.figures = figures or Figures()
        self.engine = engine
        self.registry = self.figures.registry
        self.digests = Counter(
            "smartdevdigest_digests",
            "Digests asked for, by how they ended: made, cached, cancelled or an error's code",
            ["outcome"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "smartdevdigest_digest_seconds",
            "Seconds from the request to the finished digest, for digests that were made",
            buckets=(0.25, 0.5, 1, 2, 4, 6, 10, 20, 40, 80, 160),
            registry=self.registry,
        )
        self.cache_hits = Counter(
            "smartdevdigest_cache_hits",
            "Digests that were already kept",
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "smartdevdigest_in_flight", "Digests being made now", registry=self.registry
        )
        self.verdicts = Counter(
            "smartdevdigest_verdicts",
            "Verdicts of readers",
            ["verdict"],
            registry=self.registry,
        )
        self.questions = Counter(
            "smartdevdigest_questions",
            "Times reader questions were written",
            registry=self.registry,
        )

    def page(self) -> bytes:
        self.figures.look_at(self.engine)
        return generate_latest(self.registry)

    async def watched(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """The same events; how they end is counted."""
        began = time.monotonic()
        outcome = "cancelled"
        self.in_flight.inc()
        try:
            async with aclosing(events) as inner:
                async for event in inner:
                    if isinstance(event, Finished):
                        outcome = "cached" if event.cached else "made"
                        if not event.cached:
                            self.figures.grounded(event.record)
                    yield event
        except DigestError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            self.in_flight.dec()
            self._count(outcome, time.monotonic() - began)

    def _count(self, outcome: str, seconds: float) -> None:
        self.digests.labels(outcome).inc()
        if outcome == "cached":
            self.cache_hits.inc()
        if outcome == "made":
            self.seconds.observe(seconds)
