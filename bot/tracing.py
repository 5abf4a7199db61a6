"""One name and one number for what happens: a request's id in every log line, a span where asked.

The id is bound to the context (structlog) from the message or the HTTP request on, and each
workflow binds it again, since it may run elsewhere and later. Traces go to an OpenTelemetry
collector if `log.traces` names one and the extra `tracing` is installed; otherwise `span` does
nothing but take part in the `with`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from core.errors import SettingsError

try:
    from opentelemetry import trace
except ImportError:  # the extra is not installed
    trace = None

_USABLE = re.compile(r"[A-Za-z0-9_.:-]{4,80}")


def request_id(given: str = "") -> str:
    """The caller's own, where it is one that may stand in a log; otherwise a new one."""
    return given if _USABLE.fullmatch(given) else secrets.token_hex(8)


@contextmanager
def about(request: str) -> Iterator[None]:
    """Every log line until the end of the block names this request."""
    with structlog.contextvars.bound_contextvars(request=request):
        yield


@contextmanager
def span(name: str, **attributes: str | float | bool) -> Iterator[None]:
    """A span with the id of the request; an exception that passes is recorded in it."""
    if trace is None:
        yield
        return
    known = structlog.contextvars.get_contextvars().get("request")
    if known:
        attributes["request"] = str(known)
    with trace.get_tracer("smartdevdigest").start_as_current_span(name, attributes=attributes):
        yield


def set_up_tracing(collector: str | None) -> Any:
    """Spans are sent to the collector's OTLP/HTTP address, in batches, in a thread of its own.

    Returns what sends them (`shutdown()` sends the rest), or None. Raises SettingsError where
    the extra is missing.
    """
    if not collector:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            ['log.traces: OpenTelemetry is not installed: pip install "smartdevdigest[tracing]"']
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "smartdevdigest"}))
    address = f"{collector.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    trace.set_tracer_provider(provider)
    return provider
