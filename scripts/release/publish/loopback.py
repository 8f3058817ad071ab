"""Serve PyPI, npm and GitHub's releases on loopback, as far as a publication uses them.

It keeps to the routes of the real ones: PyPI's upload form, JSON and provenance; npm's packages and its stages;
GitHub's releases and their files. What it keeps is in a folder, so that it can be stopped and started again. Faults can be planted: each is
for one request that changes something, and says what happens to it.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from scripts.release.publish import loopback_github, loopback_npm, loopback_pypi
from scripts.release.publish.loopback_storage import Reply, Request, Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERVICES = {
    "pypi": loopback_pypi.answer,
    "npm": loopback_npm.answer,
    "github": loopback_github.answer,
}
FAULT_STATUS = 502


class Fault(NamedTuple):
    """What happens to a request that changes something.

    Attributes:
        service: The service it is for.
        before: Whether it is lost before it is carried out; otherwise only its answer is.
        then: Called at that moment, with which a test can end a process.
        skip: How many such requests are carried out before it.
    """

    service: str
    before: bool
    then: Callable[[], None] = lambda: None
    skip: int = 0


class Loopback:
    """The services, and the faults that are planted in them.

    Attributes:
        storage: What they keep.
        faults: Those still to come, in order; each is used once.
        down: The services that answer nothing but 503.
        url: The address.
    """

    def __init__(self, storage: Storage) -> None:
        """Take the storage; `serve` gives it an address."""
        self.storage = storage
        self.faults: list[Fault] = []
        self.down: set[str] = set()
        self.url = ""
        self._lock = threading.Lock()

    def of(self, service: str) -> str:
        """Return the address of a service."""
        return f"{self.url}/{service}"

    def answer(self, service: str, request: Request) -> Reply:
        """Carry out a request, and the fault that is planted for it."""
        with self._lock:
            if service not in SERVICES:
                return Reply(404)
            if service in self.down:
                return Reply(503)
            fault = self._fault(service) if request.method != "GET" else None
            if fault and fault.before:
                fault.then()
                return Reply(FAULT_STATUS)
            reply = SERVICES[service](self.storage.of(service), request)
            if fault:
                fault.then()
                return Reply(FAULT_STATUS)
            return reply

    def _fault(self, service: str) -> Fault | None:
        """Return the fault that is due for a request, and count the request."""
        due = None
        for index, each in enumerate(self.faults):
            if each.service == service and each.skip == 0 and due is None:
                due = each
            elif each.service == service:
                self.faults[index] = each._replace(skip=each.skip - 1)
        if due:
            self.faults.remove(due)
        return due


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Loopback]:
    """Serve what a folder keeps, on a free port, for as long as the context is open."""
    loopback = Loopback(Storage(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(loopback))
    server.daemon_threads = True
    loopback.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _as_body(content: Any) -> tuple[bytes, str]:
    """Return a content as it is sent, and its media type."""
    if isinstance(content, bytes):
        return content, "application/octet-stream"
    if isinstance(content, str):
        return content.encode(), "text/html"
    return json.dumps(content).encode(), "application/json"


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            _, service, *rest = parts.path.split("/")
            request = Request(
                self.command,
                tuple(unquote(each) for each in rest if each),
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
                f"{loopback.url}/{service}",
            )
            reply = loopback.answer(service, request)
            body, kind = _as_body(reply.content)
            with contextlib.suppress(OSError):  # who asked may be gone
                self.send_response(reply.status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815 - the names of http.server

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Print nothing: a request may have a token."""

    return Handler
