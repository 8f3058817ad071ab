"""The recording server, byte by byte: what it takes as a request, and what it says of the rest."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.wire import recording
from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Exchange, Journal, Response
from arcrun_conformance.wire.recording import RecordingServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = b"POST /a HTTP/1.1\r\nhost: a\r\n"


class Server(RecordingServer):
    """Responds with nothing, or fails."""

    failure: Exception | None = None

    async def respond(self, exchange: Exchange) -> Response:
        if self.failure is not None:
            raise self.failure
        return Response(204)


@asynccontextmanager
async def connected(journal: Journal, failure: Exception | None = None) -> AsyncIterator[Streams]:
    """Run a server, and open a connection to it."""
    server = Server("engine", journal, FaultInjector())
    server.failure = failure
    async with server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(server.origin.rpartition(":")[2])
        )
        yield reader, writer
        writer.close()


async def test_a_client_that_waits_for_it_is_told_to_continue() -> None:
    journal = Journal()
    async with connected(journal) as (reader, writer):
        writer.write(HEAD + b"content-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"ab")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    assert [exchange.request.body for exchange in journal.exchanges] == [b"ab"]
    assert journal.broken_requests == []


@pytest.mark.parametrize(
    ("length", "bodies", "broken"),
    [(10, [b"x" * 10], []), (11, [], ["a body of more than 10 bytes"])],
)
async def test_a_body_may_have_as_many_bytes_as_the_limit(
    length: int, bodies: list[bytes], broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_BODY", 10)
    journal = Journal()
    async with connected(journal) as (reader, writer):
        writer.write(HEAD + b"content-length: %d\r\nconnection: close\r\n\r\n" % length)
        writer.write(b"x" * length)
        await reader.read()
    assert [exchange.request.body for exchange in journal.exchanges] == bodies
    assert journal.broken_requests == broken


async def test_a_request_that_ends_too_soon_is_broken() -> None:
    journal = Journal()
    async with connected(journal) as (reader, writer):
        writer.write(HEAD + b"content-length: 3\r\n\r\nab")
        writer.write_eof()
        assert await reader.read() == b""
    assert journal.exchanges == []
    assert journal.broken_requests == ["it closed the connection before the end of the message"]


async def test_a_request_that_is_no_http_is_broken_in_the_words_of_the_parser() -> None:
    journal = Journal()
    async with connected(journal) as (reader, writer):
        writer.write(b"banana\r\n\r\n")
        assert await reader.read() == b""
    (broken,) = journal.broken_requests
    assert broken.startswith("illegal request line")


async def test_a_connection_without_a_request_is_no_problem() -> None:
    journal = Journal()
    async with connected(journal) as (reader, writer):
        writer.write_eof()
        assert await reader.read() == b""
    assert (journal.exchanges, journal.broken_requests) == ([], [])


@pytest.mark.parametrize(
    ("failure", "broken"),
    [
        (ValueError("a bug"), ["the recording server failed: ValueError: a bug"]),
        (ConnectionResetError(), []),
    ],
)
async def test_a_failure_of_the_server_is_not_taken_for_one_of_the_sdk(
    failure: Exception, broken: list[str]
) -> None:
    journal = Journal()
    async with connected(journal, failure) as (reader, writer):
        writer.write(HEAD + b"content-length: 0\r\n\r\n")
        assert await reader.read() == b""
    (exchange,) = journal.exchanges
    assert (exchange.response, exchange.finished is None) == (None, False)
    assert journal.broken_requests == broken


async def test_a_connection_carries_requests_until_one_of_the_sides_closes_it() -> None:
    journal = Journal()
    async with connected(journal) as (reader, writer):
        for last in (b"", b"connection: close\r\n"):
            writer.write(HEAD + b"content-length: 0\r\n" + last + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""
    assert len(journal.exchanges) == 2
