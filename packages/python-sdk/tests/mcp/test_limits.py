"""How long a client over HTTP may take, and how much is held of what it sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
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
async def served(app: Any, head_seconds: float = 60, most: int = 256) -> AsyncIterator[Open]:
    """Serve an application over HTTP; yields a function that opens a connection to it."""
    with listen(Address("127.0.0.1", 0)) as listening:

        async def requests(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await app(scope, receive, send)

        server = http_server(BearerToken(requests, Secret(TOKEN)), head_seconds, most)
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


async def test_more_connections_than_there_may_be_are_refused_with_the_reason() -> None:
    async with served(echo, most=3) as connection:
        kept = [await request_of(connection) for _ in range(3)]
        for _ in range(5):
            reader, writer = await connection()
            writer.write(HEAD.encode() + b"Content-Length: 1\r\n\r\nx")
            head, _, body = (await response(reader)).partition("\r\n\r\n")
            assert head.startswith("HTTP/1.1 503")
            error = json.loads(body)
            assert error["code"] == "too_many_connections"
            assert "there are 3 connections" in error["error"]
            assert "--connections" in error["error"]
            writer.close()
        for reader, writer in kept:  # those that there are go on
            assert await exchange(reader, writer) == "x"
        kept[0][1].close()
        while True:  # a place is free when the server has noticed
            reader, writer = await connection()
            writer.write(HEAD.encode() + b"Content-Length: 1\r\n\r\nx")
            if b"200" in await reader.readline():
                break
            writer.close()
        for _, each in (*kept[1:], (reader, writer)):
            each.close()


async def test_many_connections_at_once_are_closed_though_nobody_reads_why() -> None:
    async with served(echo, most=2) as connection:
        opened = [await connection() for _ in range(120)]
        ends = [reader.read() for reader, _ in opened[2:]]
        texts = await asyncio.gather(*ends, return_exceptions=True)
        told = [
            each for each in texts if isinstance(each, bytes) and b"too_many_connections" in each
        ]
        assert 0 < len(told) <= 118
        for reader, writer in opened[:2]:
            assert await exchange(reader, writer) == "x"
        for _, writer in opened:
            writer.close()


async def request_of(connection: Open) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a request has been answered."""
    reader, writer = await connection()
    assert await exchange(reader, writer) == "x"
    return reader, writer


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Send `x`, and return the body of the response."""
    writer.write(HEAD.encode() + b"Content-Length: 1\r\n\r\nx")
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200"), head
    return (
        await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
    ).decode()
