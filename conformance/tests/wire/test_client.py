"""The plain HTTP client of the engine suite, against servers that answer byte by byte."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from arcrun_conformance.wire.client import EngineClient, NoReply, Outgoing, Reply
from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Journal, Response
from arcrun_conformance.wire.proxy import Proxy

BODY = b'{"ok": true}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + BODY
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    """Run a handler for each connection, and wait until all have ended."""
    handled: list[asyncio.Future[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handler(reader, writer)
        await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.append(asyncio.ensure_future(handle(reader, writer)))

    running = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    await asyncio.gather(*handled, return_exceptions=True)


def responding(
    response: bytes, *, until: bytes, received: list[bytes], stays: bool = False
) -> Handler:
    """Return a handler that reads up to some bytes, responds, and closes or keeps the connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(until))
        writer.write(response)
        await writer.drain()
        if stays:
            await reader.read()
        writer.close()

    return handle


async def send(url: str, outgoing: Outgoing, journal: Journal | None = None) -> dict[str, object]:
    client = EngineClient(url, journal or Journal(), {"user-agent": "tests"})
    return (await client.send(outgoing)).value()


async def test_the_request_is_sent_as_described() -> None:
    received: list[bytes] = []
    async with server(responding(OK, until=b"}", received=received)) as url:
        outgoing = Outgoing(
            "PUT",
            "/a b/中%2F",
            {"q": ["1", "2"]},
            {"X-Test": "1", "user-agent": None},
            json={"名": 1},
        )
        reply = await send(f"{url}/base/", outgoing)

    head, _, body = received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /base/a%20b/%E4%B8%AD%2F?q=1&q=2 HTTP/1.1"
    assert set(lines[1:]) == {
        f"host: {url.removeprefix('http://')}",
        "content-type: application/json",
        "content-length: 10",
        "x-test: 1",
    }
    assert body == '{"名": 1}'.encode()
    assert (reply["status"], reply["body"]) == (200, {"ok": True})


async def test_a_body_can_be_chunked_and_need_not_be_text() -> None:
    received: list[bytes] = []
    data = bytes(range(256)) * 100
    async with server(responding(OK, until=b"\r\n0\r\n\r\n", received=received)) as url:
        await send(url, Outgoing("POST", "/", data=base64.b64encode(data).decode(), chunked=True))

    head, _, body = received[0].partition(b"\r\n\r\n")
    assert b"content-length" not in head
    assert b"transfer-encoding: chunked" in head
    first, second = data[:16384], data[16384:]
    assert body == b"4000\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (first, len(second), second)


async def test_raw_bytes_replace_everything() -> None:
    received: list[bytes] = []
    async with server(responding(OK, until=b"END", received=received)) as url:
        await send(url, Outgoing(raw="GET  / banana\r\nEND"))
    assert received == [b"GET  / banana\r\nEND"]


@pytest.mark.parametrize("stays", [True, False])
async def test_whether_the_engine_closes_the_connection_is_seen(stays: bool) -> None:
    handler = responding(OK, until=b"\r\n\r\n", received=[], stays=stays)
    async with server(handler) as url:
        reply = await send(url, Outgoing(closes=not stays))
    assert reply["closed"] is not stays


async def test_a_response_before_the_end_of_the_body_is_read() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await (
            reader.read()
        )  # the body is taken from the network, as an engine does before it closes
        writer.close()

    async with server(refuse) as url:
        reply = await send(url, Outgoing("POST", "/", text="x" * 5_000_000))
    assert reply["status"] == 413


async def test_exchanges_are_recorded_also_without_a_response() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    journal = Journal()
    async with server(close) as url:
        with pytest.raises(NoReply, match="closed the connection before the end"):
            await send(url, Outgoing(path="/health"), journal)
    (exchange,) = journal.exchanges
    assert (exchange.request.path, exchange.response) == ("/health", None)
    assert exchange.problem is not None


@pytest.mark.parametrize(
    ("outgoing", "body"),
    [
        (Outgoing(), None),
        (Outgoing(json=0), b"0"),
        (Outgoing(json={"值": 1}), '{"值": 1}'.encode()),
        (Outgoing(text="", json=1), b""),
        (Outgoing(data="/wA=", text="a", json=1), b"\xff\x00"),
    ],
)
def test_what_is_nearest_to_bytes_is_the_body(outgoing: Outgoing, body: bytes | None) -> None:
    assert outgoing.body() == body


@pytest.mark.parametrize(
    ("closed", "more"), [(None, {}), (False, {"closed": False}), (True, {"closed": True})]
)
def test_a_reply_has_its_seconds_and_closed_only_where_it_was_asked(
    closed: bool | None, more: dict[str, bool]
) -> None:
    reply = Reply(Response(204), 0.123456, closed)
    assert reply.value() == {"status": 204, "headers": {}, "body": None, "seconds": 0.1235, **more}


@pytest.mark.parametrize("method", ["GET", "BREW"])
async def test_interim_responses_are_passed_over(method: str) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
    async with server(responding(interim + OK, until=b"\r\n\r\n", received=[])) as url:
        reply = await send(url, Outgoing(method))
    assert (reply["status"], reply["body"]) == (200, {"ok": True})
    assert "closed" not in reply


async def test_a_response_to_head_has_no_body() -> None:
    head = OK.removesuffix(BODY)
    async with server(responding(head, until=b"\r\n\r\n", received=[], stays=True)) as url:
        reply = await send(url, Outgoing("HEAD"))
    assert (reply["status"], reply["body"]) == (200, None)


async def test_bytes_after_the_response_mean_that_the_connection_is_open() -> None:
    async with server(responding(OK + b"x", until=b"\r\n\r\n", received=[], stays=True)) as url:
        reply = await send(url, Outgoing(closes=True))
    assert reply["closed"] is False


async def test_an_engine_that_is_not_there_gives_no_reply_and_the_reason() -> None:
    journal = Journal()
    with pytest.raises(NoReply, match="the engine did not respond: ConnectionRefusedError: "):
        await send("http://127.0.0.1:1", Outgoing(text="body"), journal)
    (exchange,) = journal.exchanges
    assert exchange.problem is not None
    assert exchange.request.body == b"body"
    assert exchange.finished is not None


async def test_what_must_not_be_sent_is_not() -> None:
    received: list[bytes] = []
    journal = Journal()
    async with server(responding(OK, until=b"\r\n\r\n", received=received)) as url:
        client = EngineClient(url, journal, {}, lambda request: f"{request.path} is forbidden")
        with pytest.raises(NoReply, match="/x is forbidden"):
            await client.send(Outgoing(path="/x"))
    assert received == []
    assert journal.exchanges[0].refusal == "/x is forbidden"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://a.example", 80),
        ("https://a.example", 443),
        ("http://a.example:8080/base", 8080),
        ("https://a.example:80", 80),
    ],
)
def test_an_url_without_a_port_has_that_of_its_scheme(url: str, port: int) -> None:
    assert EngineClient(url, Journal(), {})._port == port
    assert Proxy(url, Journal(), FaultInjector())._port == port
