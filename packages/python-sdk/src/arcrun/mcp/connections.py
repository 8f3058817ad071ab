"""Connections over HTTP: so many at most, and closed if no request comes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

HEAD_SECONDS = 10.0
MOST = 256  # connections at a time: a process may usually have 1,024 files
_MOST_REFUSED = 64  # that still read why; others are closed at once
_SECONDS_TO_READ = 1.0
# What is read, and thrown away, of a body whose request is refused already. Clients read the response after that.
_DISCARDED_SECONDS = 5.0
_DISCARDED_BYTES = 32 * 1024 * 1024


class Connection(H11Protocol):
    """One connection.

    Args:
        head_seconds: How long a client may take to send the head of a request; without it, also one that has no token
            could hold connections open until there are no files left.
        most: How many connections there may be at a time.
        refused: Those that were refused, and are not closed yet.
        options: Those of uvicorn.
    """

    def __init__(
        self, head_seconds: float, most: int, refused: set[RefusedConnection], **options: Any
    ) -> None:
        super().__init__(**options)
        self._head_seconds = head_seconds
        self._most = most
        self._refused = refused
        self._deadline: asyncio.TimerHandle | None = None
        # How many bytes of a refused body were thrown away; None as long as the connection is in use.
        self._discarded: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; refuse it if there are as many connections as there may be."""
        if len(self.connections) >= self._most:
            refused = RefusedConnection(self._most, self._refused)
            transport.set_protocol(refused)
            refused.connection_made(transport)
            return
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came; throw it away if its request is refused already."""
        if self._discarded is None:
            super().data_received(data)
            return
        self._discarded += len(data)
        if self._discarded > _DISCARDED_BYTES:
            self.transport.abort()

    def handle_events(self) -> None:
        """Handle what was read; wait for a head if no request is in progress."""
        super().handle_events()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_no_more()
            if cycle.transport is self.transport:
                cycle.transport = _ClosedLater(self.transport, self._close_after_body)  # type: ignore[assignment]
        elif self._deadline is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Let uvicorn close the connection if nothing more comes for some seconds."""
        if self._discarded is None:
            self._wait_no_more()
            super().on_response_complete()

    def _close_after_body(self) -> None:
        """Close, but only when the client has sent its body.

        Closed before, the connection would be reset, and the client could lose the response that says why.
        """
        if not self.cycle.more_body or self.transport.is_closing():
            self.transport.close()
            return
        self._discarded = 0
        self.flow.resume_reading()
        self.transport.write_eof()
        self._deadline = self.loop.call_later(_DISCARDED_SECONDS, self.transport.abort)

    def _wait(self) -> None:
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._head_seconds, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _ClosedLater:
    """A transport whose `close` is another function."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


class RefusedConnection(asyncio.Protocol):
    """A connection that gets an error, and is closed. What it sends is not read into memory.

    Closed before the client has read, the response would be lost with what was sent and not read.

    Args:
        most: How many connections there may be.
        others: Those that were refused, and are not closed yet.
    """

    def __init__(self, most: int, others: set[RefusedConnection]) -> None:
        self._most = most
        self._others = others
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Respond, and close the connection when the client has read, or a moment later."""
        if len(self._others) >= _MOST_REFUSED:
            transport.abort()
            return
        self._others.add(self)
        transport.write(self._response())
        transport.write_eof()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(_SECONDS_TO_READ, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for others."""
        del exc
        self._others.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()

    def _response(self) -> bytes:
        message = (
            f"there are {self._most} connections, and there can't be more: close one, or start arcrun-mcp with a "
            "larger --connections"
        )
        body = json.dumps({"error": message, "code": "too_many_connections"}).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
