"""The calls in progress: each in a thread, which ends when nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

from arcrun._concurrency import check_abandoned
from arcrun.commands.errors import CommandError

MOST = 64  # at the same time; the engine's client opens no more than 100 connections
PATIENCE = 10.0  # seconds that a call waits for others to end


class Calls:
    """Runs functions that block, a limited number at the same time.

    The threads are its own: those that read standard input are never used up.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._limiter = anyio.CapacityLimiter(most)
        self._patience = patience

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function returns.

        If this is cancelled, it waits for the thread to notice, which takes a moment: one that was left behind would
        keep its connection until the engine responds. What the engine has begun goes on there.

        Raises:
            CommandError: as many calls as there can be are in progress, and none ended in time.
        """
        owner = object()
        with anyio.move_on_after(self._patience) as waited:
            await self._limiter.acquire_on_behalf_of(owner)
        if waited.cancelled_caught:
            raise CommandError(
                "too_many_calls",
                f"{self._limiter.borrowed_tokens:g} calls are in progress, and there can't be more: try again when one "
                "has ended; workflow_run with wait: false does not wait for the run",
            )
        try:
            return await anyio.to_thread.run_sync(
                _call, function, arguments, limiter=anyio.CapacityLimiter(1)
            )
        finally:
            self._limiter.release_on_behalf_of(owner)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    check_abandoned.set(anyio.from_thread.check_cancelled)
    return function(*arguments)
