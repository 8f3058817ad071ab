"""Spans of what the server does, for OpenTelemetry; here without it, so that a server that sends none imports nothing.

Attributes hold names, ids, statuses and the host of an outgoing request; never a secret, a URL's path or query, a body, or
what a node was given or returned.
"""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

from arcrun_server.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from arcrun_server.engine import Component

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class Span(Protocol):
    """What goes on, and what becomes known of it."""

    def rename(self, name: str) -> None:
        """Give it another name."""
        ...

    def note(self, name: str, value: str | int) -> None:
        """Set an attribute."""
        ...

    def fail(self, kind: str) -> None:
        """Mark it as failed, by the kind of the failure: its text may quote what must not be seen."""
        ...


class _NoSpan:
    def rename(self, name: str) -> None:
        pass

    def note(self, name: str, value: str | int) -> None:
        pass

    def fail(self, kind: str) -> None:
        pass


_NO_SPAN: AbstractContextManager[Span] = nullcontext(_NoSpan())


class Tracing:
    """Tracing that is off: its spans go nowhere."""

    def request(
        self, method: str, headers: Iterable[tuple[bytes, bytes]], request_id: str
    ) -> AbstractContextManager[Span]:
        """Return the span of a request that a client has sent.

        Args:
            method: Its method.
            headers: Its headers, of which `traceparent` and `tracestate` are read.
            request_id: Its id.
        """
        del method, headers, request_id
        return _NO_SPAN

    def run(
        self, run_id: str, workflow: str | None, trigger: str, segment: int | None = None
    ) -> AbstractContextManager[Span]:
        """Return the span of a run, or of a segment of a durable run.

        Args:
            run_id: The run's id. The segments of a run have it as the id of their trace, whichever process executes them.
            workflow: The name of its workflow.
            trigger: What made it.
            segment: The segment's number; None for a run that a client waits for, whose span is below its request's.
        """
        del run_id, workflow, trigger, segment
        return _NO_SPAN

    def component(self, component: Component, component_id: str) -> Component:
        """Return a component whose invocations are spans."""
        del component_id
        return component

    def outgoing(self, method: str, host: str) -> AbstractContextManager[Span]:
        """Return the span of a request to a service.

        Args:
            method: Its method.
            host: The name of the host, without secrets.
        """
        del method, host
        return _NO_SPAN

    def note_run(self, run_id: str) -> None:
        """Let the span of the request that goes on name the run that it has made."""

    def close(self) -> None:
        """Send what has not been sent yet; it may take some seconds."""


def is_configured(environment: Mapping[str, str]) -> bool:
    """Tell whether spans are to be sent: OpenTelemetry's own variables name an endpoint, and don't switch it off.

    Raises:
        StartupError: They ask for what this server does not have.

    Example:
        >>> is_configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "", "PATH": "/bin"})
        False
    """
    endpoint = next((name for name in ENDPOINTS if environment.get(name)), None)
    exporter = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if endpoint is None or off or exporter == "none":
        return False
    if exporter != "otlp":
        raise StartupError(
            f"OTEL_TRACES_EXPORTER is {exporter!r}, but spans are sent by OTLP only.\n"
            f"Set it to otlp, or to none to send no spans, or unset {endpoint}."
        )
    for name in _PROTOCOLS:
        if environment.get(name, "http/protobuf") not in {"", "http/protobuf"}:
            raise StartupError(
                f"{name} is {environment[name]!r}, but spans are sent by http/protobuf only.\n"
                "Unset it, and name the collector's HTTP port (usually 4318)."
            )
    if not environment[endpoint].startswith(("http://", "https://")):
        raise StartupError(f"{endpoint} must begin with http:// or https://")
    if not _is_installed():
        raise StartupError(
            f"{endpoint} is set, but OpenTelemetry is not installed.\n"
            "Run: python -m pip install 'arcrun-server[otel]', or unset it."
        )
    return True


def _is_installed() -> bool:
    try:
        return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:  # a package above it is missing
        return False
