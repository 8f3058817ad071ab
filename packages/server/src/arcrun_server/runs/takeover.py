"""Taking over the runs of processes that have ended, and giving up one's own when it may have been taken for ended.

For PostgreSQL only: a SQLite file has one process at a time, which finds what the last one has left.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol

from arcrun_server.engine.cancellation import end_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

# How often a process looks whether another one has ended.
LOOK_SECONDS = 1.0
# How often it looks for runs that no process has, while there are some.
SOON_SECONDS = 0.05

_log = logging.getLogger("arcrun_server.runs")


class Locks(Protocol):
    """The locks of processes; see `store/executors.py`. The methods block."""

    @property
    def name(self) -> str:
        """Return the name of this process."""
        ...

    def hold(self) -> None:
        """Take the lock of this process."""
        ...

    def ended(self, named: Collection[str]) -> Sequence[str]:
        """Return processes that have ended, whose locks this one now holds.

        Args:
            named: Names of processes besides those that are known.
        """
        ...

    def release(self, name: str, *, recovered: bool) -> None:
        """Give back the lock of a process that has ended."""
        ...

    def close(self) -> None:
        """Give back the lock of this process."""
        ...


class Takeover:
    """Keeps this process's lock, and takes over what others have left.

    Args:
        make_locks: Returns the locks of a process with a new name.
        lost: What is raised when this process's lock is lost.
        begin: Begins to execute runs under a name.
        stop: Stops executing at once; what was being executed stays for whoever takes it over.
        working: Returns the names under which runs are executed, or were to be, whether those processes live or not.
        recover: Takes over the runs that a process has left.
        take_unowned: Takes some of the runs that no process has; returns whether there may be more of them.
        release_waiting: Starts the runs that wait without need.
    """

    def __init__(
        self,
        make_locks: Callable[[], Locks],
        lost: type[Exception],
        *,
        begin: Callable[[str], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        working: Callable[[], Awaitable[Collection[str]]],
        recover: Callable[[str], Awaitable[None]],
        take_unowned: Callable[[], Awaitable[bool]],
        release_waiting: Callable[[], Awaitable[None]],
    ) -> None:
        self._make_locks = make_locks
        self._lost = lost
        self._begin = begin
        self._stop = stop
        self._working = working
        self._recover = recover
        self._take_unowned = take_unowned
        self._release_waiting = release_waiting
        self._locks: Locks | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to execute runs, and to look for those of others."""
        self._task = asyncio.create_task(self._keep())

    async def aclose(self) -> None:
        """Stop, and leave what was being executed to others."""
        if self._task is not None:
            await end_tasks([self._task])
        await self._stop()
        if self._locks is not None:
            await asyncio.to_thread(self._locks.close)

    async def _keep(self) -> None:
        while True:
            try:
                self._locks = self._make_locks()
                await asyncio.to_thread(self._locks.hold)
                await self._begin(self._locks.name)
                while True:
                    await self._take_over(self._locks)
                    await self._release_waiting()
                    await self._take_for(LOOK_SECONDS)
            except self._lost:
                _log.warning("the database broke the connection that says that this process lives")
            except Exception as error:  # noqa: BLE001 - whatever it was, runs must go on
                _log.warning("durable runs can't go on now: %s", type(error).__name__)
            # Before it comes back under a new name: its runs may be another process's now.
            await self._stop()
            if self._locks is not None:
                await asyncio.to_thread(self._locks.close)
            await asyncio.sleep(LOOK_SECONDS)

    async def _take_for(self, seconds: float) -> None:
        """Take runs that no process has, for a time, in portions: other processes take theirs meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            more = await self._take_unowned()
            await asyncio.sleep(min(SOON_SECONDS, left) if more else left)

    async def _take_over(self, locks: Locks) -> None:
        # Not only those that are listed: under a name that was taken over, a process that has not noticed yet that it lost
        # its lock may still accept runs and take segments. If it ends before it comes back, nobody else knows of them.
        working = await self._working()
        for name in await asyncio.to_thread(locks.ended, working):
            recovered = False
            try:
                await self._recover(name)
                recovered = True
                _log.info("the runs of a process that has ended are taken over")
            finally:
                await asyncio.to_thread(locks.release, name, recovered=recovered)
