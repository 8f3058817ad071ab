"""What the parts of the server report: requests, runs, and requests to services."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import context
from .metrics import Metrics
from .tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .tracing import Span


class Telemetry:
    """Metrics and spans of one server.

    Args:
        tracing: Where spans go; by default nowhere.
    """

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.metrics = Metrics()
        self.tracing = tracing or Tracing()

    @contextmanager
    def run(
        self, run_id: str, workflow: str | None, trigger: str, segment: int | None = None
    ) -> Iterator[Span]:
        """Observe the execution of a run, or of a segment of a durable run; arguments as for `Tracing.run`."""
        self.metrics.executing.inc()
        try:
            with (
                context.within(context.run_id, run_id),
                self.tracing.run(run_id, workflow, trigger, segment) as span,
            ):
                yield span
        finally:
            self.metrics.executing.dec()

    def run_ended(self, span: Span, trigger: str, status: str, seconds: float) -> None:
        """Count a run that has ended.

        Args:
            span: The span of its execution.
            trigger: What made it.
            status: How it ended.
            seconds: How long it was executed, without its pauses.
        """
        self.metrics.run_ended(trigger, status, seconds)
        span.note("arcrun.run.status", status)
        if status == "failed":
            span.fail("run_failed")

    @contextmanager
    def outgoing(self, method: str, host: str) -> Iterator[Outgoing]:
        """Observe a request to a service.

        Args:
            method: Its method.
            host: The name of the host, without secrets.
        """
        began = time.perf_counter()
        with self.tracing.outgoing(method, host) as span:
            outgoing = Outgoing(span)
            try:
                yield outgoing
            finally:
                self.metrics.outgoing_ended(outgoing.outcome, time.perf_counter() - began)


class Outgoing:
    """A request to a service, and what becomes of it.

    Attributes:
        outcome: The class of its status, or what went wrong.
    """

    def __init__(self, span: Span) -> None:
        self._span = span
        self.outcome = "cancelled"  # what neither responds nor fails

    def responded(self, status: int) -> None:
        """Note the status of its response."""
        self.outcome = f"{status // 100}xx"
        self._span.note("http.response.status_code", status)
        if status >= 400:
            self._span.fail(str(status))

    def failed(self, kind: str) -> None:
        """Note what went wrong, as `timeout`."""
        self.outcome = kind
        self._span.fail(kind)


def make_tracing(*, on: bool) -> Tracing:
    """Return tracing that sends spans as OpenTelemetry's variables say, or none."""
    if not on:
        return Tracing()
    from .spans import OpenTelemetryTracing  # noqa: PLC0415 - needs the extra `otel`

    return OpenTelemetryTracing()
