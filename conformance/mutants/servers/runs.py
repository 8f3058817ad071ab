"""Defects in how many runs of a workflow go on, in what follows them, in running them again, and in what a pause keeps."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from pydantic import TypeAdapter
from sqlalchemy import func, select

from arcrun_server.engine import continuation
from arcrun_server.routes import runs as routes
from arcrun_server.runs import accepted, segments
from arcrun_server.runs.accepted import AcceptedRuns
from arcrun_server.runs.service import RunService
from arcrun_server.store import admission, callbacks
from arcrun_server.store.callbacks import Callbacks
from arcrun_server.store.database import Query
from arcrun_server.store.idempotency import IdempotencyKeys
from arcrun_server.store.runs import Runs
from arcrun_server.store.schema import awaited_tasks, runs


def starts_any_number_of_runs() -> None:
    admission.is_full = lambda *_: False


def lets_the_newest_run_go_first() -> None:
    right = admission.release

    def release(connection: Any, *given: Any) -> Any:
        newest_first = admission._LONGEST_WAITING.order_by(None).order_by(runs.c.number.desc())
        with patch.object(admission, "_LONGEST_WAITING", newest_first):
            return right(connection, *given)

    admission.release = release


def queues_runs_that_it_should_refuse() -> None:
    right, under_a_key = Runs.accept, IdempotencyKeys.accept

    async def accept(self: Any, run: Any, *, refuse: bool = False) -> Any:
        del refuse
        return await right(self, run)

    async def accept_once(self: Any, *given: Any, refuse: bool) -> Any:
        del refuse
        return await under_a_key(self, *given, refuse=False)

    Runs.accept, IdempotencyKeys.accept = accept, accept_once


def refuses_repetitions_of_runs() -> None:
    right = AcceptedRuns._accept

    async def accept(self: Any, run: Any, *, refuse: bool = False) -> Any:
        return await right(self, run, refuse=refuse or run.retry_of is not None)

    AcceptedRuns._accept = accept


def keeps_the_key_of_a_refused_run() -> None:
    right = IdempotencyKeys.accept

    async def release(_self: Any, _account: str, _key: str) -> None:
        """Keep it."""

    async def accept(self: Any, key: str, request: bytes, *given: Any, refuse: bool) -> Any:
        try:
            return await right(self, key, request, *given, refuse=refuse)
        except admission.WorkflowFullError:
            await self.claim(given[-1].account, key, request)
            raise

    IdempotencyKeys.release = release
    IdempotencyKeys.accept = accept


def counts_paused_runs() -> None:
    def is_full(connection: Any, account: str, workflow: str, most: int) -> bool:
        not_ended = select(func.count()).where(
            runs.c.account == account,
            runs.c.workflow == workflow,
            runs.c.ended_at_ms.is_(None),
            runs.c.executor != admission.NOBODY,
        )
        return connection.execute(not_ended).scalar_one() >= most

    admission.is_full = is_full


def does_not_count_runs_that_are_waited_for() -> None:
    async def run_plan(
        self: Any, account: str, name: str, plan: Any, run_input: Any, *, strict: bool, trigger: str
    ) -> Any:
        del trigger
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


def takes_each_callback_for_what_a_run_waits_for() -> None:
    right = Callbacks.deliver

    async def deliver(self: Any, callback: Any, *given: Any) -> Any:
        awaited = select(awaited_tasks.c.waiting).where(
            awaited_tasks.c.run == callback.run, awaited_tasks.c.place != callbacks.DELIVERED
        )
        waiting = await self._database.read(lambda connection: connection.execute(awaited).scalar())
        return await right(self, callback._replace(waiting=waiting or callback.waiting), *given)

    Callbacks.deliver = deliver


def forgets_tasks_that_are_done() -> None:
    callbacks._BY_ID = Query(
        callbacks._BY_ID.statement.where(awaited_tasks.c.place != callbacks.DELIVERED)
    )


def errors_of_callbacks_need_success() -> None:
    right = routes._delivery
    routes._delivery = lambda asked: right(asked) | {"success": asked.get("success", True)}


def takes_unknown_fields_of_callbacks() -> None:
    routes.RESUME = TypeAdapter(dict[str, Any])


def resumes_with_eight_nodes_at_most() -> None:
    right = continuation._read_activation
    continuation._read_activation = lambda frame, written: right(
        frame, [f"{int(written[0], 16) & 0xFF:x}", written[1]]
    )


def resumes_with_the_context_of_the_pause_everywhere() -> None:
    continuation._read_activation = lambda frame, written: frame.rebuild(-1, tuple(written[1]))


def forgets_the_elements_before_a_pause() -> None:
    right = continuation._read_loop
    continuation._read_loop = lambda frame, written: right(frame, {**written, "results": []})


def resumes_a_sub_workflow_without_what_was_above() -> None:
    right = continuation._read_sub_run

    def read_sub_run(below: Any, written: Any) -> Any:
        _, sources = written["activation"]
        return right(below, {**written, "activation": ["0", sources]})

    continuation._read_sub_run = read_sub_run
