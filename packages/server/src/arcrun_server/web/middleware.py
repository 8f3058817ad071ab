"""The outermost layer: request ids, CORS, the access log, and the response to an unhandled error."""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from arcrun_server.accounts.keys import HEADER, bearer_key
from arcrun_server.errors import ApiError, too_many
from arcrun_server.slots import NoSlotError, Slots
from arcrun_server.telemetry import context
from arcrun_server.telemetry.telemetry import Telemetry
from arcrun_server.web.local import is_local_host, is_local_origin
from arcrun_server.web.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from arcrun_server.telemetry.tracing import Span

access_log = logging.getLogger("arcrun_server.access")
error_log = logging.getLogger("arcrun_server.error")

# The status in the access log when the client left before its request was read.
CLIENT_CLOSED = 499
_KEY = HEADER.lower().encode()
# A response to an account is for it alone: no cache may keep it.
_NO_STORE = (b"cache-control", b"no-store")
# So is what these say: to a person who has logged in, or who is about to.
_OF_PEOPLE = ("/me", "/register", "/auth/")
# What says how the engine is must be there when it is busy.
_UNCOUNTED = frozenset({"/", "/health", "/docs", "/openapi.json"})
_CLOSE = (b"connection", b"close")
# After these, nothing more is read: who has no key, or sends too much, goes on at the cost of others.
_AT_THE_END = frozenset({401, 413})
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_EXPOSED = b"X-Request-Id, Retry-After, Allow"
_ALLOWED_HEADERS = (
    b"Content-Type, Authorization, X-Arcrun-API-Key, Idempotency-Key, Last-Event-ID, X-Request-Id"
)
_ALLOWED_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_CORS_SECONDS = b"600"


