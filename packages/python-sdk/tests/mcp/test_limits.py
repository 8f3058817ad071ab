"""How long a client over HTTP may take, and how much is held of what it sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from arcrun._core.secret import Secret
from arcrun.mcp.bodies import WholeBodies
from arcrun.mcp.http import Address, BearerToken, http_server, listen

TOKEN = "an-example-of-a-bearer-token-0123456789"
HEAD = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Respond with the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(body.decode())(scope, receive, send)


Open = Callable[[], Any]


@asynccontextmanager
async def served(app: Any, head_seconds: float = 60) -> AsyncIterator[Open]:
    """Serve an application over HTTP; yields a function that opens a connection to it."""
    with listen(Address("127.0.0.1", 0)) as listening:

        async def requests(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await app(scope, receive, send)

        server = http_server(BearerToken(requests, Secret(TOKEN)), head_seconds)
        serving = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(60):
            yield lambda: asyncio.open_connection(*listening.getsockname())
        server.should_exit = True
        await serving


async def response(reader: asyncio.StreamReader) -> str:
    """Read until the server closes the connection."""
    return (await reader.read()).decode()


@pytest.mark.parametrize("sent", ["", HEAD, "POST /mcp HT"])
async def test_a_connection_that_sends_no_request_in_time_is_closed(sent: str) -> None:
    async with served(echo, head_seconds=0.2) as connection:
        reader, writer = await connection()
        writer.write(sent.encode())
        assert await response(reader) == ""
        writer.close()


async def test_a_refused_body_that_never_ends_holds_no_connection() -> None:
    async with served(echo, head_seconds=0.2) as connection:
        reader, writer = await connection()
        writer.write(b"POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.write(b"x")
        with contextlib.suppress(ConnectionResetError):  # or the end, as the system has it
            await reader.read()
        writer.close()


async def test_the_time_for_a_head_does_not_end_a_request_in_progress() -> None:
    going_on = asyncio.Event()
    closed = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        going_on.set()
        await closed.wait()
        await echo(scope, receive, send)

    async with served(WholeBodies(waiting), head_seconds=0.2) as connection:
        reader, writer = await connection()
        writer.write((HEAD + "Connection: close\r\nContent-Length: 2\r\n\r\nhi").encode())
        await going_on.wait()
        idle, idle_writer = await connection()  # begins to wait later, and is closed
        assert await response(idle) == ""
        closed.set()
        assert (await response(reader)).endswith("\r\n\r\nhi")
        writer.close()
        idle_writer.close()


async def test_a_body_that_does_not_come_in_time_is_refused() -> None:
    async with served(WholeBodies(echo, seconds=0.1)) as connection:
        reader, writer = await connection()
        writer.write((HEAD + "Content-Length: 5\r\n\r\nhi").encode())
        found = await response(reader)
        assert found.startswith("HTTP/1.1 408")
        assert "send the request again" in found
        writer.close()


@pytest.mark.parametrize(
    "sent",
    ["Content-Length: 6\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n0\r\n\r\n"],
)
async def test_a_body_that_is_too_large_is_refused(sent: str) -> None:
    async with served(WholeBodies(echo, most_bytes=5)) as connection:
        reader, writer = await connection()
        writer.write((HEAD + sent).encode())
        assert (await response(reader)).startswith("HTTP/1.1 413")
        writer.close()


async def test_what_is_held_of_all_bodies_is_limited_and_given_back() -> None:
    held = asyncio.Event()
    done = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        held.set()
        await done.wait()
        await echo(scope, receive, send)

    whole = (HEAD + "Connection: close\r\nContent-Length: 6\r\n\r\n123456").encode()
    async with served(WholeBodies(waiting, most_held=10)) as connection:
        first, first_writer = await connection()
        first_writer.write(whole)
        await held.wait()
        second, second_writer = await connection()
        second_writer.write(whole)
        found = await response(second)
        assert found.startswith("HTTP/1.1 503")
        assert "try again" in found
        done.set()
        assert (await response(first)).endswith("123456")
        third, third_writer = await connection()
        third_writer.write(whole)
        assert (await response(third)).startswith("HTTP/1.1 200")
        for writer in (first_writer, second_writer, third_writer):
            writer.close()


async def test_a_body_whose_connection_ends_before_it_is_not_carried_out() -> None:
    carried_out: list[str] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        carried_out.append(scope["path"])
        await echo(scope, receive, send)

    ended = asyncio.Event()
    bodies = WholeBodies(note)

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await bodies(scope, receive, send)
        finally:
            ended.set()

    async with served(watched) as connection:
        _, writer = await connection()
        writer.write((HEAD + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n").encode())
        writer.close()
        await ended.wait()
    assert carried_out == []
