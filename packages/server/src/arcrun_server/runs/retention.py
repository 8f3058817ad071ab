"""Removing runs that ended long ago, or of which an account has too many, and what they have left besides."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arcrun_server import clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from arcrun_server.store.callbacks import Callbacks
    from arcrun_server.store.ended_runs import EndedRuns
    from arcrun_server.store.recorded_prompts import RecordedPrompts

# How often runs are looked for that can go, in seconds.
_EVERY = 3600.0
# How many are removed in one transaction: others write in between.
_AT_ONCE = 100
_DAY_MS = 24 * 60 * 60 * 1000

_log = logging.getLogger("arcrun_server.runs")


class Retention:
    """Removes runs, and what was recorded of their steps.

    Args:
        runs: Where they are.
        callbacks: Where callbacks are that came too early.
        prompts: Where the prompts are that runs have recorded.
        forget: Removes what was recorded of the steps of runs, given their ids and their last segments.
        days: How many days a run is kept after its end.
        kept: How many ended runs of an account are kept.
    """

    def __init__(
        self,
        runs: EndedRuns,
        callbacks: Callbacks,
        prompts: RecordedPrompts,
        forget: Callable[[Sequence[tuple[str, int]]], Awaitable[None]],
        *,
        days: int,
        kept: int,
    ) -> None:
        self._runs = runs
        self._callbacks = callbacks
        self._prompts = prompts
        self._forget = forget
        self._days = days
        self._kept = kept

    async def keep(self) -> None:
        """Remove what can go, again and again."""
        while True:
            try:
                await self.remove()
            except Exception as error:  # noqa: BLE001 - there is a next time
                _log.warning("old runs can't be removed now: %s", type(error).__name__)
            await asyncio.sleep(_EVERY)

    async def remove(self) -> int:
        """Remove what can go now, and return how many runs that were."""
        count = 0
        before_ms = int(clock.now() * 1000) - self._days * _DAY_MS
        await self._callbacks.remove_before(before_ms)
        await self._prompts.remove_before(before_ms)
        # What was recorded of steps goes first: a process that dies in between comes by here again.
        while old := await self._runs.before(before_ms, _AT_ONCE):
            count += await self._remove(old)
        for account in await self._runs.accounts_with_more_than(self._kept):
            while old := await self._runs.oldest_beyond(account, self._kept, _AT_ONCE):
                count += await self._remove(old)
        return count

    async def _remove(self, old: Sequence[tuple[str, int]]) -> int:
        await self._forget(old)
        await self._runs.remove([run for run, _ in old])
        return len(old)
