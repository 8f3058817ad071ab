"""Connections: deadlines, how many there may be, and their end."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.serving import open_socket
from arcrun_server.web import connections as connections_module
from arcrun_server.web.connections import Connections, most_connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Streams:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def status(self) -> int:
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.head = head.decode().lower()
        length = int(self.head.partition("content-length: ")[2].partition("\r\n")[0])
        self.body = json.loads(await self.reader.readexactly(length))
        return int(head.split()[1])

    async def is_closed(self) -> bool:
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@pytest.fixture
async def connect(settings: Settings, store: Store) -> AsyncIterator[Any]:
    """Serve with limits of its own, and open connections."""
    opened: list[Streams] = []

    @asynccontextmanager
    async def serve(**limits: Any) -> AsyncIterator[Any]:
        listener = open_socket("127.0.0.1", 0)
        made = Connections(**{"most": 100, **limits})
        app = create_app(settings, store)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="on", ws="none", http=made.protocol)  # type: ignore[arg-type]
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for this
            await asyncio.sleep(0.01)

        async def one() -> Streams:
            streams = Streams(*await asyncio.open_connection(*listener.getsockname()))
            opened.append(streams)
            return streams

        try:
            yield one
        finally:
            for streams in opened:
                streams.writer.close()
            server.should_exit = True
            await task

    return serve


async def test_idle_connections_shut_nobody_out(connect: Any) -> None:
    async with connect(most=8) as one:
        idle = [await one() for _ in range(20)]
        late = await one()
        await late.send(GET)
        assert await late.status() == 200
        assert await idle[0].is_closed()
        await idle[-1].send(GET)
        assert await idle[-1].status() == 200


async def test_the_one_that_has_been_idle_for_longest_is_closed_first(connect: Any) -> None:
    async with connect(most=2) as one:
        first, second = await one(), await one()
        await first.send(GET)
        assert await first.status() == 200  # so `second` has been idle for longer
        await (third := await one()).send(GET)
        assert await third.status() == 200
        assert await second.is_closed()
        await first.send(GET)
        assert await first.status() == 200


async def test_no_more_are_taken_while_all_are_in_use_and_the_log_says_so_once(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(most=2) as one:
        busy = [await one() for _ in range(2)]
        for streams in busy:
            await streams.send(
                b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
            )
        await asyncio.sleep(0.05)
        with caplog.at_level(logging.WARNING, "arcrun_server.connections"):
            for _ in range(5):
                assert await (await one()).is_closed()
        assert [record.getMessage() for record in caplog.records] == [
            "1 connections were refused, because 2 are in use"
        ]
        await busy[0].send(b"       }")
        assert await busy[0].status() in {400, 415}


BODY = b'{"graph": {"nodes": [], "edges": []}, "x": "' + b"x" * 60_000 + b'"}'
LONG = (
    b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


async def test_the_slowest_body_gives_way_if_too_much_of_bodies_is_held(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(body_bytes=200_000) as one:
        slow = [await one() for _ in range(3)]
        for streams in slow:
            await streams.send(LONG + BODY[:-1])
            await (other := await one()).send(GET)
            assert await other.status() == 200  # so what was sent has been read
        with caplog.at_level(logging.WARNING, "arcrun_server.connections"):
            await (fourth := await one()).send(LONG + BODY[:-1])
            assert await slow[0].is_closed()
        for streams in [*slow[1:], fourth]:
            await streams.send(BODY[-1:])
            assert await streams.status() == 400  # `x` is not known
        assert [record.getMessage() for record in caplog.records] == [
            "1 slow connections were closed, because more than 200000 bytes of unfinished bodies were held"
        ]


async def test_bodies_that_came_to_their_end_hold_nothing(connect: Any) -> None:
    async with connect(body_bytes=130_000) as one:
        await (slow := await one()).send(LONG + BODY[:-1])
        for _ in range(5):
            await (other := await one()).send(GET)
            assert await other.status() == 200
            await other.send(LONG + BODY[:30_000])
            await other.send(BODY[30_000:])
            assert await other.status() == 400
        await slow.send(BODY[-1:])
        assert await slow.status() == 400


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: "])
async def test_a_head_that_takes_too_long_ends_the_connection(connect: Any, sent: bytes) -> None:
    async with connect(header_seconds=0.1) as one:
        slow = await one()
        await slow.send(sent)
        assert await asyncio.wait_for(slow.is_closed(), 10)


async def test_bytes_that_drip_do_not_move_the_deadline(connect: Any) -> None:
    async with connect(header_seconds=0.2) as one:
        slow = await one()

        async def drip() -> None:
            while True:
                await slow.send(b"G" * 1)
                await asyncio.sleep(0.05)

        task = asyncio.create_task(drip())
        assert await asyncio.wait_for(slow.is_closed(), 10)
        task.cancel()


async def test_a_body_that_takes_too_long_ends_the_connection(connect: Any) -> None:
    async with connect(body_seconds=0.1) as one:
        slow = await one()
        await slow.send(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        )
        assert await asyncio.wait_for(slow.is_closed(), 10)


async def test_several_requests_go_over_one_connection(connect: Any) -> None:
    async with connect(header_seconds=30) as one:
        kept = await one()
        await kept.send(GET * 3)
        assert [await kept.status() for _ in range(3)] == [200, 200, 200]


async def test_after_401_the_connection_is_closed(connect: Any) -> None:
    async with connect() as one:
        streams = await one()
        await streams.send(GET.replace(b"/health", b"/credentials"))
        assert await streams.status() == 401
        assert "connection: close" in streams.head
        assert await streams.is_closed()


async def test_after_413_a_body_in_chunks_is_not_read_on_and_the_client_gets_its_response(
    connect: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "LINGER_SECONDS", 0.2)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    async with connect() as one:
        streams = await one()
        await streams.send(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )

        async def send_without_end() -> None:
            while True:
                await streams.send(chunk)

        task = asyncio.create_task(send_without_end())
        assert await streams.status() == 413
        assert "connection: close" in streams.head
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(task, 10)


async def test_a_request_with_two_lengths_is_refused_and_closed(connect: Any) -> None:
    async with connect() as one:
        streams = await one()
        await streams.send(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + GET
        )
        assert await streams.status() == 400
        assert "both Content-Length and Transfer-Encoding" in streams.body["error"]
        assert await streams.is_closed()


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)
async def test_what_is_not_http_is_refused_in_the_shape_of_every_error(
    connect: Any, sent: bytes
) -> None:
    async with connect() as one:
        streams = await one()
        await streams.send(sent)
        assert await streams.status() == 400
        assert streams.body["code"] == "invalid_request"
        assert "content-type: application/json" in streams.head
        assert "x-request-id: " in streams.head
        assert await streams.is_closed()


async def test_requests_of_one_key_at_once_are_limited(connect: Any, store: Store) -> None:
    key = new_key()
    store.accounts.create(key)
    begun = (
        f"POST /validate HTTP/1.1\r\nHost: localhost\r\nX-Arcrun-API-Key: {key}\r\nContent-Length: 9\r\n\r\n{{"
    ).encode()
    async with connect(most=1000) as one:
        for _ in range(256):
            await (await one()).send(begun)
        last = await one()
        while True:  # until all of them are being served
            keyed = f"GET /credentials HTTP/1.1\r\nHost: localhost\r\nX-Arcrun-API-Key: {key}\r\n\r\n".encode()
            await last.send(keyed)
            if await last.status() == 429:
                break
        assert "retry-after: 1" in last.head
        assert last.body["code"] == "too_many_requests"
        await last.send(keyed.replace(b"/credentials", b"/health"))
        assert await last.status() == 200


def test_connections_stay_below_the_limit_of_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for files, most in [(20_000, 1000), (1024, 824), (256, 85), (64, 21)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert most_connections(1000) == most
