"""Defects in schedules, and in what the component `cron` does with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from typing import TYPE_CHECKING, Any

from arcrun_server import clock
from arcrun_server.components import cron
from arcrun_server.engine import schedule
from arcrun_server.runs import schedules
from arcrun_server.runs.account_schedules import AccountSchedules
from arcrun_server.runs.service import RunService
from arcrun_server.store import workflows
from arcrun_server.store.schedules import Schedules

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from arcrun_server.store.schedules import Tick


def runs_every_missed_tick() -> None:
    def following(tick: Tick, _now: datetime) -> datetime:
        return tick.schedule.next_time(clock.from_milliseconds(tick.time_ms))

    schedules._following = following


def runs_each_schedule_once() -> None:
    async def advance(self: Schedules, tick: Tick, _next_ms: int) -> None:
        await self.remove(tick.account, tick.workflow)

    Schedules.advance = advance


def schedules_are_in_utc() -> None:
    def zone(_self: Any) -> tzinfo:
        return timezone.utc

    schedule.Schedule.zone = zone


def scheduled_runs_have_no_input() -> None:
    right = RunService.accept_workflow

    async def accept(
        self: Any, accepted: Any, account: str, name: str, run_input: Any, **options: Any
    ) -> str:
        given = {} if options.get("trigger") == schedules.TRIGGER else run_input
        return await right(self, accepted, account, name, given, **options)

    RunService.accept_workflow = accept


def scheduled_runs_look_like_requests() -> None:
    schedules.TRIGGER = "api"


def a_push_never_removes_a_schedule() -> None:
    workflows.remove = lambda _connection, _account, _workflow: None


def lists_without_schedules() -> None:
    right = workflows.Workflows.list

    async def list_workflows(self: Any, *arguments: Any) -> Any:
        page = await right(self, *arguments)
        for entry in page.entries:
            entry.pop("cron_expr", None)
        return page

    workflows.Workflows.list = list_workflows


def definitions_without_schedules() -> None:
    right = workflows.Workflows.get

    async def get(self: Any, *arguments: Any) -> Any:
        found = await right(self, *arguments)
        if found is not None:
            found.graph.pop("cron", None)
        return found

    workflows.Workflows.get = get


def takes_schedules_that_never_come() -> None:
    right = schedule.parse_cron

    def parse_cron(expr: str) -> Any:
        try:
            return right(expr)
        except schedule.CronError as error:
            if "means no time" not in str(error):
                raise
            return None

    schedule.parse_cron = parse_cron


def suggests_no_time_zone() -> None:
    schedule.nearest_zone = lambda _name, _suggestions: None


def input_steers_cron() -> None:
    right = cron.component

    def component(known: Any) -> Any:
        run = right(known)

        async def with_input(given: Any, invocation: Any) -> Any:
            steered = {
                name: given[name] for name in ("action", "workflow", "expr") if name in given
            }
            return await run(given, replace(invocation, own={**invocation.own, **steered}))

        return with_input

    cron.component = component


def removing_a_schedule_changes_nothing() -> None:
    async def remove(_self: Any, _workflow: str) -> None:
        pass

    AccountSchedules.remove = remove


def cron_sets_without_a_time_zone() -> None:
    right = AccountSchedules.set

    async def set_schedule(self: Any, workflow: str, given: schedule.Schedule) -> bool:
        return await right(self, workflow, schedule.Schedule(given.expr))

    AccountSchedules.set = set_schedule
