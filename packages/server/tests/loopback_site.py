"""A web site on loopback for tests, and clients that reach it."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@dataclass
class Received:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class Site:
    """A web site on loopback that returns prepared responses, byte by byte.

    Those of `later` take the place of a response once it was given; with `closes` the connection ends after it.
    """

    responses: dict[str, bytes] = field(default_factory=dict)
    later: dict[str, list[bytes]] = field(default_factory=dict)
    closes: bool = False
    received: list[Received] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    handlers: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def respond(
        self,
        path: str,
        body: bytes | str = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
        fields = {"Content-Type": "application/json", **(headers or {})}
        lines += [f"{name}: {value}" for name, value in fields.items() if value]
        self.responses[path] = ("\r\n".join(lines) + "\r\n\r\n").encode() + content

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.handlers.add(asyncio.create_task(self._serve(reader, writer)))

    async def close(self) -> None:
        """End the connections that are still open, and wait until they are gone."""
        for handler in self.handlers:
            handler.cancel()
        await asyncio.gather(*self.handlers, return_exceptions=True)

    def _advance(self, path: str) -> None:
        if self.later.get(path):
            self.responses[path] = self.later[path].pop(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *fields = head.decode("latin-1").strip().split("\r\n")
                pairs = (entry.split(":", 1) for entry in fields)
                headers = {name.lower(): value.strip() for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.received.append(Received(line, headers, body))
                response = self.responses.get(self.received[-1].path)
                if response is None:
                    await asyncio.Event().wait()  # no response is prepared: it stays silent
                writer.write(response or b"")
                await writer.drain()
                self._advance(self.received[-1].path)
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.connected, "127.0.0.1", 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await site.close()
        await server.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


@pytest.fixture
async def other_site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


@pytest.fixture
def serve() -> Any:
    return serving


@pytest.fixture
async def make_client() -> AsyncIterator[Callable[..., Outbound]]:
    """Make HTTP clients that are closed at the end."""
    opened: list[Outbound] = []

    def make(**settings: Any) -> Outbound:
        opened.append(Outbound(**{"development": True, **settings}))
        return opened[-1]

    yield make
    for outbound in opened:
        await outbound.aclose()
