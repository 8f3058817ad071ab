"""Spans that are sent to an OpenTelemetry collector; the extra `arcrun-server[otel]` brings the packages."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from arcrun_server._version import __version__

from .tracing import Span, Tracing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.trace import Span as SdkSpan

    from arcrun_server.engine import Component, Invocation

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_TRACE_HEADERS = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
# The trace that the next root span begins.
_chosen: ContextVar[int] = ContextVar("chosen", default=0)
_log = logging.getLogger("arcrun_server.tracing")


class OpenTelemetryTracing(Tracing):
    """Tracing by the SDK of OpenTelemetry, which reads its own variables. Nothing of it is global."""

    def __init__(self) -> None:
        self._provider = TracerProvider(
            resource=_resource(), id_generator=_IdGenerator(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("arcrun_server", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(
        self, method: str, headers: Iterable[tuple[bytes, bytes]], request_id: str
    ) -> Iterator[Span]:
        """Begin a span below that of the caller, if `traceparent` names one."""
        carrier = {
            _TRACE_HEADERS[name]: value.decode("latin-1")
            for name, value in headers
            if name in _TRACE_HEADERS
        }
        parent = self._propagator.extract(carrier, context=Context())
        attributes = {"http.request.method": method, "arcrun.request_id": request_id}
        with self._span(method, SpanKind.SERVER, attributes, parent) as span:
            yield span

    @contextmanager
    def run(
        self, run_id: str, workflow: str | None, trigger: str, segment: int | None = None
    ) -> Iterator[Span]:
        """Begin a span below the request's, or as a root of the run's own trace."""
        attributes: dict[str, str | int] = {"arcrun.trigger": trigger}
        if run_id:
            attributes["arcrun.run_id"] = run_id
        if workflow is not None:
            attributes["arcrun.workflow"] = workflow
        parent = None
        if segment is not None:
            attributes["arcrun.segment"] = segment
            parent = Context()
            _chosen.set(int(run_id, 16) if _TRACE_ID.fullmatch(run_id) else 0)
        name = f"run {workflow}" if workflow else "run"
        with self._span(name, SpanKind.INTERNAL, attributes, parent) as span:
            yield span

    def component(self, component: Component, component_id: str) -> Component:
        """Return a component whose invocations are spans below their run's."""
        # A URL may hold what is secret.
        shown = "url" if component_id.lower().startswith(("http://", "https://")) else component_id

        async def traced(given: dict[str, Any], invocation: Invocation) -> Any:
            attributes = {
                "arcrun.node": invocation.node_id,
                "arcrun.component": shown,
                "arcrun.place": invocation.place(),
            }
            if invocation.workflow is not None:
                attributes["arcrun.workflow"] = invocation.workflow
            name = f"node {invocation.node_id}"
            with self._span(name, SpanKind.INTERNAL, attributes) as span:
                result = await component(given, invocation)
                if isinstance(result, dict) and result.get("success") is False:
                    span.fail("failed_result")
                return result

        return traced

    @contextmanager
    def outgoing(self, method: str, host: str) -> Iterator[Span]:
        """Begin a span. Its context is not sent: services are not part of this system."""
        attributes = {"http.request.method": method, "server.address": host}
        with self._span(method, SpanKind.CLIENT, attributes) as span:
            yield span

    def note_run(self, run_id: str) -> None:
        """Let the request's span name the run."""
        get_current_span().set_attribute("arcrun.run_id", run_id)

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        parent: Context | None = None,
    ) -> Iterator[_Span]:
        with self._tracer.start_as_current_span(
            name,
            parent,
            kind,
            attributes,
            record_exception=False,  # its text may quote a secret
            set_status_on_exception=False,
        ) as current:
            span = _Span(current)
            try:
                yield span
            except asyncio.CancelledError:
                span.fail("cancelled")
                raise
            except Exception as error:
                span.fail(getattr(error, "kind", None) or type(error).__name__)
                raise


def _resource() -> Resource:
    """Return what the variables of OpenTelemetry say of this process, and our name if they give none."""
    described = Resource.create({SERVICE_VERSION: __version__})
    if str(described.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return described.merge(Resource({SERVICE_NAME: "arcrun-server"}))
    return described


class _Span:
    def __init__(self, span: SdkSpan) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, name: str, value: str | int) -> None:
        self._span.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class _IdGenerator(RandomIdGenerator):
    """Gives a trace the id that was chosen for it, once."""

    def generate_trace_id(self) -> int:
        chosen = _chosen.get()
        if not chosen:
            return super().generate_trace_id()
        _chosen.set(0)
        return chosen
