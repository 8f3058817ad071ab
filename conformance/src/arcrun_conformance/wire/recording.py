"""A small HTTP/1.1 server on loopback that records: the base of the proxy and the stand-in."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import h11

from arcrun_conformance.cancellation import end_tasks

from .journal import Exchange, Headers, Journal, Request, Response, ServerName
from .sending import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from .faults import Fault, FaultInjector

# More than any scenario sends; a larger body is a defect of the SDK.
MAX_BODY = 8 * 1024 * 1024


async def next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Event:
    """Return the next HTTP event of a connection, reading from the network as needed."""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            if connection.trailing_data[1]:  # the other side has closed the connection
                message = "it closed the connection before the end of the message"
                raise h11.RemoteProtocolError(message) from error
            raise
        if isinstance(event, h11.Event):
            return event
        if event is h11.PAUSED:
            raise h11.RemoteProtocolError("pipelined requests are not supported")
        connection.receive_data(await reader.read(65536))


async def read_body(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    """Read the body of a message to its end."""
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
    """Return headers as text, one character for each byte (Latin-1), as HTTP/1.1 defines them."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


class RecordingServer(ABC):
    """Listens on a free loopback port, records each exchange, applies faults, and responds.

    Attributes:
        origin: Where it listens, once it does.
        preferred_port: The port to listen on if it is free; 0 for any.

    Example:
        >>> async def use(server: RecordingServer) -> None:
        ...     async with server:
        ...         print(server.origin)
    """

    def __init__(self, name: ServerName, journal: Journal, faults: FaultInjector) -> None:
        self.origin = ""
        self.preferred_port = 0
        self._name: ServerName = name
        self._journal = journal
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def respond(self, exchange: Exchange) -> Response:
        """Return the response; called after the whole request has been read."""

    async def __aenter__(self) -> Self:
        try:
            listening = await asyncio.start_server(self._accept, "127.0.0.1", self.preferred_port)
        except OSError:  # the preferred port is in use
            listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = listening
        port = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        await end_tasks(self._tasks)

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
            pass  # the client has closed the connection; its request is recorded
        except Exception as error:  # noqa: BLE001 -- a bug here must not look like one of the SDK
            self._journal.broken_requests.append(
                f"the recording server failed: {type(error).__name__}: {error}"
            )
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
        """Serve one request; return whether the connection can be used again."""
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
        exchange = self._journal.open(self._name, request)
        fault = self._faults.take(exchange)
        response = None
        try:
            response = await self._respond_with(exchange, fault)
            sent = Sender(connection, reader, writer, request)
            alive = await sent.send(response, fault)
        finally:
            self._journal.close(exchange, response)
        return alive and connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _respond_with(self, exchange: Exchange, fault: Fault | None) -> Response:
        if fault is None:
            response = await self._own_response(exchange)
        else:
            exchange.fault = fault.text
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            forwarded = await self._own_response(exchange) if fault.forward else None
            response = fault.response or forwarded or Response(200)
        return self._faults.rewrite(exchange, response)

    async def _own_response(self, exchange: Exchange) -> Response:
        exchange.own_response = response = await self.respond(exchange)
        return response
