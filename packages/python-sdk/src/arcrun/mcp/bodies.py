"""The bodies of HTTP requests: how long and how large they may be, how many are held, and of which form they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from .messages import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 30.0
MOST_BYTES = 4 * 1024 * 1024
MOST_HELD = 64 * 1024 * 1024


class WholeBodies:
    """Reads the body of a request before it passes the request on.

    Args:
        app: What requests are passed to, with their body in one message.
        seconds: How long a body may take.
        most_bytes: How large it may be.
        most_held: How many bytes are held at once, of bodies that still come and of requests in progress.
    """

    def __init__(
        self,
        app: ASGIApp,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
        most_held: int = MOST_HELD,
    ) -> None:
        self._app = app
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._most_held = most_held
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond 408, 413 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            refused = await self._read(body, _declared_size(scope), receive)
            if refused is not None:
                await refused(scope, receive, send)
            else:
                await self._app(scope, _replay(bytes(body), receive), send)
        finally:
            self._held -= len(body)

    async def _read(self, body: bytearray, declared: int, receive: Receive) -> Response | None:
        """Read a body, and return the response if it is refused."""
        if declared > self._most_bytes:
            return self._too_large()
        with anyio.move_on_after(self._seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return _refused(400, "invalid_request", "the connection ended before the body")
                part: bytes = message.get("body", b"")
                if len(body) + len(part) > self._most_bytes:
                    return self._too_large()
                if self._held + len(part) > self._most_held:
                    return _refused(
                        503,
                        "too_many_requests_held",
                        "too much is held of other requests: try again",
                    )
                body += part
                self._held += len(part)
                if not message.get("more_body", False):
                    return None
        reason = f"the body did not come within {self._seconds:g} seconds: send the request again"
        return _refused(408, "request_timeout", reason)

    def _too_large(self) -> Response:
        return _refused(
            413, "payload_too_large", f"the body is larger than {self._most_bytes} bytes"
        )


def _declared_size(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _refused(status: int, code: str, message: str) -> Response:
    # Closed, since the rest of the body may still come.
    return JSONResponse({"error": message, "code": code}, status, {"Connection": "close"})


class WellFormed:
    """Refuses bodies that are no JSON-RPC message: the SDK's own refusal repeats what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond 400. The body is whole in the first message."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        first = await receive()
        body: bytes = first.get("body", b"")
        refused = refusal(body.decode("utf-8", "surrogateescape"))
        if refused is None:
            await self._app(scope, _replay(body, receive), send)
            return
        shown = refused.model_dump(mode="json", by_alias=True, exclude_unset=True)
        await JSONResponse(shown, 400)(scope, receive, send)
