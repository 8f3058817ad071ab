"""What becomes of a callback: its run goes on, will when it pauses, or nothing changes (docs/contract.md#runs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.runs.run_ids import began_within
from arcrun_server.store.runs import ENDED, PAUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from arcrun_server.store import Store
    from arcrun_server.store.admission import Segment
    from arcrun_server.store.run_tokens import Callback

# How much longer than a segment may take a callback is kept for a run that stands in no table: the clocks of processes
# differ, and pauses are written late if the database is away.
_NOT_YET_STORED_SECONDS = 600.0


@dataclass(frozen=True)
class Delivered:
    """What became of a callback.

    Attributes:
        run: The run that goes on; None if the callback changed nothing.
        reason: Why it changed nothing.
        early: Whether the run has not paused yet, so that it goes on when it has.
    """

    run: str | None = None
    reason: str | None = None
    early: bool = False


class Delivery:
    """Takes callbacks.

    Args:
        store: Where runs are, and what they wait for.
        start: Starts segments.
        seconds: How long a segment may take.
    """

    def __init__(
        self, store: Store, start: Callable[[Sequence[Segment]], None], seconds: float
    ) -> None:
        self._runs, self._callbacks = store.runs, store.callbacks
        self._start = start
        self._unstored_seconds = seconds + _NOT_YET_STORED_SECONDS

    async def deliver(
        self, callback: Callback, delivery: dict[str, Any], executor: str
    ) -> Delivered:
        """Take what a callback has brought.

        Args:
            callback: What it is for.
            delivery: `success`, `data`, `error`.
            executor: Who executes the run from now on.
        """
        if await self._deliver(callback, delivery, executor):
            return Delivered(callback.run)
        reason = await self._too_late(callback)
        if reason is not None:
            return Delivered(reason=reason)
        # It has not paused yet, or stands in no table yet. It may have paused while this was written.
        if not await self._callbacks.keep(callback, delivery):
            return Delivered(reason="an earlier callback for the same is kept until the run pauses")
        if await self._deliver(callback, delivery, executor):
            await self._callbacks.drop(callback)
            return Delivered(callback.run)
        return Delivered(callback.run, early=True)

    async def _deliver(self, callback: Callback, delivery: dict[str, Any], executor: str) -> bool:
        startable = await self._callbacks.deliver(callback, delivery, executor)
        self._start(startable or [])
        return startable is not None

    async def _too_late(self, callback: Callback) -> str | None:
        """Return why a run will not wait for a callback any more, or None if it may yet."""
        status = await self._runs.status(callback.run)
        if status in ENDED:
            return f"the run does not wait for this: it is {status}"
        if await self._callbacks.is_delivered(callback):
            return "an earlier callback has brought what the run waited for here"
        if status == PAUSED:
            return "the run waits for something else"
        if status is None and not began_within(callback.run, self._unstored_seconds):
            return "the run is kept no longer"
        return None
