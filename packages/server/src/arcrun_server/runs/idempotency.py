"""Idempotency keys: requests under the same key run once (docs/contract.md#retries-and-idempotency)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from arcrun_server.store.admission import WorkflowFullError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class IdempotencyError(Exception):
    """Why a request under an idempotency key is not run, and has no earlier response either."""


class InvalidKeyError(IdempotencyError):
    """The key is not 1 to 128 visible ASCII characters."""


class KeyReusedError(IdempotencyError):
    """The key was used for another request."""


class InterruptedRunError(IdempotencyError):
    """The first run under the key was cut off, or another process has it; how far it came is not known."""


@dataclass(frozen=True)
class IdempotentResponse:
    """The response to a run, as it is kept and returned again.

    Args:
        status: HTTP status.
        body: Body.
        replayed: Whether this is the response to an earlier request under the same key.
    """

    status: int
    body: bytes
    replayed: bool = False


class EarlierRequest(Protocol):
    """What is known of an earlier request under the same key."""

    @property
    def same_request(self) -> bool:
        """Return whether it asked for the same."""
        ...

    @property
    def status(self) -> int | None:
        """Return the status of its response; None while it runs, or if it was cut off."""
        ...

    @property
    def body(self) -> bytes:
        """Return the body of its response."""
        ...


class KeyStore(Protocol):
    """Where keys and responses are kept."""

    async def claim(self, account: str, key: str, request: bytes) -> EarlierRequest | None:
        """Claim a key for a request; return None if it is new, else what is known of the earlier one."""
        ...

    async def keep(self, account: str, key: str, status: int, body: bytes) -> None:
        """Keep the response to the request for which the key was claimed."""
        ...

    async def release(self, account: str, key: str) -> None:
        """Give up a key under which nothing was run."""
        ...


def check_key(key: str) -> None:
    """Raise `InvalidKeyError` unless a key has the right form."""
    if not _KEY.fullmatch(key):
        raise InvalidKeyError


class IdempotentRuns:
    """Runs each key once; a request that comes while the first one runs waits for it.

    Args:
        keys: Where keys and responses are kept.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        # The keys whose run is going on in this process; the event is set when it has ended. The store
        # alone could not tell a run that is going on from one that was cut off.
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def once(
        self,
        account: str,
        key: str,
        request: bytes,
        run: Callable[[], Awaitable[IdempotentResponse]],
    ) -> IdempotentResponse:
        """Run a request, or return the response to the first run under this key.

        Args:
            account: Whose key it is.
            key: The client's key.
            request: What is asked for; the same bytes mean the same request.
            run: Runs it, and renders its response.

        Raises:
            InvalidKeyError: The key has not the right form.
            KeyReusedError: The key was used for another request.
            InterruptedRunError: The first run was cut off, or is still running in another process.
            WorkflowFullError: The workflow refuses one more run; the key can be used again.
        """
        check_key(key)
        entry = (account, key)
        # In a loop: of several that wait, the one that wakes up first takes the entry again, for as long
        # as it asks the store.
        while (running := self._running.get(entry)) is not None:
            await running.wait()
        # No `await` stands between the loop and this line, so no other request of this process can have
        # taken the entry in between.
        done = self._running[entry] = asyncio.Event()
        try:
            earlier = await self._keys.claim(account, key, request)
            if earlier is not None:
                return first_response(earlier)
            try:
                response = await run()
            except WorkflowFullError:
                await self._keys.release(account, key)
                raise
            await self._keys.keep(account, key, response.status, response.body)
            return response
        finally:
            del self._running[entry]
            done.set()


def first_response(earlier: EarlierRequest) -> IdempotentResponse:
    """Return the response to the first request under a key.

    Raises:
        KeyReusedError: That asked for something else.
        InterruptedRunError: It has no response.
    """
    if not earlier.same_request:
        raise KeyReusedError
    if earlier.status is None:
        raise InterruptedRunError
    return IdempotentResponse(earlier.status, earlier.body, replayed=True)
