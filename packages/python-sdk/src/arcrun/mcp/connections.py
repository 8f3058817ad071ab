"""Connections over HTTP, which are closed if no request comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

HEAD_SECONDS = 10.0


class Connection(H11Protocol):
    """One connection.

    Args:
        head_seconds: How long a client may take to send the head of a request; without it, also one that has no token
            could hold connections open until there are no files left.
        options: Those of uvicorn.
    """

    def __init__(self, head_seconds: float = HEAD_SECONDS, **options: Any) -> None:
        super().__init__(**options)
        self._head_seconds = head_seconds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle what was read; wait for a head if no request is in progress, also while a refused body still comes."""
        super().handle_events()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._wait_no_more()
        elif self._deadline is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Let uvicorn close the connection if nothing more comes for some seconds."""
        self._wait_no_more()
        super().on_response_complete()

    def _wait(self) -> None:
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._head_seconds, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
