"""Responses that are read part by part, and what goes wrong on a connection in the words of workflows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpcore

from arcrun_server.engine.policy import CONNECTION, TIMEOUT

from .errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AsyncExitStack

MAX_STREAM_BYTES = 64 * 1024 * 1024
"""How large a response may be that is read part by part."""


@contextmanager
def named_failures(url: str) -> Iterator[None]:
    """Raise what goes wrong on a connection as `Unreachable`, which names the host and nothing else.

    Raises:
        Unreachable: The connection failed within the block.
    """
    try:
        yield
    except httpcore.TimeoutException:
        raise Unreachable(f"{shown_host(url)} did not respond in time", TIMEOUT) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as problem:
        reason = str(problem) or type(problem).__name__
        message = f"{shown_host(url)} can't be reached: {reason}"
        raise Unreachable(message, CONNECTION) from None


def shown_host(url: str) -> str:
    """Name the host for an error: never the path or the query, which may hold secrets.

    Example:
        >>> shown_host("https://api.example/bot-token/send?key=1")
        'api.example'
    """
    return urlsplit(url).hostname or "the server"


class OpenResponse:
    """A response whose body is still to come. Whoever has it closes it.

    Args:
        url: Where the request went, for errors.
        response: The response.
        cleanup: What is to be done at its end.
    """

    def __init__(self, url: str, response: httpcore.Response, cleanup: AsyncExitStack) -> None:
        self._url = url
        self._response = response
        self._cleanup = cleanup

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self._response.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as they came."""
        return list(self._response.headers)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes.

        Raises:
            Unreachable: It broke off, or is too large.
        """
        size = 0
        with named_failures(self._url):
            async for part in self._response.aiter_stream():
                size += len(part)
                if size > MAX_STREAM_BYTES:
                    raise Unreachable(
                        f"{shown_host(self._url)} answers with more than {MAX_STREAM_BYTES:,} bytes"
                    )
                yield part

    async def aclose(self) -> None:
        """End the response, and give its connection back."""
        await self._cleanup.aclose()