class ServerMiddleware:
    """ASGI middleware around everything else.

    The response carries the client's `X-Request-Id` if that is safe to repeat, else a new one. Its log lines
    hold method, path, status and time; never a header, a query or a body.

    Args:
        app: What it wraps.
        cors_origins: Origins whose pages may call (docs/contract.md#transport).
        requests_per_key: How many requests of one key are served at once; one more gets 429.
        local_pages: Whether pages of this machine may call, whatever their port.
        local_only: Whether requests under another name than this machine's are refused.
        telemetry: Records each request.
    """

    def __init__(
        self,
        app: ASGIApp,
        cors_origins: tuple[str, ...] = (),
        requests_per_key: int = 256,
        *,
        local_pages: bool = False,
        local_only: bool = False,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._app = app
        self._slots = Slots(requests_per_key, "requests")
        self._origins = frozenset(origin.encode() for origin in cors_origins)
        self._local_pages = local_pages
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind; only HTTP is changed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, key, added = self._headers(scope)
        with (
            context.within(context.request_id, request_id.decode()),
            self._telemetry.tracing.request(
                scope["method"], scope["headers"], request_id.decode()
            ) as span,
        ):
            await self._observed(scope, receive, send, key=key, added=added, span=span)

    async def _observed(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        key: bytes,
        added: list[tuple[bytes, bytes]],
        span: Span,
    ) -> None:
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *added]
                if status in _AT_THE_END:
                    message["headers"].append(_CLOSE)
            await send(message)

        try:
            await self._respond(scope, receive, send_marked, key)
        except ClientDisconnect:
            status = CLIENT_CLOSED  # no one is left to respond to
        except Exception as error:
            _log_failure(error)
            if status:
                raise  # too late for a response: let the connection break
            await _internal_error()(scope, receive, send_marked)
        finally:
            self._report(scope, status, time.perf_counter() - started, span)

    def _report(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = getattr(scope.get("route"), "path_format", "")
        self._telemetry.metrics.request_ended(scope["method"], route, status, seconds)
        if route:
            span.rename(f"{scope['method']} {route}")
            span.note("http.route", route)
        span.note("http.response.status_code", status)
        if status >= 500 or not status:
            span.fail(str(status))
        if access_log.isEnabledFor(logging.INFO):
            path = scope.get("raw_path", b"").decode("ascii", "replace")
            milliseconds = round(seconds * 1000, 1)
            access_log.info(
                "%s %s %d %.1f ms %s",
                *(scope["method"], path, status, milliseconds, context.request_id.get()),
                extra={
                    "fields": {
                        "method": scope["method"],
                        "path": path,
                        "route": route or None,
                        "status": status,
                        "duration_ms": milliseconds,
                    }
                },
            )

    async def _respond(self, scope: Scope, receive: Receive, send: Send, key: bytes) -> None:
        if _has_two_lengths(scope):
            await _ambiguous_length()(scope, receive, send)
        elif self._local_only and not _is_local(scope):
            await _misdirected()(scope, receive, send)
        elif scope["method"] == "OPTIONS" and self._is_preflight(scope):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        elif not key or scope["path"] in _UNCOUNTED:
            await self._app(scope, receive, send)
        else:
            try:
                with self._slots.taken(key):
                    await self._app(scope, receive, send)
            except NoSlotError as full:
                await _response_to(too_many(str(full)))(scope, receive, send)

    def _headers(self, scope: Scope) -> tuple[bytes, bytes, list[tuple[bytes, bytes]]]:
        """Return the request's id and key, and the headers to add to its response."""
        request_id = origin = key = bearer = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SAFE_ID.fullmatch(value):
                request_id = value
            elif name == b"origin":
                origin = value
            elif name == _KEY:
                key = value
            elif name == b"authorization":
                bearer = bearer_key(value.decode("latin-1")).encode()
        key = key or bearer
        request_id = request_id or secrets.token_hex(16).encode()
        added = [(b"x-request-id", request_id)]
        if key or scope["path"].startswith(_OF_PEOPLE):
            added.append(_NO_STORE)
        if self._origins or self._local_pages:
            added.append((b"vary", b"Origin"))
        if self._may_call(origin):
            added += _cors_headers(origin, preflight=scope["method"] == "OPTIONS")
        return request_id, key, added

    def _is_preflight(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        return self._may_call(origin) and b"access-control-request-method" in headers

    def _may_call(self, origin: bytes) -> bool:
        return origin in self._origins or (self._local_pages and is_local_origin(origin))


def _is_local(scope: Scope) -> bool:
    # Browsers always send it; a program that leaves it out is no page.
    return all(is_local_host(value) for name, value in scope["headers"] if name == b"host")


def _cors_headers(origin: bytes, *, preflight: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
    ]
    if preflight:
        headers += [
            (b"access-control-allow-methods", _ALLOWED_METHODS),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", _CORS_SECONDS),
        ]
    return headers


def _misdirected() -> JsonResponse:
    return _response_to(
        ApiError(
            421,
            "misdirected_request",
            "this engine runs in development mode and serves this machine only; "
            "call it as 127.0.0.1 or localhost, or set ARCRUN_SERVER_PUBLIC_URL to the URL that you call",
        )
    )


def _has_two_lengths(scope: Scope) -> bool:
    """Tell whether a request says twice how long its body is: a proxy in front may have read it differently."""
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" in names


def _ambiguous_length() -> JsonResponse:
    return _response_to(
        ApiError(
            400,
            "invalid_request",
            "the request has both Content-Length and Transfer-Encoding; send one of them",
            headers={"Connection": "close"},
        )
    )


def _response_to(error: ApiError) -> JsonResponse:
    return JsonResponse(error.body(), status_code=error.status, headers=error.headers)


def _internal_error() -> JsonResponse:
    error = ApiError(
        500,
        "internal_error",
        "something failed inside the engine; its log has more, under the X-Request-Id of this response",
    )
    return JsonResponse(error.body(), status_code=error.status)


def _log_failure(error: Exception) -> None:
    # The frames and the type of the error only: an exception's own text may quote a secret or a body.
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    error_log.error(
        "request %s failed: %s\n%s", context.request_id.get(), type(error).__name__, frames
    )
