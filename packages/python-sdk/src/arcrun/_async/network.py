"""Reads and writes of connections that end with the request's time, not each with one of its own."""

from __future__ import annotations

from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore

from arcrun._concurrency import async_addresses, async_interruptible
from arcrun._core.deadlines import Allowance

_PIECE = 16 * 1024  # bytes that are written at a time: a write of more may consist of several waits


class AsyncTimedStream(httpcore.AsyncNetworkStream):
    """A connection whose waits take no longer than what an `Allowance` leaves."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or wait for it."""
        left = _left(timeout, httpcore.ReadTimeout)
        return await async_interruptible(
            lambda seconds: self._inner.read(max_bytes, seconds), left, httpcore.ReadTimeout
        )

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of a buffer."""
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            await self._inner.write(piece, _left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Encrypt the connection."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return AsyncTimedStream(await self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)


class AsyncTimedBackend(httpcore.AsyncNetworkBackend):
    """Makes connections with these waits."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of a host's addresses. Each gets its share of the time."""
        untried = await async_addresses(host)
        while True:
            address, left = untried.pop(0), _left(timeout, httpcore.ConnectTimeout)
            share = None if left is None else left / (len(untried) + 1)
            try:
                return AsyncTimedStream(
                    await self._inner.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not untried:
                    raise

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a socket of the file system."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return AsyncTimedStream(await self._inner.connect_unix_socket(path, left, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """Return how long the next wait may take.

    Raises:
        httpcore.TimeoutException: there is no time left; `late` says which.
    """
    if not isinstance(timeout, Allowance):
        return timeout
    left = timeout.left()
    if not left:
        raise late("the whole took too long")
    return left
