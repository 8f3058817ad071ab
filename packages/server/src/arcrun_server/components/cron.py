"""Reads a cron expression and the times that it means; reads and sets the schedules of workflows."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from arcrun_server.engine import ComponentError
from arcrun_server.engine.cron_expression import LONGEST, CronError, parse_cron
from arcrun_server.engine.schedule import Schedule
from arcrun_server.engine.time_zones import UTC

from .contract import data_schema, describe, given_value, one_of, optional, require
from .date_ops import read_moment, zone_of

if TYPE_CHECKING:
    from datetime import datetime

    from arcrun_server.engine import Component, Invocation, JsonObject

    from .contract import ComponentContract

MOST_TIMES = 50
NEXT, GET, SET, REMOVE = "next", "get", "set", "remove"
ACTIONS = (NEXT, GET, SET, REMOVE)

CONTRACT: ComponentContract = {
    "canonical_id": "cron",
    "display_name": "排程時間 Cron",
    "category": "logic",
    "version": "1.1.0",
    "description": (
        "Checks a cron expression and tells the next times that it means in a time zone; reads, sets and removes the "
        "schedule of a workflow."
    ),
    "input_schema": {
        "type": "object",
        "properties": {
            "action": {
                "enum": [*ACTIONS],
                "default": NEXT,
                "description": (
                    "`next` tells the times of `expr`; the others read, set or remove the schedule of `workflow`."
                ),
            },
            "workflow": {
                "type": "string",
                "description": "The workflow whose schedule it is; by default the one that runs.",
            },
            "expr": {
                "type": "string",
                "maxLength": LONGEST,
                "description": (
                    "Minute, hour, day of the month, month, day of the week; or `@daily` and the like. "
                    "Required by `next` and `set`."
                ),
            },
            "timezone": {"type": "string", "default": UTC},
            "after": {
                "type": ["string", "number"],
                "description": "The moment to begin after; by default that of the run.",
            },
            "count": {"type": "integer", "minimum": 1, "maximum": MOST_TIMES, "default": 5},
        },
    },
    "output_schema": data_schema(
        {"type": ["string", "null"], "description": "The next time; null without a schedule."},
        expr={"type": ["string", "null"]},
        timezone={"type": ["string", "null"]},
        times={"type": "array", "items": {"type": "string"}},
    ),
    "config_example": {"expr": "30 8 * * MON-FRI", "timezone": "Asia/Taipei"},
}


class WorkflowSchedules(Protocol):
    """The schedules of one account's workflows."""

    async def get(self, workflow: str) -> Schedule | None:
        """Return the schedule of a workflow, or None."""
        ...

    async def set(self, workflow: str, schedule: Schedule) -> bool:
        """Give a workflow a schedule; return False if there is no such workflow."""
        ...

    async def remove(self, workflow: str) -> None:
        """Remove the schedule of a workflow, if it has one."""
        ...


def component(schedules: WorkflowSchedules | None) -> Component:
    """Return the component.

    Args:
        schedules: The schedules that it works on; None on an engine that has none.
    """

    async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
        # What changes something is read in the node's own data, where no input can set it.
        own = invocation.own
        action = one_of(own.get("action", NEXT), ACTIONS, "action")
        if action == NEXT:
            return _times(given, invocation, given)
        if schedules is None:
            raise ComponentError(
                "this engine does not keep runs, so it has no schedules: it has no capability schedules"
            )
        workflow = _workflow(own, invocation)
        if action == REMOVE:
            await schedules.remove(workflow)
            return _without_schedule()
        if action == SET:
            times = _times(own, invocation, own)
            schedule = Schedule(own["expr"], optional(own, "timezone", str, UTC))
            if not await schedules.set(workflow, schedule):
                raise ComponentError(
                    f"there is no workflow {describe(workflow)} in this account; push it first"
                )
            return times
        found = await schedules.get(workflow)
        return _without_schedule() if found is None else _times(found.as_json(), invocation, own)

    return run


def _workflow(own: JsonObject, invocation: Invocation) -> str:
    workflow = own.get("workflow", invocation.workflow)
    if workflow is None:
        raise ComponentError("`workflow` is missing, and this graph is no stored workflow")
    return require(workflow, str, "workflow")


def _times(cron: JsonObject, invocation: Invocation, given: JsonObject) -> JsonObject:
    """Return the next times of a schedule.

    Args:
        cron: Has its `expr` and `timezone`.
        invocation: Has the time of the run.
        given: Has `after` and `count`.
    """
    expr = require(given_value(cron, "expr"), str, "expr")
    zone = zone_of(cron)
    after: datetime = invocation.started
    if given.get("after") is not None:
        after = read_moment(given["after"], "after", zone)
    count = optional(given, "count", int, 5)
    if not 1 <= count <= MOST_TIMES:
        raise ComponentError(f"`count` must be from 1 to {MOST_TIMES}, but it is {count}")
    try:
        expression = parse_cron(expr)
    except CronError as problem:
        raise ComponentError(f"`expr` is not a cron expression: {problem}") from None
    times = []
    with suppress(OverflowError):  # where the calendar ends
        for time in islice(expression.times(after, zone), count):
            times.append(time.isoformat())  # noqa: PERF401 - those before the end count
    if not times:
        raise ComponentError("`after` is too far away: there is no time after it")
    data = {
        "result": times[0],
        "expr": expr,
        "timezone": optional(cron, "timezone", str, UTC),
        "times": times,
    }
    return {"success": True, "data": data}


def _without_schedule() -> JsonObject:
    return {"success": True, "data": {"result": None, "expr": None, "timezone": None, "times": []}}
