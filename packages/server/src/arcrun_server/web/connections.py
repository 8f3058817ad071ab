"""Connections of clients: how many there are, how long each may take to send a request, and how they are closed."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

log = logging.getLogger("arcrun_server.connections")

HEADER_SECONDS = 10.0
BODY_SECONDS = 60.0
# What may be held of bodies that have not come to their end: clients need no key to send one.
BODY_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 1.0
# What is read of a body after its response, so that the client can read that before it is cut off.
LINGER_BYTES = 4 * 1024 * 1024
# Files that are no connections of clients: the database, outgoing connections, workers.
RESERVED_FILES = 200
LOG_SECONDS = 60.0
_NO_HTTP = ApiError(
    400,
    "invalid_request",
    "this is not a valid HTTP request: its first line or a header is malformed or stands twice, or Host is missing",
)


def most_connections(wanted: int) -> int:
    """Return how many connections there may be: as many as wanted, but well below the limit of open files."""
    if sys.platform == "win32":
        return wanted
    import resource  # noqa: PLC0415 - not on Windows

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, max(files - RESERVED_FILES, files // 3)))


class Connections:
    """The connections of a server.

    Args:
        most: How many there may be. One more closes the one that has been idle for longest; if none is
            idle, it is refused.
        header_seconds: How long a client may take to send the head of a request.
        body_seconds: How long it may take to send the body.
        body_bytes: How many bytes of bodies that are still being sent may be held. For more, the connection
            whose body began first is closed: who sends slowly gives way to who does not.
    """

    def __init__(
        self,
        most: int,
        header_seconds: float = HEADER_SECONDS,
        body_seconds: float = BODY_SECONDS,
        body_bytes: int = BODY_BYTES,
    ) -> None:
        self.most = most
        self.header_seconds = header_seconds
        self.body_seconds = body_seconds
        self.body_bytes = body_bytes
        self.refused = Counted(f"connections were refused, because {most} are in use")
        self.cut_off = Counted(
            f"slow connections were closed, because more than {body_bytes} bytes of unfinished bodies were held"
        )
        self._held: dict[Connection, int] = {}  # the one whose body began first comes first
        self._held_bytes = 0
        self._open: set[Connection] = set()
        self._idle: dict[
            Connection, None
        ] = {}  # the one that has been idle for longest comes first

    def protocol(self, **options: Any) -> Connection:
        """Return the protocol of a new connection, for uvicorn."""
        return Connection(self, **options)

    def opened(self, connection: Connection) -> bool:
        """Take a new connection, or return False."""
        if len(self._open) >= self.most:
            oldest = next(iter(self._idle), None)
            if oldest is None:
                self.refused.count()
                return False
            self.closed(oldest)
            oldest.transport.abort()
        self._open.add(connection)
        self._idle[connection] = None
        return True

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        self.body_ended(connection)

    def became(self, connection: Connection, *, idle: bool) -> None:
        """Note whether a connection waits for a request."""
        if not idle:
            self._idle.pop(connection, None)
        elif connection in self._open and connection not in self._idle:
            self._idle[connection] = None

    def body_came(self, connection: Connection, size: int) -> None:
        """Note that so many bytes of a body came that is not at its end."""
        self._held[connection] = self._held.get(connection, 0) + size
        self._held_bytes += size
        while self._held_bytes > self.body_bytes and len(self._held) > 1:
            slowest = next(iter(self._held))
            self.body_ended(slowest)
            slowest.transport.abort()
            self.cut_off.count()

    def body_ended(self, connection: Connection) -> None:
        """Note that nothing more of a body will come."""
        self._held_bytes -= self._held.pop(connection, 0)


class Counted:
    """Something that may happen very often: the log says once a minute how often."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._times = 0
        self._next = 0.0

    def count(self) -> None:
        """Note that it happened."""
        self._times += 1
        now = time.monotonic()
        if now >= self._next:
            log.warning("%d %s", self._times, self._what)
            self._times, self._next = 0, now + LOG_SECONDS


class Connection(H11Protocol):
    """One connection: with deadlines for heads and bodies, and an end that lets the client read its response."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self._discarded: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or close at once if there are too many connections."""
        super().connection_made(transport)
        if self._connections.opened(self):
            self._wait("head", self._connections.header_seconds)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._wait("")
        self._connections.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, unless the response to it has been sent and the connection is at its end."""
        if self._discarded is None:
            super().data_received(data)
            if self._waits_for == "body":
                self._connections.body_came(self, len(data))
            return
        self._discarded += len(data)
        if self._discarded > LINGER_BYTES:
            self.transport.abort()

    def handle_events(self) -> None:
        """Handle what was read, and see what the connection waits for now."""
        super().handle_events()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            if self._waits_for != "head":
                self._wait("head", self._connections.header_seconds)
            return
        if cycle.transport is self.transport:
            cycle.transport = _AtItsEnd(self.transport, self._linger)  # type: ignore[assignment]
            self._connections.became(self, idle=False)
        if not cycle.more_body:
            self._wait("")
        elif self._waits_for != "body":
            self._wait("body", self._connections.body_seconds)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own text
        """Respond to what is not HTTP as to every other request: with an error and an id (docs/contract.md#errors)."""
        content = encode(_NO_HTTP.body())
        headers = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "x-request-id": secrets.token_hex(16),
            "connection": "close",
        }
        start = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        for event in (start, h11.Data(data=content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._wait("")
        self._connections.became(self, idle=True)
        if self._discarded is None:
            super().on_response_complete()

    def _wait(self, what: str, seconds: float = 0) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._waits_for = what
        if what != "body":
            self._connections.body_ended(self)
        if what and not self.transport.is_closing():
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _linger(self) -> None:
        """Close, but read on for a moment if the client is still sending: else it could not read its response."""
        if not self.cycle.more_body or self.transport.is_closing():
            self.transport.close()
            return
        self._discarded = 0
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


class _AtItsEnd:
    """A transport whose `close` is another function."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
