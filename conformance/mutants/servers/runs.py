"""Defects in how many runs of a workflow go on, in what follows them, and in running them again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from arcrun_server.runs import accepted, segments
from arcrun_server.runs.accepted import AcceptedRuns
from arcrun_server.runs.service import RunService
from arcrun_server.store import admission
from arcrun_server.store.idempotency import IdempotencyKeys
from arcrun_server.store.runs import Runs
from arcrun_server.store.schema import runs


def starts_any_number_of_runs() -> None:
    admission.is_full = lambda *_: False


def lets_the_newest_run_go_first() -> None:
    admission._LONGEST_WAITING = (
        select(runs.c.id, runs.c.segment, runs.c.max_running)
        .where(*admission._WAITING, *admission._OF_WORKFLOW)
        .order_by(runs.c.number.desc())
        .limit(1)
    )


def queues_runs_that_it_should_refuse() -> None:
    right = Runs.accept

    async def accept(self: Any, run: Any, *, refuse: bool = False) -> Any:
        del refuse
        return await right(self, run)

    Runs.accept = accept


def refuses_repetitions_of_runs() -> None:
    right = AcceptedRuns._accept

    async def accept(self: Any, run: Any, *, refuse: bool = False) -> Any:
        return await right(self, run, refuse=refuse or run.retry_of is not None)

    AcceptedRuns._accept = accept


def keeps_the_key_of_a_refused_run() -> None:
    async def release(_self: Any, _account: str, _key: str) -> None:
        """Keep it."""

    IdempotencyKeys.release = release


def counts_paused_runs() -> None:
    admission._GOING_ON = admission.select(admission.func.count()).where(
        *admission._OF_WORKFLOW, runs.c.ended_at_ms.is_(None), runs.c.executor != admission.NOBODY
    )


def does_not_count_runs_that_are_waited_for() -> None:
    async def run_plan(
        self: Any, account: str, name: str, plan: Any, run_input: Any, *, strict: bool
    ) -> Any:
        return await self._run(account, plan, run_input, strict=strict, workflow=name)

    RunService._run_plan = run_plan


def nothing_follows_accepted_runs() -> None:
    async def following_run(*_: Any) -> None:
        """Return none."""

    segments.following_run = following_run


def runs_again_what_was_not_kept() -> None:
    right = AcceptedRuns._plan

    async def plan(*given: Any, **named: Any) -> Any:
        class Plan(dict[str, Any]):
            def __or__(self, _other: Any) -> Any:
                return self

        return Plan(await right(*given, **named))

    accepted.AcceptedRuns._plan = plan
