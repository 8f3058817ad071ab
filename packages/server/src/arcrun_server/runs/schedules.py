"""Schedules: runs that the engine accepts by itself (docs/contract.md#schedules).

A tick is accepted as a run whose id comes from the workflow and the tick's time, and then the time of the next tick is
noted. So a process that dies in between leaves a tick that is looked at again, and is found to be accepted; and of
several processes on one database, each accepts the same run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from arcrun_server import clock
from arcrun_server.engine import RunResult
from arcrun_server.engine.cancellation import end_tasks, within
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.runs.service import WorkflowNotFoundError
from arcrun_server.store.admission import WorkflowFullError

if TYPE_CHECKING:
    from datetime import datetime

    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.runs.service import RunService
    from arcrun_server.store import Store
    from arcrun_server.store.schedules import Tick

TRIGGER = "schedule"

# How often the database is asked for ticks that another process has brought forward.
LOOK_SECONDS = 5.0
# How often the clock is read, which may be set.
CLOCK_SECONDS = 1.0
# How many ticks are accepted at once.
_AT_ONCE = 50
# When a schedule is looked at again whose next time can't be found.
_POSTPONED = timedelta(hours=1)

_log = logging.getLogger("arcrun_server.runs")


class Scheduler:
    """Accepts a run for each tick, while this process executes runs.

    Args:
        store: Where schedules are.
        runs: Finds the workflows.
        accepted: Accepts and executes the runs.
    """

    def __init__(self, store: Store, runs: RunService, accepted: AcceptedRuns) -> None:
        self._store = store
        self._runs = runs
        self._accepted = accepted
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for ticks."""
        self._task = asyncio.create_task(self._keep())

    async def aclose(self) -> None:
        """Stop."""
        if self._task is not None:
            await end_tasks([self._task])

    async def _keep(self) -> None:
        while True:
            next_ms, seconds = None, CLOCK_SECONDS
            if self._accepted.executes:
                try:
                    next_ms, seconds = await self.run_due(), LOOK_SECONDS
                except StorageUnavailableError as error:
                    _log.warning("schedules wait for the database: %s", error.reason)
                except Exception as error:  # noqa: BLE001 - whatever it was, the next tick must come
                    _log.warning("schedules can't go on now: %s", type(error).__name__)
            await self._wait(next_ms, seconds)

    async def run_due(self) -> int | None:
        """Accept what is due, and return when something is due next."""
        self._store.schedules.changed.clear()
        while due := await self._store.schedules.due(clock.milliseconds(clock.utc()), _AT_ONCE):
            ended = await asyncio.gather(*map(self._run, due), return_exceptions=True)
            for error in ended:
                if error is not None:
                    raise error
            if not self._accepted.executes:
                return None
        return await self._store.schedules.earliest_ms()

    async def _wait(self, next_ms: int | None, seconds: float) -> None:
        """Wait for a time, a change of a schedule, or until it is time to look again.

        The clock may be set at any time, so it is read each `CLOCK_SECONDS`.
        """
        changed = self._store.schedules.changed
        look_at = time.monotonic() + seconds
        while (left := look_at - time.monotonic()) > 0:
            if next_ms is not None:
                left = min(left, next_ms / 1000 - clock.now())
            if left <= 0:
                return
            try:
                await within(min(left, CLOCK_SECONDS), changed.wait())
            except (asyncio.TimeoutError, TimeoutError):
                continue
            return

    async def _run(self, tick: Tick) -> None:
        """Accept the run of a tick, and note when the next one is.

        However many ticks have been missed, this is the run for all of them.
        """
        now = clock.utc()
        try:
            if await self._store.accounts.has_key(tick.account):
                await self._accept(tick)
            else:
                _log.warning("a schedule did not run: its account has no valid key")
        except WorkflowNotFoundError:
            return  # it was deleted meanwhile, and its schedule with it
        except StorageUnavailableError:
            raise  # it is tried again
        except WorkflowFullError as error:
            self._note_failure(tick, now, f"the run was not accepted: {error}")
        except Exception as error:  # noqa: BLE001 - one that can't be accepted must not hold up the others
            self._note_failure(tick, now, f"the run can't be accepted: {type(error).__name__}")
        try:
            following = _following(tick, now)
        except ValueError as error:
            self._note_failure(tick, now, f"the schedule can't go on: {error}")
            following = now + _POSTPONED
        await self._store.schedules.advance(tick, clock.milliseconds(following))

    async def _accept(self, tick: Tick) -> None:
        key = f"schedule {tick.workflow} {tick.time_ms}"
        scheduled_at = clock.from_milliseconds(tick.time_ms).astimezone(tick.schedule.zone())
        await self._runs.accept_workflow(
            self._accepted,
            tick.account,
            tick.workflow,
            {"scheduled_at": scheduled_at.isoformat(), "timezone": tick.schedule.timezone},
            run_id=self._store.run_tokens.run_under(tick.account, key),
            strict=False,
            trigger=TRIGGER,
        )

    def _note_failure(self, tick: Tick, moment: datetime, reason: str) -> None:
        """Note among the workflow's executions that a run which was due did not begin."""
        _log.warning("a schedule did not run: %s", reason)
        result = RunResult(success=False, error=reason)
        self._store.executions.record(
            tick.account, tick.workflow, clock.milliseconds(moment), result
        )


def _following(tick: Tick, now: datetime) -> datetime:
    """Return the time of the tick after this one, which is still to come: what was missed until now is run with it."""
    return tick.schedule.next_time(max(now, clock.from_milliseconds(tick.time_ms)))
