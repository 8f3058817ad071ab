"""A plain HTTP client that records: what the engine suite sends, byte by byte where that matters."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import h11

from arcrun_conformance.cancellation import end_tasks, within

from .journal import Headers, Journal, Request, Response
from .pace import Pace
from .recording import next_event, read_body, text_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .safety import Guard

CONNECT_SECONDS = 10.0
RESPONSE_SECONDS = 60.0
# How long an engine has to close a connection, and how long one must stay open to count as open.
CLOSE_SECONDS = 5.0
OPEN_SECONDS = 0.3
CHUNK = 16 * 1024


@dataclass
class Outgoing:
    """A request as a step of the engine suite describes it.

    Attributes:
        method: The method.
        path: The path below the engine's base URL, with percent-encoding where it is needed.
        query: Query parameters; a list gives the parameter several times.
        headers: Headers in addition to those that the client sends; `None` leaves one out.
        json: The body, as a value.
        text: The body, as it is sent.
        data: The body, in base64.
        chunked: Send the body in chunks, without its length.
        raw: Everything that is sent, head and body, instead of all of these.
        closes: Whether the connection must be closed by the engine afterwards; `None` if that does not matter.
    """

    method: str = "GET"
    path: str = "/"
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    data: str | None = None
    chunked: bool = False
    raw: str | None = None
    closes: bool | None = None

    def body(self) -> bytes | None:
        """Return the body, `None` if there is none."""
        if self.data is not None:
            return base64.b64decode(self.data)
        if self.text is not None:
            return self.text.encode("utf-8")
        if self.json is not None:
            return json.dumps(self.json, ensure_ascii=False).encode("utf-8")
        return None

    def target(self) -> str:
        """Return the path and the query."""
        path = quote(self.path, safe="/%:@!$&'()*+,;=-._~?")
        return f"{path}?{urlencode(self.query, doseq=True)}" if self.query else path


@dataclass
class Reply:
    """A response, how long it took, and whether the engine closed the connection after it."""

    response: Response
    seconds: float
    closed: bool | None = None

    def value(self) -> dict[str, Any]:
        """Return the reply as scenarios match it."""
        value = {**self.response.value(), "seconds": round(self.seconds, 4)}
        return value if self.closed is None else {**value, "closed": self.closed}


class NoReply(Exception):
    """The engine did not respond, or not with HTTP; the message says how."""


class EngineClient:
    """Sends requests to an engine, each on a connection of its own, and records them.

    Args:
        url: The base URL of the engine.
        journal: Where exchanges are recorded.
        defaults: Headers that every request has, unless it names them itself.
        guard: Returns why a request must not be sent to an engine that others use.
        pace: How fast requests may be sent to it.
    """

    def __init__(
        self,
        url: str,
        journal: Journal,
        defaults: Mapping[str, str],
        guard: Guard | None = None,
        pace: Pace | None = None,
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._name = parts.hostname or ""
        self._prefix = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._journal = journal
        self._defaults = defaults
        self._guard = guard
        self._pace = pace or Pace()

    async def send(self, outgoing: Outgoing) -> Reply:
        """Send a request and return the reply.

        Raises:
            NoReply: There is no complete response.
        """
        body = outgoing.body()
        request = Request(outgoing.method, outgoing.target(), self._headers(outgoing, body))
        request.body = body or b""
        exchange = self._journal.open("engine", request)
        began = time.perf_counter()
        try:
            refusal = self._guard(request) if self._guard else None
            if refusal:
                exchange.refusal = refusal
                raise NoReply(f"not sent: {refusal}")
            await self._pace.turn()
            reply = await within(RESPONSE_SECONDS, self._exchange(outgoing, request))
        except (OSError, h11.ProtocolError, asyncio.TimeoutError) as error:
            exchange.problem = f"{type(error).__name__}: {error}".rstrip(": ")
            self._journal.close(exchange, None)
            raise NoReply(f"the engine did not respond: {exchange.problem}") from error
        reply.seconds = time.perf_counter() - began
        self._journal.close(exchange, reply.response)
        return reply

    def _headers(self, outgoing: Outgoing, body: bytes | None) -> Headers:
        headers: dict[str, str | None] = {"host": self.host, **self._defaults}
        if outgoing.json is not None:
            headers["content-type"] = "application/json"
        if outgoing.chunked:
            headers["transfer-encoding"] = "chunked"
        elif body is not None:
            headers["content-length"] = str(len(body))
        headers |= {name.lower(): value for name, value in outgoing.headers.items()}
        return [(name, value) for name, value in headers.items() if value is not None]

    async def _exchange(self, outgoing: Outgoing, request: Request) -> Reply:
        reader, writer = await within(
            CONNECT_SECONDS, asyncio.open_connection(self._name, self._port, ssl=self._tls)
        )
        # In a task of its own: an engine may respond before it has read everything, as with 413.
        sending = asyncio.ensure_future(_write(writer, self._bytes(outgoing, request)))
        try:
            response = await _read(reader, request.method)
            closed = await _is_closed(reader, outgoing.closes)
            return Reply(response, 0.0, closed)
        finally:
            await end_tasks([sending])
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _bytes(self, outgoing: Outgoing, request: Request) -> list[bytes]:
        """Return the pieces that are sent; nothing about them is checked."""
        if outgoing.raw is not None:
            return [outgoing.raw.encode("utf-8")]
        lines = [f"{request.method} {self._prefix}{request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        head = "\r\n".join([*lines, "", ""]).encode("utf-8")
        if not outgoing.chunked:
            return [head, request.body]
        pieces = [request.body[i : i + CHUNK] for i in range(0, len(request.body), CHUNK)]
        return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


async def _write(writer: asyncio.StreamWriter, pieces: list[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()


async def _read(reader: asyncio.StreamReader, method: str) -> Response:
    """Read one response; h11 gets a plain request, since it would refuse some that are sent here."""
    connection = h11.Connection(h11.CLIENT)
    known = method if method in {"GET", "HEAD", "POST", "PUT", "DELETE"} else "GET"
    connection.send(h11.Request(method=known, target="/", headers=[("host", "engine")]))
    connection.send(h11.EndOfMessage())
    received = await next_event(connection, reader)
    while isinstance(received, h11.InformationalResponse):
        received = await next_event(connection, reader)
    if not isinstance(received, h11.Response):
        raise h11.RemoteProtocolError("it closed the connection without a response")
    body = await read_body(connection, reader)
    return Response(received.status_code, text_headers(received.headers), body)


async def _is_closed(reader: asyncio.StreamReader, expected: bool | None) -> bool | None:
    if expected is None:
        return None
    try:
        end = await within(CLOSE_SECONDS if expected else OPEN_SECONDS, reader.read(1))
    except asyncio.TimeoutError:
        return False
    except OSError:
        return True
    return end == b""
