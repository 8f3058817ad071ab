"""The recording proxy between an adapter and the target."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from arcrun_conformance.cancellation import within

from .journal import Exchange, Headers, Journal, Request, Response
from .pace import Pace
from .recording import RecordingServer, next_event, read_body, text_headers
from .sending import end_to_end

if TYPE_CHECKING:
    from .faults import FaultInjector
    from .safety import Guard

CONNECT_SECONDS = 10.0
RESPONSE_SECONDS = 60.0


class Proxy(RecordingServer):
    """Passes requests on to the target and responses back, and records both.

    Attributes:
        pace: How fast requests are passed on.

    Example:
        >>> async def use() -> None:
        ...     async with Proxy("http://127.0.0.1:8787", Journal(), FaultInjector()) as proxy:
        ...         print(proxy.origin)
    """

    def __init__(
        self, target: str, journal: Journal, faults: FaultInjector, guard: Guard | None = None
    ) -> None:
        super().__init__("engine", journal, faults)
        self.pace = Pace()
        self._guard = guard
        parts = urlsplit(target)
        self._host = parts.hostname or ""
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)

    async def respond(self, exchange: Exchange) -> Response:
        """Return the target's response, or one that says why there is none."""
        refusal = self._guard(exchange.request) if self._guard else None
        if refusal:
            exchange.refusal = refusal
            return Response.from_json(
                {"error": f"not sent: {refusal}", "code": "not_live_safe"}, 403
            )
        await self.pace.turn()
        try:
            return await within(RESPONSE_SECONDS, self._forward(exchange.request))
        except (OSError, h11.ProtocolError, asyncio.TimeoutError) as error:
            exchange.problem = f"the target did not respond: {type(error).__name__}: {error}"
            return Response.from_json(
                {"error": exchange.problem, "code": "target_unreachable"}, 502
            )

    async def _forward(self, request: Request) -> Response:
        reader, writer = await within(
            CONNECT_SECONDS, asyncio.open_connection(self._host, self._port, ssl=self._tls)
        )
        try:
            connection = h11.Connection(h11.CLIENT)
            sent = h11.Request(
                method=request.method,
                target=self._prefix + request.target,
                headers=self._headers(request),
            )
            for event in (sent, h11.Data(data=request.body), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            await writer.drain()
            received = await next_event(connection, reader)
            while isinstance(received, h11.InformationalResponse):
                received = await next_event(connection, reader)
            if not isinstance(received, h11.Response):
                raise h11.RemoteProtocolError("it closed the connection without a response")
            headers = end_to_end(text_headers(received.headers))
            return Response(received.status_code, headers, await read_body(connection, reader))
        finally:
            writer.close()

    def _headers(self, request: Request) -> Headers:
        # `identity` keeps bodies readable in the journal, which has the header as the SDK sent it.
        replaced = {"host", "accept-encoding", "expect"}
        kept = [
            (name, value)
            for name, value in end_to_end(request.headers)
            if name.lower() not in replaced
        ]
        length = [("content-length", str(len(request.body)))] if request.body else []
        return [
            ("host", self._authority),
            *kept,
            ("accept-encoding", "identity"),
            *length,
            ("connection", "close"),
        ]
