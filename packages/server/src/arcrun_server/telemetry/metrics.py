"""What the server counts, in Prometheus' text format.

Labels have few values: route templates, statuses, outcomes; never the name of an account, a workflow or a host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily

from arcrun_server._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from .database_state import DatabaseState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# The route of a request that no route of ours takes.
UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
# A run may take two minutes, and one that is resumed so long again.
_RUN_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Counts what one server does, from its start.

    Example:
        >>> metrics = Metrics()
        >>> metrics.run_ended("api", "succeeded", 0.25)
        >>> 'arcrun_runs_total{status="succeeded",trigger="api"} 1.0' in metrics.text().decode()
        True
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._database = _DatabaseCollector()
        registry.register(self._database)
        ProcessCollector(registry=registry)
        Gauge(
            "arcrun_build_info",
            "Always 1; the label is the version of the engine.",
            ["version"],
            registry=registry,
        ).labels(__version__).set(1)
        self._requests = Counter(
            "arcrun_http_requests",
            "Requests that were responded to.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "arcrun_http_request_duration_seconds",
            "Time from a request's head to the end of its response.",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._runs = Counter(
            "arcrun_runs",
            "Runs that have ended in this process.",
            ["trigger", "status"],
            registry=registry,
        )
        self._run_seconds = Histogram(
            "arcrun_run_duration_seconds",
            "Time for which an ended run was executed, without its pauses.",
            ["trigger"],
            buckets=_RUN_SECONDS,
            registry=registry,
        )
        self._outgoing = Counter(
            "arcrun_outgoing_requests",
            "Requests to services: by class of status, or by what went wrong.",
            ["outcome"],
            registry=registry,
        )
        self._outgoing_seconds = Histogram(
            "arcrun_outgoing_request_duration_seconds",
            "Time of a request to a service with its redirects; of a streamed response until its head.",
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.executing = Gauge(
            "arcrun_executions_in_progress",
            "Runs that this process executes now, those that clients wait for included.",
            registry=registry,
        )

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: Its method.
            route: The template of its route, as `/runs/{run_id}`; empty if it has none.
            status: The status of its response.
            seconds: How long it took.
        """
        method, route = method if method in _METHODS else "other", route or UNMATCHED
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def run_ended(self, trigger: str, status: str, seconds: float | None = None) -> None:
        """Count a run that has ended.

        Args:
            trigger: What made it, as `schedule`.
            status: How it ended, as `succeeded`.
            seconds: How long it was executed; None for one that was cancelled.
        """
        self._runs.labels(trigger, status).inc()
        if seconds is not None:
            self._run_seconds.labels(trigger).observe(seconds)

    def outgoing_ended(self, outcome: str, seconds: float) -> None:
        """Count a request to a service.

        Args:
            outcome: The class of its status, as `2xx`, or what went wrong, as `timeout`.
            seconds: How long it took.
        """
        self._outgoing.labels(outcome).inc()
        self._outgoing_seconds.observe(seconds)

    def text(self, database: DatabaseState | None = None) -> bytes:
        """Return all metrics.

        Args:
            database: How the database is; without it, nothing is said of the database.
        """
        self._database.state = database
        return generate_latest(self._registry)


class _DatabaseCollector:
    """The metrics that are read from the database; while it can't be used, only that is said."""

    state: DatabaseState | None = None

    def collect(self) -> Iterator[Metric]:
        if self.state is None:
            return
        yield GaugeMetricFamily(
            "arcrun_database_up", "Whether the database responds.", float(self.state.ok)
        )
        if self.state.ok and self.state.runs is not None:
            runs = self.state.runs
            yield GaugeMetricFamily(
                "arcrun_runs_queued", "Accepted runs that wait to be executed.", runs.queued
            )
            yield GaugeMetricFamily(
                "arcrun_runs_running", "Accepted runs that are executed.", runs.running
            )
            yield GaugeMetricFamily(
                "arcrun_runs_paused", "Runs that wait for a callback.", runs.paused
            )
            yield GaugeMetricFamily(
                "arcrun_runs_oldest_queued_seconds",
                "For how long the oldest queued run has waited.",
                runs.oldest_queued_seconds,
            )
