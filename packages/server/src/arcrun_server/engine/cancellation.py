"""Waiting with a limit and ending tasks, so that no cancellation is lost.

Before Python 3.12, `asyncio.wait_for` swallows a cancellation if what it waits for ends in the same turn of the loop
(https://github.com/python/cpython/issues/86296): whoever was cancelled goes on.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Iterable

_Result = TypeVar("_Result")

# After this time, a task that has not ended by its cancellation is cancelled again.
_AGAIN_SECONDS = 1.0


async def within(seconds: float | None, work: Awaitable[_Result]) -> _Result:
    """Return what some work returns.

    Args:
        seconds: How long it may take; None for any time.
        work: The work. It is cancelled if it takes longer, and if the caller is cancelled.

    Raises:
        TimeoutError: It takes longer. On Python 3.10, that is `asyncio.TimeoutError`.

    Example:
        >>> asyncio.run(within(5, asyncio.sleep(0, "done")))
        'done'
    """
    if sys.version_info >= (3, 11):
        async with asyncio.timeout(seconds):
            return await work
    return await asyncio.wait_for(work, seconds)


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks in their order, and again those that go on, and return when all have ended; how they ended is ignored.

    Code that is not ours may swallow a cancellation too.

    Example:
        >>> async def example() -> bool:
        ...     task = asyncio.create_task(asyncio.sleep(60))
        ...     await end_tasks([task])
        ...     return task.cancelled()
        >>> asyncio.run(example())
        True
    """
    ending = [*tasks]
    left: Collection[asyncio.Task[Any]] = ending
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*ending, return_exceptions=True)
