"""An OpenTelemetry collector on loopback that keeps what it is sent."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT = 60.0


@dataclass
class ReceivedSpan:
    """A span as it came.

    Attributes:
        failed: Whether its status is ERROR.
        status_text: The description of its status.
        events: How many events it has; an exception is one.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    attributes: dict[str, str | int]
    failed: bool
    status_text: str
    events: int
    service: str


@dataclass
class SpanReceiver:
    """What has come so far."""

    port: int = 0
    spans: list[ReceivedSpan] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]

    def wait_for(self, name: str, count: int = 1) -> list[ReceivedSpan]:
        """Wait until so many spans of this name have come, and return them."""
        self._wait(lambda: len(self.named(name)) >= count)
        found = self.named(name)
        assert len(found) >= count, [span.name for span in self.spans]
        return found

    def _wait(self, reached: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(reached, WAIT)

    def receive(self, path: str, body: bytes) -> None:
        with self._changed:
            self.paths.add(path)
            self.bodies.append(body)
            self.spans += _spans(body)
            self._changed.notify_all()


def _spans(body: bytes) -> Iterator[ReceivedSpan]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=span.kind,
                    attributes={
                        each.key: each.value.string_value or each.value.int_value
                        for each in span.attributes
                    },
                    failed=span.status.code == 2,
                    status_text=span.status.message,
                    events=len(span.events),
                    service=about["service.name"],
                )


@contextmanager
def receiving_spans() -> Iterator[SpanReceiver]:
    """Receive spans for the length of the block."""
    receiver = SpanReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.receive(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
