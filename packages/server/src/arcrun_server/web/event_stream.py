"""Responses that are streams of server-sent events (docs/contract.md#events-of-a-run)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from arcrun_server.engine.cancellation import end_tasks, within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

# How long a client may take to read what fills its buffers.
SEND_SECONDS = 30.0
# After this time a client has to ask again, with its key.
STREAM_SECONDS = 600.0
HEARTBEAT = b": still here\n\n"


class OpenStreams:
    """The streams that are open, so that they can be ended together."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    def add(self, task: asyncio.Task[None]) -> None:
        """Take a stream, or end it at once if all were ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._ended:
            task.cancel()

    def end(self) -> None:
        """End them, and those that are opened from now on."""
        self._ended = True
        for task in self._tasks:
            task.cancel()


class EventStream(Response):
    """A stream of server-sent events. It ends with its events, with its client, with the server, or when its time is over.

    Args:
        events: The events, as bytes.
        streams: Where it is counted among those that are open.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], streams: OpenStreams) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events for as long as somebody reads them."""
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _to_client(send, HEARTBEAT)
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        self._streams.add(sending)
        try:
            await asyncio.wait(
                {sending, leaving},
                timeout=STREAM_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            await end_tasks([sending, leaving])
        if not sending.cancelled():
            sending.result()
        if leaving.done() and not leaving.cancelled():
            raise ClientDisconnect
        await _to_client(send, b"", more=False)

    async def _send(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                await _to_client(send, event)


async def _to_client(send: Send, content: bytes, *, more: bool = True) -> None:
    message = {"type": "http.response.body", "body": content, "more_body": more}
    try:
        await within(SEND_SECONDS, send(message))
    except (asyncio.TimeoutError, TimeoutError):
        raise ClientDisconnect from None


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
