"""The HTTP client of components and recipes: guarded, with time-outs and limits."""

from __future__ import annotations

import asyncio
import codecs
import json
import math
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from arcrun_server._version import __version__
from arcrun_server.engine import ComponentError
from arcrun_server.engine.cancellation import within
from arcrun_server.engine.policy import TIMEOUT
from arcrun_server.engine.shorten import redacted, shorten
from arcrun_server.engine.sizes import rough_size
from arcrun_server.slots import Queues
from arcrun_server.telemetry.telemetry import Telemetry

from .content import as_base64, decompressed, is_json_type, is_text, media_type
from .errors import Unreachable
from .guard import GuardedBackend, check_url, system_resolver
from .observed import observed
from .retry_after import retry_after
from .streams import OpenResponse, named_failures, shown_host

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from .guard import Resolver

MAX_CONNECTIONS = 200
_USER_AGENT = f"arcrun-engine/{__version__}"
DEFAULT_CALLS_PER_KEY = 20
MAX_REDIRECTS = 5
MAX_REQUEST_BYTES = 8 * 1024 * 1024
ERROR_LENGTH = 200
_DECODED_AT_ONCE = 64 * 1024
# The account on whose behalf a request is sent; none for the tests of components alone.
_caller: ContextVar[str] = ContextVar("caller", default="")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
# The character sets of the web, by Python's names. Python has more, some of which take time that grows
# with the square of the text (punycode, idna), or are no character sets (unicode_escape).
_CHARSETS = frozenset(
    {
        *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
        *(f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)),
        *(f"cp{page}" for page in (437, 850, 852, 866, 874, 932, 949, 950)),
        *(f"cp{page}" for page in range(1250, 1259)),
        *("big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz"),
        *("euc_jp", "euc_jis_2004", "euc_kr", "iso2022_jp", "shift_jis", "shift_jis_2004"),
        *("koi8-r", "koi8-u", "mac-roman", "tis-620"),
    }
)
_OURS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "accept-encoding",
        "expect",
        "upgrade",
    }
)


@dataclass(frozen=True)
class Response:
    """A response.

    Attributes:
        status: The HTTP status.
        text: The body as text; in Base64 if it is none.
        content_type: Its media type, without parameters.
        is_base64: Whether the body is no text.
        headers: Its headers, names in lower case; of a repeated one the values are joined by commas.
    """

    status: int
    text: str
    content_type: str = ""
    is_base64: bool = False
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Return whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self, *, of_any_type: bool = False) -> tuple[bool, Any]:
        """Return whether the body is JSON, and its value.

        Args:
            of_any_type: Read it whatever its content type says. Otherwise text stays text: `1.10`
                is a version to one and a number to another.
        """
        if self.is_base64 or not (of_any_type or is_json_type(self.content_type)):
            return False, None
        try:
            text = self.text.removeprefix("\ufeff")
            value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
            if "\\ud" in text or "\\uD" in text:  # half a surrogate pair can't be written again
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return False, None
        return True, value

    def content(self) -> dict[str, Any]:
        """Return the body as a component shows it: the value of JSON, text, or bytes in Base64."""
        if self.is_base64:
            return {
                "body": self.text,
                "encoding": "base64",
                "content_type": self.content_type,
            }
        is_json, value = self.json()
        return {"body": value if is_json else self.text}

    def failure(self) -> dict[str, Any]:
        """Return the result of a component that received this response (docs/contract.md#execution)."""
        text = "" if self.is_base64 else self.text.strip()
        error = shorten(text, ERROR_LENGTH) or f"HTTP {self.status}"
        failure: dict[str, Any] = {"success": False, "status": self.status, "error": error}
        seconds = retry_after(self.headers)
        return failure if seconds is None else failure | {"retry_after": seconds}


def json_content(value: Any) -> bytes:
    """Write a value as the JSON body of a request.

    Raises:
        ComponentError: It is too large; that is found before it is written.

    Example:
        >>> json_content({"題": "天氣"}).decode()
        '{"題": "天氣"}'
    """
    if rough_size(value, MAX_REQUEST_BYTES) > MAX_REQUEST_BYTES:
        raise ComponentError(f"the request's body is larger than {MAX_REQUEST_BYTES:,} bytes")
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


