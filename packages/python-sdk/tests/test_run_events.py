"""`client.runs.events`: events in whatever pieces they come, each once, also when the connection is lost."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from arcrun import (
    APIConnectionError,
    APITimeoutError,
    InvalidArgumentError,
    NotFoundError,
    UnexpectedResponseError,
)
from arcrun._core.events import EventParser, ServerEvent

RUN = "0123456789abcdef" * 2
PATH = f"/runs/{RUN}/events"
QUEUED = b'id: 0-0\nevent: status\ndata: {"status": "queued"}\n\n'
NODE = 'id: 0-2\nevent: node\ndata: {"node": "讀", "status": "ok"}\n\n'.encode()
ENDED = b'id: 1-0\nevent: status\ndata: {"status": "succeeded"}\n\n'


def queued(**more: Any) -> dict[str, Any]:
    return {"id": "0-0", "type": "status", "status": "queued", **more}


NODE_EVENT = {"id": "0-2", "type": "node", "node": "讀", "status": "ok"}
END_EVENT = {"id": "1-0", "type": "status", "status": "succeeded"}


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcrun._async.runs.backoff", lambda _attempt: 0)
    monkeypatch.setattr("arcrun._sync.runs.backoff", lambda _attempt: 0)


@pytest.fixture
def client(kind, server):
    server.on("GET", "/health", {"ok": True, "capabilities": ["durable_runs"]})
    return kind.client(server.url, max_retries=2)


def stream(canned, *parts: bytes, declared: bool = True):
    """A response that is cut off after these parts, unless they are the declared whole."""

    def act(handler: Any) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n"
        length = sum(map(len, parts)) + (0 if declared else 10)
        handler.wfile.write(f"{head}Content-Length: {length}\r\n\r\n".encode())
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()

    return canned(act=act)


def everything(kind, events: Any) -> list[Any]:
    """Read events to their end."""
    if not hasattr(events, "__aiter__"):
        return list(events)

    async def read() -> list[Any]:
        return [event async for event in events]

    return kind.run(read())


def first(kind, events: Any) -> Any:
    """Read one event, and stop."""
    if not hasattr(events, "__aiter__"):
        found = next(events)
        events.close()
        return found

    async def read() -> Any:
        found = await events.__anext__()
        await events.aclose()
        return found

    return kind.run(read())


def test_events_are_yielded_up_to_the_end_of_the_run(kind, server, client, canned) -> None:
    server.on("GET", PATH, stream(canned, b": hello\n\n", QUEUED + NODE, ENDED + NODE))
    assert everything(kind, client.runs.events(RUN)) == [queued(), NODE_EVENT, END_EVENT]
    (request,) = server.to(PATH)
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["accept-encoding"] == "identity"
    assert "last-event-id" not in request.headers


@pytest.mark.parametrize("declared", [True, False], ids=["closed", "cut off"])
def test_a_stream_that_ends_early_goes_on_after_the_last_event(
    kind, server, client, canned, declared
) -> None:
    server.on(
        "GET",
        PATH,
        stream(canned, QUEUED, NODE, NODE[:20], declared=declared),
        stream(canned, ENDED),
    )
    assert everything(kind, client.runs.events(RUN)) == [queued(), NODE_EVENT, END_EVENT]
    assert [request.headers.get("last-event-id") for request in server.to(PATH)] == [None, "0-2"]


def test_it_begins_after_the_event_that_is_known(kind, server, client, canned) -> None:
    server.on("GET", PATH, stream(canned, ENDED))
    assert everything(kind, client.runs.events(RUN, after="0-2")) == [END_EVENT]
    assert [request.headers["last-event-id"] for request in server.to(PATH)] == ["0-2"]


def test_an_engine_that_never_brings_anything_is_not_asked_for_ever(
    kind, server, client, canned
) -> None:
    server.on("GET", PATH, stream(canned, b": hello\n\n"))
    with pytest.raises(APIConnectionError, match="ended the stream before the run had ended"):
        everything(kind, client.runs.events(RUN))
    assert len(server.to(PATH)) == 3


def test_each_event_gives_the_connection_its_retries_again(kind, server, client, canned) -> None:
    cut = [stream(canned, f"id: 0-{n}\ndata: {{}}\n\n".encode()) for n in range(2, 8)]
    server.on("GET", PATH, *cut, stream(canned, ENDED))
    assert len(everything(kind, client.runs.events(RUN))) == 7


def test_without_retries_a_lost_connection_is_an_error(kind, server, client, canned) -> None:
    server.on("GET", PATH, stream(canned, QUEUED), stream(canned, ENDED))
    with pytest.raises(APIConnectionError):
        everything(kind, client.runs.events(RUN, max_retries=0))
    assert len(server.to(PATH)) == 1


def test_a_status_that_passes_is_tried_again(kind, server, client, canned) -> None:
    busy = canned(503, {"error": "x", "code": "storage_unavailable"}, {"Retry-After": "0"})
    server.on("GET", PATH, busy, stream(canned, ENDED))
    assert everything(kind, client.runs.events(RUN)) == [END_EVENT]


def test_a_run_that_is_not_there_is_an_error(kind, server, client, canned) -> None:
    server.on("GET", PATH, canned(404, {"error": "no run", "code": "run_not_found"}))
    with pytest.raises(NotFoundError, match="no run"):
        everything(kind, client.runs.events(RUN))
    assert len(server.to(PATH)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"},
    ],
)
def test_what_is_no_stream_is_refused(kind, server, client, canned, headers) -> None:
    server.on("GET", PATH, canned(200, b"{}", headers))
    with pytest.raises((UnexpectedResponseError, APIConnectionError)):
        everything(kind, client.runs.events(RUN, max_retries=0))


@pytest.mark.parametrize("event", [b"data: {}\n\n", b"id: 1\ndata: []\n\n", b"id: 1\ndata: x\n\n"])
def test_what_is_no_event_of_a_run_is_refused(kind, server, client, canned, event) -> None:
    server.on("GET", PATH, stream(canned, event))
    with pytest.raises(UnexpectedResponseError, match="an event without an id"):
        everything(kind, client.runs.events(RUN))


def test_an_event_has_a_limit(kind, server, canned) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["durable_runs"]})
    client = kind.client(server.url, max_response_bytes=1000)
    server.on("GET", PATH, stream(canned, b"data: " + b"x" * 2000))
    with pytest.raises(UnexpectedResponseError, match="larger than 1,000 bytes"):
        everything(kind, client.runs.events(RUN))


def test_who_stops_reading_closes_the_connection(kind, server, client, canned) -> None:
    closed = threading.Event()

    def act(handler: Any) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            + QUEUED
        )
        if handler.rfile.read(1) == b"":
            closed.set()

    server.on("GET", PATH, canned(act=act))
    assert first(kind, client.runs.events(RUN)) == queued()
    assert closed.wait(10)


def test_a_stream_on_which_nothing_comes_is_a_time_out(kind, server, client, canned) -> None:
    over = threading.Event()

    def act(handler: Any) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        over.wait(10)

    server.on("GET", PATH, canned(act=act))
    with pytest.raises(APITimeoutError):
        everything(kind, client.runs.events(RUN, timeout=0.2, max_retries=0))
    over.set()


def test_a_redirect_is_not_followed(kind, server, other_server, client, canned) -> None:
    server.on("GET", PATH, canned(307, {}, {"Location": f"{other_server.url}{PATH}"}))
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        everything(kind, client.runs.events(RUN))
    assert other_server.requests == []


@pytest.mark.parametrize("after", ["", "a b", "讀", "a\nb", "x" * 129, 5])
def test_an_id_that_no_header_can_carry_is_refused_at_once(kind, server, client, after) -> None:
    with pytest.raises(InvalidArgumentError, match="after must be the id"):
        client.runs.events(RUN, after=after)
    assert server.requests == []


def test_an_engine_without_runs_is_not_asked(kind, server) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["components"]})
    client = kind.client(server.url)
    with pytest.raises(InvalidArgumentError, match="durable_runs"):
        everything(kind, client.runs.events(RUN))
    assert server.to(PATH) == []


def test_a_task_that_is_cancelled_ends_at_once(kind, server, client, canned) -> None:
    if kind.name == "sync":
        pytest.skip("only a task can be cancelled")
    over = threading.Event()

    def act(handler: Any) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            + QUEUED
        )
        over.wait(10)

    server.on("GET", PATH, canned(act=act))

    async def read() -> list[Any]:
        came: list[Any] = []
        arrived = asyncio.Event()

        async def follow() -> None:
            async for event in client.runs.events(RUN):
                came.append(event)
                arrived.set()

        task = asyncio.create_task(follow())
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return came

    assert kind.run(read()) == [queued()]
    over.set()


# --- the parser ------------------------------------------------------------------------------------

LINES = [
    "\ufeffid: 1",
    "event: status",
    "data: {",
    'data:  "讀": 1}',
    "",
    ": a comment",
    "",
    "data",
    "retry: 5",
    "unknown: x",
    "",
    "event: only a type",
    "",
    "id: 2",
    "data:no space",
    "",
]
PARSED = [
    ServerEvent("1", "status", '{\n "讀": 1}'),
    ServerEvent("1", "message", ""),
    ServerEvent("2", "message", "no space"),
]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
def test_events_are_the_same_in_whatever_two_pieces_they_come(end: str) -> None:
    content = (end.join(LINES) + end).encode()
    for split in range(len(content) + 1):
        parser = EventParser(1000)
        assert parser.feed(content[:split]) + parser.feed(content[split:]) == PARSED, split


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
def test_events_are_the_same_byte_by_byte(end: str) -> None:
    content = (end.join(LINES) + end).encode()
    parser = EventParser(1000)
    assert [event for byte in content for event in parser.feed(bytes([byte]))] == PARSED


def test_an_id_with_nul_is_ignored_and_bytes_that_are_no_text_are_replaced() -> None:
    content = b"id: 1\nid: a\0b\ndata: \xff\n\n"
    assert EventParser(1000).feed(content) == [ServerEvent("1", "message", "\ufffd")]


def test_an_event_that_has_not_ended_is_none() -> None:
    assert EventParser(1000).feed(b"id: 1\ndata: x\n") == []


def test_the_limit_is_that_of_one_event() -> None:
    parser = EventParser(20)
    for _ in range(10):
        assert len(parser.feed(b"data: 0123456\n\n")) == 1
    with pytest.raises(UnexpectedResponseError):
        parser.feed(b"data: 01234567\ndata: 012345")
