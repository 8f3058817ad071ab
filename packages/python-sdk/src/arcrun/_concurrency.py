"""Waiting and locking, for both clients. `scripts/unasync.py` maps the names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import anyio

T = TypeVar("T")


class AsyncLock:
    """A lock for tasks, on asyncio and on trio."""

    def __init__(self) -> None:
        self._lock: anyio.Lock | None = None

    async def __aenter__(self) -> None:
        """Wait until the lock is free, and take it."""
        if self._lock is None:
            import anyio

            self._lock = anyio.Lock()
        await self._lock.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the lock."""
        if self._lock is not None:
            self._lock.release()


Lock = threading.Lock


async def async_sleep(seconds: float) -> None:
    """Wait for `seconds`."""
    import anyio

    await anyio.sleep(seconds)


def sleep(seconds: float) -> None:
    """Wait for `seconds`."""
    time.sleep(seconds)


async def async_in_thread(work: Callable[[], T]) -> T:
    """Run a function that blocks, in a thread, so that other tasks go on."""
    from anyio.to_thread import run_sync

    return await run_sync(work)


def in_thread(work: Callable[[], T]) -> T:
    """Run a function that blocks, in this thread: a synchronous client may block."""
    return work()