class Outbound:
    """HTTP for components; refuses addresses that a workflow must not reach.

    Args:
        development: Allow loopback and private addresses (never link-local or metadata ones).
        connect_timeout: Seconds to resolve and connect.
        read_timeout: Seconds to wait for each part of the response.
        total_timeout: Seconds for a request with its redirects.
        max_bytes: Size of a response's body.
        resolver: Turns host names into addresses.
        ssl_context: For TLS; the default trusts the usual authorities.
        calls_per_key: How many requests on behalf of one account are on their way at once; more wait, so
            that a slow service of one account leaves the others their connections.
        telemetry: Records each request.
    """

    def __init__(
        self,
        *,
        development: bool = False,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        total_timeout: float = 60.0,
        max_bytes: int = 2 * 1024 * 1024,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
        calls_per_key: int = DEFAULT_CALLS_PER_KEY,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._turns = Queues(calls_per_key)
        self._development = development
        self._timeouts = {
            "connect": connect_timeout,
            "read": read_timeout,
            "write": read_timeout,
            "pool": None,  # the total time-out counts this wait too; two that end together would race
        }
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        timeout: float | None = None,
        follows: bool = True,
    ) -> Response:
        """Send a request and follow its redirects.

        Args:
            method: The HTTP method in capitals.
            url: Where to.
            headers: Headers of the request. Across origins only harmless ones are kept.
            content: The body. It is never sent on to another origin.
            timeout: Seconds for all of it, if it should be less than usual.
            follows: Whether redirects are followed; else the response that redirects is returned.

        Raises:
            ComponentError: The request can't be sent as it is (ForbiddenAddress: not to there).
            Unreachable: No usable response came.
        """
        fields = _checked_headers(headers or {})
        fields.setdefault("user-agent", _USER_AGENT)
        fields["accept-encoding"] = "identity"
        seconds = min(timeout or self._total_timeout, self._total_timeout)
        try:
            async with self._turns.turn(_caller.get()):
                with observed(self._telemetry, method, url) as outgoing:
                    sending = self._follow(method, url, fields, content, follows=follows)
                    response = await within(seconds, sending)
                    outgoing.responded(response.status)
                    return response
        except asyncio.TimeoutError:
            message = f"{shown_host(url)} did not respond within {seconds:g} s"
            raise Unreachable(message, TIMEOUT) from None

    async def open(
        self,
        method: str,
        url: str,
        headers: list[tuple[bytes, bytes]],
        content: bytes,
        *,
        silence: float,
    ) -> OpenResponse:
        """Send a request of one of the engine's libraries; the caller reads the response and closes it.

        Args:
            method: The HTTP method in capitals.
            url: Where to. Redirects are not followed.
            headers: All headers of the request.
            content: The body.
            silence: Seconds to wait for each part of the response.

        Raises:
            ForbiddenAddress: It must not be sent to there.
            Unreachable: No response came.
        """
        check_url(url)
        request = httpcore.Request(
            method,
            url,
            headers=headers,
            content=content,
            extensions={"timeout": {**self._timeouts, "read": silence}},
        )
        async with AsyncExitStack() as cleanup:
            await cleanup.enter_async_context(self._turns.turn(_caller.get()))
            with observed(self._telemetry, method, url) as outgoing, named_failures(url):
                response = await self._connections().handle_async_request(request)
                outgoing.responded(response.status)
            cleanup.push_async_callback(response.aclose)
            return OpenResponse(url, response, cleanup.pop_all())

    @contextmanager
    def on_behalf_of(self, account: str) -> Iterator[None]:
        """Count what is sent within the block as the account's."""
        token = _caller.set(account)
        try:
            yield
        finally:
            _caller.reset(token)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    async def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        *,
        follows: bool,
    ) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            response, location = await self._exchange(method, url, headers, content)
            if location is None or not follows:
                return response
            target = _target(url, location)
            if response.status in {301, 302, 303} and method not in {"GET", "HEAD"}:
                method, content = "GET", None
                headers = {key: value for key, value in headers.items() if key != "content-type"}
            if _origin(target) != _origin(url):
                headers = _harmless(url, target, headers, content)
            url = target
        raise Unreachable(f"{shown_host(url)} redirects more than {MAX_REDIRECTS} times")

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> tuple[Response, str | None]:
        check_url(url)
        try:
            request = httpx.Request(
                method,
                url,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                content=content,
            )
            target = httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            )
        except (httpx.InvalidURL, UnicodeError) as problem:
            raise ComponentError(f"the URL is not valid: {problem}") from None
        message = httpcore.Request(
            request.method.encode(),
            target,
            headers=request.headers.raw,
            content=content,
            extensions={"timeout": self._timeouts},
        )
        with named_failures(url):
            response = await self._connections().handle_async_request(message)
            try:
                return await self._read(response)
            finally:
                await response.aclose()

    async def _read(self, response: httpcore.Response) -> tuple[Response, str | None]:
        headers = httpx.Headers(response.headers)
        location = headers.get("location")
        if response.status in _REDIRECTS and location:
            return Response(response.status, ""), location
        coding = headers.get("content-encoding", "").strip().lower()
        parts = decompressed(response.aiter_stream(), coding, self._max_bytes)
        body = b"".join([part async for part in parts])
        kind = media_type(headers.get("content-type", ""))
        readable = is_text(body, kind) or "charset" in headers.get("content-type", "").lower()
        text = await _text(body, headers) if readable else as_base64(body)
        fields = {name.lower(): value for name, value in headers.items()}
        return Response(response.status, text, kind, not readable, fields), None

    def _connections(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context or httpx.create_ssl_context(),
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=20,
                keepalive_expiry=15.0,
                network_backend=GuardedBackend(
                    development=self._development, resolver=self._resolver
                ),
            )
        return self._pool


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not name or not name.isascii() or any(sign in name for sign in " \t\r\n:\0"):
            raise ComponentError(f"'{shorten(name, 60)}' is not a valid header name")
        if any(sign in value for sign in "\r\n\0"):
            raise ComponentError(f"the header '{name}' holds a line break or a NUL")
        if name.lower() in _OURS:
            raise ComponentError(f"the header '{name}' is set by the engine; leave it out")
        checked[name.lower()] = value
    return checked


