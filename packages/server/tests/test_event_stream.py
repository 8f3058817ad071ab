"""Streams of events as responses: who reads them, for how long, and what is left when nobody does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import ClientDisconnect

from arcrun_server.web import event_stream
from arcrun_server.web.event_stream import HEARTBEAT, EventStream, OpenStreams

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

WAIT = 10.0


class Source:
    """Events that come when they are released, and whether they were closed."""

    def __init__(self, *events: bytes) -> None:
        self.events = events
        self.more = asyncio.Event()
        self.closed = asyncio.Event()

    async def generate(self) -> AsyncGenerator[bytes, None]:
        try:
            for event in self.events:
                yield event
            await self.more.wait()
        finally:
            self.closed.set()


class Client:
    """A client of a stream, as an ASGI server sees it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.came = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        async with self.came:
            self.sent.append(message)
            self.came.notify_all()

    async def until(self, count: int) -> None:
        async with self.came:
            await asyncio.wait_for(self.came.wait_for(lambda: len(self.sent) >= count), WAIT)

    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"].endswith("body")]


def opened(source: Source, client: Client, streams: OpenStreams) -> asyncio.Task[None]:
    stream = EventStream(source.generate(), streams)
    return asyncio.create_task(stream({}, client.receive, client.send))


async def test_a_stream_begins_with_a_comment_and_ends_with_its_events() -> None:
    source, client = Source(b"data: 1\n\n"), Client()
    task = opened(source, client, OpenStreams())
    await client.until(3)
    source.more.set()
    await asyncio.wait_for(task, WAIT)

    assert client.bodies() == [HEARTBEAT, b"data: 1\n\n", b""]
    assert client.sent[-1]["more_body"] is False
    headers = dict(client.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert b"content-length" not in headers


async def test_when_its_client_leaves_its_events_are_closed() -> None:
    source, client = Source(b"data: 1\n\n"), Client()
    task = opened(source, client, OpenStreams())
    await client.until(3)
    client.left.set()

    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(task, WAIT)
    assert source.closed.is_set()


async def test_who_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "SEND_SECONDS", 0.05)
    source, client = Source(*[b"data: 1\n\n"] * 100), Client()
    task = opened(source, client, OpenStreams())
    await client.until(2)
    client.reads.clear()

    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(task, WAIT)
    assert source.closed.is_set()


async def test_after_its_time_a_stream_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "STREAM_SECONDS", 0.05)
    source, client = Source(), Client()
    await asyncio.wait_for(opened(source, client, OpenStreams()), WAIT)

    assert client.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert source.closed.is_set()


async def test_streams_are_ended_together_and_none_begins_later() -> None:
    streams, clients = OpenStreams(), [Client(), Client(), Client()]
    sources = [Source(), Source(), Source()]
    tasks = [
        opened(source, client, streams)
        for source, client in zip(sources[:2], clients[:2], strict=True)
    ]
    for client in clients[:2]:
        await client.until(2)
    streams.end()
    tasks.append(opened(sources[2], clients[2], streams))
    await asyncio.wait_for(asyncio.gather(*tasks), WAIT)

    for client in clients:
        assert client.sent[0]["type"] == "http.response.start"
        assert client.sent[-1]["more_body"] is False


async def test_a_failure_of_the_events_is_one_of_the_response() -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"
        raise LookupError

    client = Client()
    stream = EventStream(failing(), OpenStreams())
    with pytest.raises(LookupError):
        await asyncio.wait_for(stream({}, client.receive, client.send), WAIT)
