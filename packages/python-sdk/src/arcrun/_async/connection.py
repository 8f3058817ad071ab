"""The connection to an engine: sends requests, retries them, reads the responses."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from arcrun._concurrency import async_sleep
from arcrun._core import operations
from arcrun._core.config import Settings, check_base_url, check_headers, check_key
from arcrun._core.errors import (
    APIConnectionError,
    ArcrunError,
    InvalidArgumentError,
    UnexpectedResponseError,
)
from arcrun._core.events import is_event_stream
from arcrun._core.memory import Memory
from arcrun._core.operations import Page
from arcrun._core.request import Request
from arcrun._core.response import Response, read_response
from arcrun._core.retry import check_retries, next_delay
from arcrun._core.secret import Secret, blank_out
from arcrun._core.trust import api_key_for, require_api_key
from arcrun._http import (
    attempt,
    check_next_hop,
    check_url,
    httpx,
    limits,
    time_out_each_wait,
    typed_error,
)
from arcrun._local import SecretStore

from .reading import read_body

T = TypeVar("T")

_MOST_PAGES = 100_000
KEY_HEADER = "X-Arcrun-API-Key"
logger = logging.getLogger("arcrun")

# The responses that arrived, each with its number of attempts; `with_raw_response` sets a list.
responses: ContextVar[list[tuple[Response, int]] | None] = ContextVar("responses", default=None)


class AsyncConnection:
    """One engine, one API key, and the options of requests to it."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        *,
        headers: Mapping[str, str],
        timeout: httpx.Timeout,
        max_retries: int,
        max_response_bytes: int,
        allow_insecure_http: bool,
        store: SecretStore | None,
    ) -> None:
        self.settings = settings
        self.http = http
        self.headers = headers
        self.timeout = timeout
        self.max_retries = max_retries
        self.max_response_bytes = max_response_bytes
        self.store = store
        self.allow_insecure_http = allow_insecure_http
        self.memory = Memory()
        # More that a response must be: called with method, path and JSON object, it raises UnexpectedResponseError.
        self.check: Callable[[str, str, Mapping[str, Any]], None] | None = None

    def with_options(
        self, timeout: float | httpx.Timeout | None, max_retries: int | None
    ) -> AsyncConnection:
        """Return a copy with other options, which shares everything else."""
        other = object.__new__(AsyncConnection)
        other.__dict__.update(self.__dict__)
        if timeout is not None:
            other.timeout = limits(timeout)
        if max_retries is not None:
            other.max_retries = check_retries(max_retries)
        return other

    def with_headers(self, headers: Mapping[str, str]) -> AsyncConnection:
        """Return a copy that sends more headers, in place of those that have the same name."""
        other = self.with_options(None, None)
        names = {name.lower() for name in headers}
        kept = {name: text for name, text in self.headers.items() if name.lower() not in names}
        other.headers = {**kept, **headers}
        return other

    def for_call(
        self,
        timeout: float | None,
        max_retries: int | None,
        extra_headers: Mapping[str, str] | None,
    ) -> AsyncConnection:
        """Return the connection with the options of one call; None keeps the client's own.

        Raises:
            InvalidArgumentError: the time-out is not valid.
            ConfigurationError: another option is not valid.
        """
        if timeout is None and max_retries is None and extra_headers is None:
            return self
        other = self.with_options(timeout, max_retries)
        if extra_headers is None:
            return other
        return other.with_headers(check_headers(extra_headers, "extra_headers"))

    def elsewhere(self, key: Secret | None, base_url: str | None) -> AsyncConnection:
        """Return a copy for a key and an engine, which shares connections; memory only if both are the same.

        Raises:
            ConfigurationError: the key or the base URL is not valid.
        """
        here = self.settings
        url = (
            here.base_url if base_url is None else check_base_url(base_url, "the argument base_url")
        )
        check_url(url)
        check_next_hop(self.http, url)
        other = self.with_options(None, None)
        own_key = here.api_key if key is None else check_key(key, "the argument api_key")
        if (own_key, url) == (here.api_key, here.base_url):
            return other
        other.settings = Settings(own_key, url, here.credential_format)
        other.memory = Memory()
        other.store = self.store and self.store.of(other.settings)
        return other

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: make one in the process that needs it")

    def key(self) -> Secret:
        """Return the API key.

        Raises:
            ConfigurationError: there is none.
            InsecureTransportError: it would go over plain http to another machine.
        """
        return require_api_key(self.settings, allow_insecure_http=self.allow_insecure_http)

    async def send(self, request: Request[T]) -> T:
        """Send a request, retry it where that is safe, and return its result.

        Raises:
            APIConnectionError: the engine could not be reached, or did not respond in time.
            APIStatusError: the engine responded with an error.
            UnexpectedResponseError: the response is not what the contract promises.
        """
        outcome, attempt = await self._outcome(request)
        received = responses.get()
        if received is not None:
            received.append((outcome, attempt + 1))
        base_url = self.settings.base_url
        return read_response(request, outcome, attempt=attempt, base_url=base_url, check=self.check)

    async def open_stream(self, request: Request[Any]) -> httpx.Response:
        """Send a request, retry it, and return the response, whose body comes as a stream of events.

        Raises:
            APIConnectionError: the engine could not be reached, or did not respond in time.
            APIStatusError: the engine responded with an error.
            UnexpectedResponseError: the response is no stream of events.
        """
        outcome, attempt = await self._outcome(request)
        if outcome.stream is None:
            read_response(request, outcome, attempt=attempt, base_url=self.settings.base_url)
            raise UnexpectedResponseError(
                f"{request.method} {self.settings.base_url}{request.path}: the response is no stream of "
                "events; is the base URL an arcrun engine?"
            )
        stream: httpx.Response = outcome.stream
        return stream

    async def next_part(self, request: Request[Any], parts: AsyncIterator[bytes]) -> bytes | None:
        """Return what comes next of a stream, or None at its end.

        Raises:
            APIConnectionError: the connection was lost, or nothing came in time.
        """
        try:
            async for part in parts:
                return part
        except BaseException as error:  # noqa: BLE001 - as for every request
            failure = self._failure(request, error)
        else:
            return None
        raise failure

    async def _outcome(self, request: Request[Any]) -> tuple[Response, int]:
        """Send a request, and retry it where that is safe; return the response and how often it was retried."""
        allow_insecure_http = self.allow_insecure_http
        key = api_key_for(request.key, self.settings, allow_insecure_http=allow_insecure_http)
        attempt = 0
        while True:
            outcome = await self._attempt(request, key)
            delay = next_delay(request, outcome, attempt=attempt, max_retries=self.max_retries)
            if delay is None:
                break
            logger.debug("%s %s: retrying in %.3f s", request.method, request.path, delay)
            await async_sleep(delay)
            attempt += 1
        if isinstance(outcome, APIConnectionError):
            raise outcome
        return outcome, attempt

    async def send_all(self, page: Callable[[str | None], Request[Page[T]]]) -> list[T]:
        """Get a whole list, page by page.

        Args:
            page: returns the request of the page that a cursor leads to; None for the first page.

        Raises:
            UnexpectedResponseError: a cursor came again, so that there would be no end.
        """
        found: list[T] = []
        seen: set[str | None] = {None}
        cursor = None
        while True:
            part = await self.send(page(cursor))
            found += part.items
            cursor = part.cursor
            if cursor is None:
                return found
            if cursor in seen or len(seen) > _MOST_PAGES:
                raise UnexpectedResponseError(
                    f"{self.settings.base_url}: the engine's pages of this list have no end"
                )
            seen.add(cursor)

    async def has(self, capability: str) -> bool | None:
        """Tell whether the engine has a capability (docs/contract.md#capabilities). Asks once.

        The result is None if the engine has no list of them, or can't be asked.
        """
        if not self.memory.asked_for_capabilities:
            try:
                health = await self.with_options(None, 0).send(operations.health())
            except ArcrunError:
                return None  # not remembered: the next call asks again
            self.memory.learn_capabilities(health)
        listed = self.memory.capabilities
        return None if listed is None else capability in listed

    async def require(self, capability: str, what: str) -> None:
        """Refuse a call that needs what the engine has not got.

        Args:
            capability: as the engine lists it; an engine without a list is not refused.
            what: what the engine has not got, in words.

        Raises:
            InvalidArgumentError: the engine has not got it.
        """
        if await self.has(capability) is False:
            raise InvalidArgumentError(f"this engine has no {what} (it lists no {capability})")

    async def _attempt(
        self, request: Request[Any], key: Secret | None
    ) -> Response | APIConnectionError:
        """Send a request once, with the API key if there is one to send."""
        started = time.monotonic()
        url = self.settings.base_url + request.path
        try:
            response = await self._exchange(url, request, key)
        except BaseException as error:  # noqa: BLE001 - the frames of each hold the key
            failure = self._failure(request, error)
        else:
            _log(request, started, str(response.status))
            return response
        if isinstance(failure, APIConnectionError):
            _log(request, started, type(failure).__name__)
            return failure
        raise failure

    def _failure(self, request: Request[Any], error: BaseException) -> BaseException:
        """Return the SDK's error for what came of sending a request, without its secrets and the API key."""
        key = self.settings.api_key
        hidden = (*request.secrets, *([key] if key else []))
        where = self.settings.base_url + request.path
        return typed_error(request.method, where, error, lambda text: blank_out(text, hidden))

    async def _exchange(self, url: str, request: Request[Any], key: Secret | None) -> Response:
        """Send a request, and read the response."""
        headers = dict(self.headers)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        options = attempt(self.timeout)
        outgoing = self.http.build_request(
            request.method, url, content=request.content(), headers=headers, extensions=options
        )
        if key is not None:
            outgoing.headers[KEY_HEADER] = key.reveal()
        try:
            # A redirect would take the key along; `read_response` reports it as an error.
            incoming = await self.http.send(outgoing, stream=True, follow_redirects=False)
            if request.streams and is_event_stream(incoming.status_code, incoming.headers):
                time_out_each_wait(options)
                return Response(200, incoming.headers, b"", incoming)
            try:
                content = await read_body(incoming, options["timeout"], self.max_response_bytes)
            finally:
                await incoming.aclose()
        finally:
            if KEY_HEADER in outgoing.headers:  # exceptions keep the request
                del outgoing.headers[KEY_HEADER]
        if incoming.status_code >= 300:
            text = self._blanked(request, content.decode("utf-8", "replace"))
            content = text.encode("utf-8", "replace")
            if request_id := incoming.headers.get("x-request-id"):
                incoming.headers["x-request-id"] = self._blanked(request, request_id)
        return Response(incoming.status_code, incoming.headers, content)

    def _blanked(self, request: Request[Any], text: str) -> str:
        """Blank out the request's secrets and the API key in what an error response says."""
        key = self.settings.api_key
        secrets = (*request.secrets, key) if key else request.secrets
        plain = _plainly(text)
        blanked = blank_out(plain, secrets)
        return blank_out(text, secrets) if blanked == plain else blanked


def _plainly(text: str) -> str:
    """Return JSON without the escapes that it need not have: each may hide a secret's character."""
    if "\\" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _log(request: Request[Any], started: float, result: str) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        spent = (time.monotonic() - started) * 1000
        logger.debug("%s %s: %s in %.1f ms", request.method, request.path, result, spent)
