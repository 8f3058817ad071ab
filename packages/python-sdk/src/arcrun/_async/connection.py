"""Calls of the engine's API: one attempt, repetition, the answer read."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from arcrun._concurrency import async_sleep
from arcrun._core import operations
from arcrun._core.config import Settings
from arcrun._core.errors import (
    APIConnectionError,
    ArcrunError,
    ConfigurationError,
    InsecureTransportError,
)
from arcrun._core.memory import Memory
from arcrun._core.origins import is_loopback
from arcrun._core.request import Answer, Call
from arcrun._core.response import read_answer
from arcrun._core.retry import check_retries, check_timeout, next_delay
from arcrun._core.secret import Secret, blank_out
from arcrun._core.shapes import texts
from arcrun._http import connection_error, httpx, limits
from arcrun._local import SecretStore

T = TypeVar("T")

KEY_HEADER = "X-Arcrun-API-Key"
logger = logging.getLogger("arcrun")
answers: ContextVar[list[tuple[Answer, int]] | None] = ContextVar("answers", default=None)


class AsyncConnection:
    """One engine, one key, and how calls are made."""

    def __init__(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        *,
        headers: Mapping[str, str],
        timeout: float,
        max_retries: int,
        allow_insecure_http: bool,
        store: SecretStore | None,
    ) -> None:
        self.settings = settings
        self.http = http
        self.headers = headers
        self.timeout = timeout
        self.max_retries = max_retries
        self.store = store
        self.memory = Memory()
        origin = settings.origin
        self._is_secure = origin.startswith("https:") or allow_insecure_http or is_loopback(origin)

    def with_options(self, timeout: float | None, max_retries: int | None) -> AsyncConnection:
        """Return a copy with other options, which shares everything else."""
        other = object.__new__(AsyncConnection)
        other.__dict__.update(self.__dict__)
        if timeout is not None:
            other.timeout = check_timeout(timeout)
        if max_retries is not None:
            other.max_retries = check_retries(max_retries)
        return other

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client is not pickled: make one in the process that needs it")

    def key(self) -> Secret:
        """Return the API key.

        Raises:
            ConfigurationError: there is none.
            InsecureTransportError: it would go over plain http to another machine.
        """
        key = self.settings.api_key
        if key is None:
            raise ConfigurationError(
                "this call needs an API key: pass Arcrun(api_key=…), set ARCRUN_API_KEY, or write "
                "`api_key: ak_…` to ~/.arcrun/config.yaml; keys come from https://arcrun.dev"
            )
        if not self._is_secure:
            raise InsecureTransportError(
                f"{self.settings.base_url} is plain http: whoever listens gets your API key, which "
                "opens every credential. Use https, or pass allow_insecure_http=True"
            )
        return key

    async def call(self, call: Call[T], timeout: float | None = None) -> T:
        """Make a call, repeat it where that is safe, and return what its answer says.

        Args:
            call: what to ask.
            timeout: seconds for each attempt; None for the client's own.
        """
        if call.key == "needed":
            self.key()
        limit = self.timeout if timeout is None else check_timeout(timeout)
        attempt = 0
        while True:
            outcome = await self._attempt(call, limit)
            delay = next_delay(call, outcome, attempt=attempt, max_retries=self.max_retries)
            if delay is None:
                break
            logger.debug("%s %s: again in %.3f s", call.method, call.path, delay)
            await async_sleep(delay)
            attempt += 1
        if isinstance(outcome, APIConnectionError):
            raise outcome
        seen = answers.get()
        if seen is not None:
            seen.append((outcome, attempt + 1))
        return read_answer(call, outcome, attempt=attempt)

    async def has(self, capability: str, timeout: float | None = None) -> bool:
        """Tell whether the engine says that it can do something. It is asked once."""
        if self.memory.capabilities is None:
            try:
                health = await self.with_options(None, 0).call(operations.health(), timeout)
            except ArcrunError:
                return False  # not remembered: the next call asks again
            self.memory.capabilities = frozenset(texts(health.get("capabilities")))
        return capability in self.memory.capabilities

    async def _attempt(self, call: Call[Any], timeout: float) -> Answer | APIConnectionError:
        started = time.monotonic()
        url = self.settings.base_url + call.path
        headers = dict(self.headers)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        request = self.http.build_request(
            call.method, url, content=call.content(), headers=headers, timeout=limits(timeout)
        )
        key = self.settings.api_key
        if key and (call.key == "needed" or (call.key == "welcome" and self._is_secure)):
            request.headers[KEY_HEADER] = key.reveal()
        outcome: Answer | APIConnectionError
        try:
            response = await self.http.send(request, stream=True, follow_redirects=False)
            try:
                content = await _read(response, started + timeout)
            finally:
                await response.aclose()
            if response.status_code >= 400:
                content = self._blanked(call, content)
            outcome = Answer(response.status_code, response.headers, content)
        except httpx.RequestError as error:
            outcome = connection_error(call.method, url, error)
        finally:
            if KEY_HEADER in request.headers:  # exceptions and frames keep the request
                del request.headers[KEY_HEADER]
        if logger.isEnabledFor(logging.DEBUG):
            result = outcome.status if isinstance(outcome, Answer) else type(outcome).__name__
            spent = (time.monotonic() - started) * 1000
            logger.debug("%s %s: %s in %.1f ms", call.method, call.path, result, spent)
        return outcome

    def _blanked(self, call: Call[Any], content: bytes) -> bytes:
        """Blank out what an error's text repeats of the call's secrets and of the key."""
        key = self.settings.api_key
        secrets = (*call.secrets, key) if key else call.secrets
        return blank_out(content.decode("utf-8", "replace"), secrets).encode()


async def _read(response: httpx.Response, deadline: float) -> bytes:
    """Read the body; an answer that only trickles in is cut off at the deadline."""
    chunks: list[bytes] = []
    async for chunk in response.aiter_bytes():
        chunks.append(chunk)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the body trickled in")
    return b"".join(chunks)