def _target(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
    except ValueError:
        raise Unreachable(f"{shown_host(url)} redirects to an invalid address") from None
    check_url(target)
    return target


def _harmless(
    url: str, target: str, headers: dict[str, str], content: bytes | None
) -> dict[str, str]:
    """Keep the headers that may go to another origin; refuse what may not go at all.

    A recipe may put a secret into any header, and a service repeat one in the address that it names.
    """
    if content is not None:
        raise Unreachable(
            f"{shown_host(url)} redirects to another host; the body is not sent there"
        )
    if url.startswith("https:") and not target.startswith("https:"):
        raise Unreachable(f"{shown_host(url)} redirects from https to an insecure address")
    if redacted(target) != target:
        raise Unreachable(
            f"{shown_host(url)} redirects to another host, with a secret in the address"
        )
    kept = {name: value for name, value in headers.items() if name in _KEPT_ACROSS_ORIGINS}
    harmless = {name: value for name, value in kept.items() if redacted(value) == value}
    return {"user-agent": _USER_AGENT, **harmless}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    usual_port = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual_port


async def _text(body: bytes, headers: httpx.Headers) -> str:
    charset = httpx.Response(200, headers=headers).charset_encoding or "utf-8"
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = "utf-8"
    decoder = codecs.getincrementaldecoder(name if name in _CHARSETS else "utf-8")("replace")
    parts = []
    # In parts, with turns for others in between: replacing what is wrong takes long in some of them.
    for start in range(0, len(body), _DECODED_AT_ONCE):
        if start:
            await asyncio.sleep(0)
        parts.append(decoder.decode(body[start : start + _DECODED_AT_ONCE]))
    return "".join([*parts, decoder.decode(b"", final=True)])


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")
