"""The schedules of one account, as its workflows and its pushes set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server import clock

if TYPE_CHECKING:
    from arcrun_server.engine.schedule import Schedule
    from arcrun_server.store.schedules import Schedules


class AccountSchedules:
    """The schedules of one account, as its workflows may use them.

    Args:
        schedules: Those of all accounts.
        account: The account.
    """

    def __init__(self, schedules: Schedules, account: str) -> None:
        self._schedules = schedules
        self._account = account

    async def get(self, workflow: str) -> Schedule | None:
        """Return the schedule of a workflow, or None."""
        return await self._schedules.get(self._account, workflow)

    async def set(self, workflow: str, schedule: Schedule) -> bool:
        """Give a workflow a schedule; return False if there is no such workflow."""
        next_ms = first_ms(schedule)
        return await self._schedules.set(self._account, workflow, schedule, next_ms)

    async def remove(self, workflow: str) -> None:
        """Remove the schedule of a workflow, if it has one."""
        await self._schedules.remove(self._account, workflow)


def first_ms(schedule: Schedule) -> int:
    """Return when a new schedule runs first, in milliseconds since 1970.

    Raises:
        ValueError: It never does.
    """
    return clock.milliseconds(schedule.next_time(clock.utc()))
