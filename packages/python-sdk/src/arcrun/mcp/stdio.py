"""MCP over standard input and output."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from .messages import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TextIO

    from mcp.server import Server


async def serve_stdio(server: Server[Any]) -> None:
    """Serve until standard input ends."""
    # Bytes that are no UTF-8 stay recognizable: a text must not be stored with other letters than were sent.
    lines = Lines(TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape"))
    async with stdio_server(stdin=lines) as (reading, writing):
        lines.answer_by(writing.send)
        await server.run(reading, writing, server.create_initialization_options())


class Lines(anyio.AsyncFile[str]):
    """The lines of a file that are JSON-RPC messages. The others are answered here: the SDK's reader drops them."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self._send: Callable[[SessionMessage], Awaitable[None]] | None = None
        self._ready = anyio.Event()

    def answer_by(self, send: Callable[[SessionMessage], Awaitable[None]]) -> None:
        """Say how answers are sent."""
        self._send = send
        self._ready.set()

    async def readline(self) -> str:
        """Return the next message, or an empty text at the end."""
        while line := await super().readline():
            if not line.strip():
                continue
            refused = refusal(line)
            if refused is None:
                return line
            await self._ready.wait()
            if self._send is not None:
                await self._send(SessionMessage(refused))
        return ""
