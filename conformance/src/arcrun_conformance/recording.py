"""A small HTTP/1.1 server on loopback that records; the proxy and the stand-in are built on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import h11

from .journal import Answer, Exchange, Headers, Journal, Place, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from .faults import Fault, FaultPlan

# More than any scenario sends; a body beyond it is a defect of the SDK, not something to record.
MAX_BODY = 8 * 1024 * 1024
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"}


async def next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Event:
    """The next HTTP event of a connection, read from the network as needed."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Event):
            return event
        if event is h11.PAUSED:
            raise h11.RemoteProtocolError("pipelined requests are not used by any SDK")
        connection.receive_data(await reader.read(65536))


async def read_body(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    """The rest of a message, as one piece."""
    body = bytearray()
    while True:
        event = await next_event(connection, reader)
        if isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                raise h11.RemoteProtocolError(f"a body of more than {MAX_BODY} bytes")
        elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
            return bytes(body)


def text_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers as text, each byte one character, as HTTP/1.1 defines them."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def end_to_end(headers: Headers) -> Headers:
    """Headers without those that belong to one connection only."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


class RecordingServer(ABC):
    """Listens on a free loopback port, records each exchange, applies faults, answers.

    Example:
        >>> async def use(server: RecordingServer) -> None:
        ...     async with server:
        ...         print(server.origin)
    """

    def __init__(self, place: Place, journal: Journal, faults: FaultPlan) -> None:
        self.origin = ""
        self._place: Place = place
        self._journal = journal
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def answer(self, exchange: Exchange) -> Answer:
        """What to answer; called after the request has been read whole."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connection = h11.Connection(h11.SERVER)
            while await self._serve_one(connection, reader, writer):
                connection.start_next_cycle()
        except h11.RemoteProtocolError as error:
            self._journal.broken_requests.append(str(error))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone: what it had asked for is recorded
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not look like the SDK's
            self._journal.broken_requests.append(f"the recording server failed: {error!r}")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve_one(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Serve one request; `False` when the connection is done with."""
        event = await next_event(connection, reader)
        if not isinstance(event, h11.Request):
            return False
        request = Request(
            event.method.decode("ascii"), event.target.decode("ascii"), text_headers(event.headers)
        )
        if connection.they_are_waiting_for_100_continue:
            writer.write(
                connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
            )
        request.body = await read_body(connection, reader)
        exchange = self._journal.open(self._place, request)
        fault = self._faults.take(exchange)
        answer = None
        try:
            answer = await self._decide(exchange, fault)
            alive = await _send(connection, writer, request, answer, fault)
        finally:
            self._journal.close(exchange, answer)
        return alive and connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _decide(self, exchange: Exchange, fault: Fault | None) -> Answer:
        if fault is None:
            answer = await self.answer(exchange)
        else:
            exchange.fault = fault.text
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            forwarded = await self.answer(exchange) if fault.forward else None
            answer = fault.answer or forwarded or Answer(200)
        return self._faults.rewrite(exchange, answer)


async def _send(
    connection: h11.Connection,
    writer: asyncio.StreamWriter,
    request: Request,
    answer: Answer,
    fault: Fault | None,
) -> bool:
    """Send an answer, broken as the fault says; `False` when the connection must end."""
    kind = fault.kind if fault else None
    if kind == "reset":
        _reset(writer)
        return False
    if kind == "malformed" and fault is not None and fault.answer is None:
        writer.write(b"HTTP/1.1 banana\r\nthis is : not { HTTP\r\n\r\n")
        await writer.drain()
        return False
    body = b"" if request.method == "HEAD" else answer.body
    headers = [(name.encode(), _header_bytes(value)) for name, value in end_to_end(answer.headers)]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if kind == "close":
        headers.append((b"connection", b"close"))
    response = h11.Response(status_code=answer.status, headers=headers)
    writer.write(connection.send(response) or b"")
    if kind == "truncate":
        writer.write(connection.send(h11.Data(data=body[: len(body) // 2])) or b"")
        await writer.drain()
        return False
    pieces = [body[i : i + 1] for i in range(len(body))] if kind == "drip" else [body]
    for piece in pieces:
        writer.write(connection.send(h11.Data(data=piece)) or b"")
        if fault is not None and kind == "drip":
            await writer.drain()
            await asyncio.sleep(fault.seconds)
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return True


def _header_bytes(value: str) -> bytes:
    # What was read is Latin-1, as HTTP has it; what a scenario orders may be any text.
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    # Lingering for zero seconds makes closing send RST, which is what a broken network looks like.
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
