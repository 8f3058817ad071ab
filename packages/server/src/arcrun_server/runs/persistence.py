"""Doing what an accepted run needs for as long as it takes: until the database can be used again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from arcrun_server.engine import InvocationFailure
from arcrun_server.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_Result = TypeVar("_Result")

# How long after a failure it is tried again, in seconds.
_AGAIN_SECONDS = 1.0
_log = logging.getLogger("arcrun_server.runs")


async def persistently(
    work: Callable[[], Awaitable[_Result]],
    what: str,
    errors: tuple[type[Exception], ...] = (StorageUnavailableError,),
) -> _Result:
    """Return what a work returns, and repeat it while it fails because the database can't be used.

    Args:
        work: What is done; it may be done again.
        what: What the log says of it: "a run …".
        errors: After which failures it is repeated.

    Example:
        >>> async def answer() -> int:
        ...     return 42
        >>> asyncio.run(persistently(answer, "the answer is found"))
        42
    """
    while True:
        try:
            return await work()
        except errors as error:
            _log.warning("%s when that is possible again: %s", what, _reason(error))
        await asyncio.sleep(_AGAIN_SECONDS)


def _reason(error: Exception) -> str:
    # Other errors may hold what a request has sent.
    ours = isinstance(error, (StorageUnavailableError, InvocationFailure))
    return str(error) if ours else type(error).__name__
