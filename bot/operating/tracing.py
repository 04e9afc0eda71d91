"""Traces for OpenTelemetry. Needs the extra `scale`; imported only where they are wanted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from engine.observing import Observer, Request, current

_PATH: Final = "/v1/traces"
_PATIENCE: Final = 5
"""Seconds that a collector gets for an answer."""


class Tracing(Observer):
    """A span for each request and job, and within it one for each of its stages.

    Spans are sent in batches by a thread of the library; a collector that is gone costs spans and
    nothing else. The parent of a job's span comes with the job, so that a trace goes on across a
    queue. No span says what was said, or by whom.

    Args:
        endpoint: of the collector, without or with its path.
    """

    def __init__(self, endpoint: str) -> None:
        url = endpoint.rstrip("/")
        exporter = OTLPSpanExporter(
            endpoint=url if url.endswith(_PATH) else url + _PATH, timeout=_PATIENCE
        )
        about = {"service.name": "chatanything", "service.version": version("chatanything")}
        # Not the library's global one: whoever embeds this program may have their own.
        self._provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("chatanything")
        self._carrier = TraceContextTextMapPropagator()

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        """A span for a stage that has just ended."""
        request = current()
        if request is None or not request.traceparent:
            return
        end = time.time_ns()
        attributes = {"device": device} if device else {}
        span = self._tracer.start_span(
            name,
            context=self._carrier.extract(_headers(request)),
            start_time=end - round(seconds * 1e9),
            attributes=attributes,
        )
        span.end(end)

    @contextlib.contextmanager
    def serving(self, kind: str, request: Request) -> Iterator[None]:
        """A span for a request; what is done within it, here or elsewhere, belongs to it."""
        span = self._tracer.start_span(
            kind,
            context=self._carrier.extract(_headers(request)),
            kind=SpanKind.CONSUMER if request.traceparent else SpanKind.SERVER,
            attributes={"request": request.id},
        )
        before = request.traceparent
        request.traceparent = _traceparent(span)
        try:
            yield
        finally:
            request.traceparent = before
            span.set_attribute("outcome", request.outcome)
            if request.outcome == "failed":
                span.set_status(Status(StatusCode.ERROR))
            span.end()

    def close(self) -> None:
        """Sends what is left. Blocks as long as the collector takes, at most some seconds."""
        self._provider.shutdown()  # type: ignore[no-untyped-call]


def _headers(request: Request) -> Mapping[str, str]:
    return {"traceparent": request.traceparent} if request.traceparent else {}


def _traceparent(span: object) -> str:
    from opentelemetry.trace import Span, set_span_in_context

    assert isinstance(span, Span)
    told: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(told, set_span_in_context(span))
    return told.get("traceparent", "")
