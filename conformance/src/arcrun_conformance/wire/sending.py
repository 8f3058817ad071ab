"""Sending a response, broken as a fault demands."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from .faults import Fault
    from .journal import Headers, Request, Response

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"}
# A reset discards what the other side has not read yet, so that it gets a moment to read.
_READING_SECONDS = 0.05
_INTERIM_SECONDS = 0.1  # between two of them
_MALFORMED = b"HTTP/1.1 banana\r\nthis is : not { HTTP\r\n\r\n"


def end_to_end(headers: Headers) -> Headers:
    """Return headers without the hop-by-hop ones."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


class Sender:
    """Sends the response to one request of a connection."""

    def __init__(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: Request,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._request = request

    async def send(self, response: Response, fault: Fault | None) -> bool:
        """Send a response; return whether the connection can go on."""
        kind, place = (fault.kind, fault.place) if fault else (None, "")
        if kind == "hangup":
            return False
        if kind in {"reset", "stall"} and place in {"head", "interim"}:
            return await self._end(kind, place)
        if fault is not None and fault.raw:
            return await self._send_raw(fault.raw)
        if kind == "malformed" and fault is not None and fault.response is None:
            return await self._send_raw(_MALFORMED)
        for status in fault.interim if fault else ():
            self._write(h11.InformationalResponse(status_code=status, headers=[]))
        body = b"" if self._request.method == "HEAD" else response.body
        head = self._head(response, announces_end=kind == "close" and place == "announced")
        await self._send_head(head, fault if kind == "trickle" else None)
        if kind == "truncate" or (kind in {"reset", "stall"} and place == "body"):
            self._write(h11.Data(data=body[: len(body) // 2]))
            await self._writer.drain()
            return await self._end(kind)
        await self._send_body(body, fault if kind == "drip" else None)
        self._write(h11.EndOfMessage())
        await self._writer.drain()
        return await self._end(kind) if kind == "reset" else kind != "close"

    def _write(self, event: h11.Event) -> None:
        self._writer.write(self._connection.send(event) or b"")

    def _head(self, response: Response, *, announces_end: bool) -> h11.Response:
        headers = [
            (name.encode(), _header_bytes(value)) for name, value in end_to_end(response.headers)
        ]
        if response.status != 204:
            headers.append((b"content-length", b"%d" % len(response.body)))
        if announces_end:
            headers.append((b"connection", b"close"))
        return h11.Response(status_code=response.status, headers=headers)

    async def _send_body(self, body: bytes, drip: Fault | None) -> None:
        for piece in [body[i : i + 1] for i in range(len(body))] if drip else [body]:
            self._write(h11.Data(data=piece))
            if drip is not None:
                await self._writer.drain()
                await asyncio.sleep(drip.seconds)

    async def _send_head(self, head: h11.Response, trickle: Fault | None) -> None:
        data = self._connection.send(head) or b""
        for piece in [data[i : i + 1] for i in range(len(data))] if trickle else [data]:
            self._writer.write(piece)
            if trickle is not None:
                await self._writer.drain()
                await asyncio.sleep(trickle.seconds)

    async def _send_raw(self, data: bytes) -> bool:
        self._writer.write(data)
        await self._writer.drain()
        return False

    async def _end(self, kind: str | None, place: str = "") -> bool:
        """End a connection as a fault demands: reset it, say nothing until the client leaves, or close it."""
        if kind == "reset":
            await asyncio.sleep(_READING_SECONDS)
            _reset(self._writer)
        elif kind == "stall":
            interim = asyncio.ensure_future(self._send_interim_responses(place))
            try:
                while await self._reader.read(65536):
                    pass
            finally:
                interim.cancel()
        return False

    async def _send_interim_responses(self, place: str) -> None:
        """Send interim responses without end, if a fault demands it."""
        while place == "interim":
            self._write(h11.InformationalResponse(status_code=102, headers=[]))
            await asyncio.sleep(_INTERIM_SECONDS)


def _header_bytes(value: str) -> bytes:
    # What was read from the network is Latin-1; a header from a scenario may be any text.
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    # With a linger time of zero, closing sends RST, as a broken network does.
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
