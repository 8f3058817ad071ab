"""Waiting and locking, for both clients. `scripts/unasync.py` maps the names."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import anyio

T = TypeVar("T")

# Called now and then by a thread that waits: what it raises ends the wait. A program that abandons calls sets it.
check_abandoned: ContextVar[Callable[[], None] | None] = ContextVar("check_abandoned", default=None)
_CHECKED_EVERY = 0.25  # seconds


def async_scope() -> Hashable:
    """Return what connections and locks belong to: this process, and the event loop that runs."""
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    try:
        loop: Any = asyncio.get_running_loop() if asyncio else None
    except RuntimeError:
        loop = None
    if loop is None and trio is not None:
        loop = trio.lowlevel.current_trio_token()
    return os.getpid(), loop


def scope() -> Hashable:
    """Return what connections and locks belong to: this process."""
    return os.getpid(), None


def is_alive(scope: Any) -> bool:
    """Tell whether a scope can still be used: after a fork or the end of its loop, it can't."""
    process, loop = scope
    is_closed = getattr(loop, "is_closed", None)
    return process == os.getpid() and not (is_closed and is_closed())


class AsyncLock:
    """A lock for the tasks of one event loop, on asyncio and on trio."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, anyio.Lock] = {}

    async def __aenter__(self) -> None:
        """Wait until the lock is free, and take it."""
        here = async_scope()
        if here not in self._locks:
            import anyio

            self._locks = {
                here: anyio.Lock(),
                **{s: x for s, x in self._locks.items() if is_alive(s)},
            }
        await self._locks[here].acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the lock."""
        self._locks[async_scope()].release()


class Lock:
    """A lock for the threads of one process: a child does not get the state of its parent's."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, threading.Lock] = {}

    def __enter__(self) -> None:
        """Wait until the lock is free, and take it."""
        self._locks.setdefault(scope(), threading.Lock()).acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the lock."""
        self._locks[scope()].release()


async def async_sleep(seconds: float) -> None:
    """Wait for `seconds`."""
    import anyio

    await anyio.sleep(seconds)


def sleep(seconds: float) -> None:
    """Wait for `seconds`."""
    check = check_abandoned.get()
    if check is None:
        time.sleep(seconds)
        return
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, _CHECKED_EVERY))


async def async_interruptible(
    wait: Callable[[float | None], Awaitable[T]],
    seconds: float | None,
    late: type[Exception],  # noqa: ARG001 - of the other one
) -> T:
    """Wait for `seconds` at most: a task can be cancelled at any time."""
    return await wait(seconds)


def interruptible(
    wait: Callable[[float | None], T], seconds: float | None, late: type[Exception]
) -> T:
    """Wait for `seconds` at most, or until the call is abandoned.

    Args:
        wait: waits for the seconds given to it, and can be called again if it raised `late`.
        seconds: how long; None if there is no limit.
        late: what it raises after its seconds.
    """
    check = check_abandoned.get()
    if check is None:
        return wait(seconds)
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        check()
        left = _CHECKED_EVERY if end is None else end - time.monotonic()
        try:
            return wait(max(min(left, _CHECKED_EVERY), 0.001))
        except late:
            if left <= _CHECKED_EVERY and end is not None:
                raise


async def async_addresses(host: str) -> list[str]:
    """Return what to connect to: the name, of which anyio tries each address within one time-out."""
    return [host]


def addresses(host: str) -> list[str]:
    """Return what to connect to: a host's addresses, since `socket` gives each a time-out of its own."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [host]  # connecting says what is wrong with it
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def async_in_thread(work: Callable[[], T]) -> T:
    """Run a function that blocks, in a thread, so that other tasks go on."""
    from anyio.to_thread import run_sync

    return await run_sync(work)


def in_thread(work: Callable[[], T]) -> T:
    """Run a function that blocks, in this thread: a synchronous client may block."""
    return work()
