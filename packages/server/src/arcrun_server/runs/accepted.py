"""Runs that the engine has accepted, and finishes whatever process dies (docs/contract.md#runs).

A run is accepted when it stands in our table. Starting its first segment comes after that, and again when a process
takes up what it, or another one, has left: starting a segment twice does nothing.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.cancellation import end_tasks, within
from arcrun_server.engine.policy import workflow_policy
from arcrun_server.runs.delivery import Delivered, Delivery
from arcrun_server.runs.errors import NotRepeatableError, RunEndedError, RunNotFoundError
from arcrun_server.runs.events import RunEvents
from arcrun_server.runs.following import is_following
from arcrun_server.runs.idempotency import first_response
from arcrun_server.runs.persistence import persistently
from arcrun_server.runs.plans import check_start, plan_of
from arcrun_server.runs.progress import Progress
from arcrun_server.runs.retention import Retention
from arcrun_server.runs.run_ids import new_run_id
from arcrun_server.runs.segments import Segments, summary_of, tasks_of
from arcrun_server.runs.takeover import Takeover
from arcrun_server.store.executors import ExecutorLocks, LockLostError
from arcrun_server.store.idempotency import StoredResponse
from arcrun_server.store.runs import CANCELLED, ENDED, PAUSED, StoredRun, queued_run
from arcrun_server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import Graph, Pause, RunLimits, RunResult
    from arcrun_server.recipes.resolver import RecipeResolver
    from arcrun_server.runs.durable import DurableExecution
    from arcrun_server.runs.idempotency import IdempotentResponse
    from arcrun_server.runs.run_request import Once, RunRequest
    from arcrun_server.store import Store
    from arcrun_server.store.admission import Segment
    from arcrun_server.store.run_tokens import Callback
    from arcrun_server.store.runs import Acceptance

ALONE = "local"
"""The name of a process that shares its database with no other; else, of none: any process starts these runs."""

# How often the end of a run is looked for that another process executes.
_POLL_SECONDS = 0.2


class AcceptedRuns:
    """Accepts runs, executes them, and tells how they are.

    Attributes:
        events: Follows runs.

    Args:
        store: Where runs, accounts and workflows are.
        registry: The components of this engine.
        recipes: Finds the components that are recipes.
        limits: How much one segment of a run may use.
        make_execution: Returns what executes segments under a name.
        days: How many days a run is kept after its end.
        kept: How many ended runs of an account are kept.
        telemetry: Records each run.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        recipes: RecipeResolver,
        limits: RunLimits,
        make_execution: Callable[[str], DurableExecution],
        *,
        days: int,
        kept: int,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._store = store
        self._registry = registry
        self._progress = Progress()
        self.events = RunEvents(store.runs, self._progress)
        self._segments = Segments(
            *(store, registry, recipes, limits, self._progress),
            start=self._start_soon,
            telemetry=self._telemetry,
        )
        self._make_execution = make_execution
        self._executor = ALONE
        self._execution = make_execution(ALONE)
        self._takeover = _takeover(store, self)
        self._retention = Retention(
            *(store.ended_runs, store.callbacks, store.recorded_prompts, self._forget),
            days=days,
            kept=kept,
        )
        self._retaining: asyncio.Task[None] | None = None
        self._launched: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: dict[str, asyncio.Event] = {}
        self._delivery = Delivery(store, self._start_all, limits.seconds)

    async def launch(self) -> None:
        """Take up what this executor has left, and whatever comes."""
        if self._launched is None:
            self._launched = asyncio.create_task(self._launch())
        try:
            await asyncio.shield(self._launched)
        except Exception:
            self._launched = None  # the next one tries again
            raise

    async def begin(self) -> None:
        """Begin to take up what there is: at once if there is something, else when there is."""
        if self._takeover is not None:
            self._takeover.start()
            return
        # Also while nothing is executed: runs that are waited for have recorded prompts too.
        self._retain()
        waits = await self._store.runs.any_waits()
        if waits or await self._store.runs.any_left_by(self._executor):
            await self.launch()

    @property
    def executes(self) -> bool:
        """Return whether this process executes runs now; on SQLite, it begins when the first one comes."""
        return self._takeover is None or self._launched is not None

    async def launch_as(self, executor: str) -> None:
        """Execute runs under a new name from now on; `stop` comes before."""
        self._executor = executor
        self._execution = self._make_execution(executor)
        await self.launch()

    async def stop(self) -> None:
        """Stop executing, as if this process had ended."""
        if self._launched is not None:
            launched, self._launched = self._launched, None
            await asyncio.gather(launched, return_exceptions=True)
            await self._execution.aclose()
        # What is accepted from now on is for whoever executes runs.
        self._executor = ALONE

    async def working(self) -> set[str]:
        """Return the names of processes that execute runs, or were to, whether they live or not."""
        names = await self._store.runs.executors() | await self._execution.executors()
        return names - {ALONE}

    async def recover(self, executor: str) -> None:
        """Take over what another process has left, which is known to have ended: what there is room for.

        The rest is left to every process, this one too, so that none is given all of it. What has begun is queued first:
        from then on nothing counts that its execution there may still do.
        """
        await self._execution.recover([executor])
        taken = await self._store.runs.take_over(
            executor, self._executor, most=self._execution.room
        )
        await self._store.runs.take_over(executor, ALONE)
        for run, segment in taken:
            await self._execution.start(run, segment)

    async def take_unowned(self) -> bool:
        """Start what no process has, as far as there is room here, and return whether there may be more of it.

        It was accepted by a process that could execute nothing then, or left by one that has ended.
        """
        room = self._execution.room
        if not room:
            return True
        if not await self._store.runs.any_left_by(ALONE):
            return False
        for run, segment in await self._store.runs.take_over(ALONE, self._executor, most=room):
            await self._execution.start(run, segment)
        return True

    async def release_waiting(self) -> None:
        """Start the runs that wait for others of their workflow without need."""
        for run, segment in await self._store.runs.release_waiting(self._executor):
            await self._execution.start(run, segment)

    def _retain(self) -> None:
        """Begin to remove what is kept no longer, as soon as this process may execute runs."""
        if self._retaining is None:
            self._retaining = asyncio.create_task(self._retention.keep())

    async def _forget(self, segments: Sequence[tuple[str, int]]) -> None:
        await self._ready()
        await self._execution.forget(segments)

    async def _ready(self) -> None:
        """Return when segments can be started."""
        if self._takeover is None:
            await self.launch()
        elif self._launched is None:
            raise LockLostError
        else:
            await asyncio.shield(self._launched)

    async def _launch(self) -> None:
        execute = partial(self._execute, self._execution, self._executor)
        await self._execution.launch(execute)
        self._retain()
        await self._store.runs.release_waiting(self._executor)
        for run, segment in await self._store.runs.left_by(self._executor):
            await self._execution.start(run, segment)

    async def aclose(self) -> None:
        """Stop executing; what has not ended stays to be executed."""
        await end_tasks([*self._tasks, *([] if self._retaining is None else [self._retaining])])
        if self._takeover is not None:
            await self._takeover.aclose()
        else:
            await self.stop()

    async def accept(self, wanted: RunRequest) -> str:
        """Accept a run and return its id; from now on it will be executed to its end.

        Raises:
            StorageUnavailableError: It can't be stored now.
            WorkflowFullError: As many runs of the workflow go on as it allows, and it refuses one more.
        """
        run, refuse = await self._queued(wanted)
        await self._accept(run, refuse=refuse)
        return run.id

    async def earlier(self, account: str, once: Once) -> IdempotentResponse | None:
        """Return the response to the first request under a key, or None if this would be the first one.

        Raises:
            KeyReusedError, InterruptedRunError: As in `accept_once`.
        """
        found = await self._store.idempotency.find(account, once.key, once.request)
        return None if found is None else first_response(found)

    async def accept_once(self, wanted: RunRequest, once: Once) -> IdempotentResponse:
        """Accept a run unless one was accepted under the same key, and return the response to the first request.

        Raises:
            StorageUnavailableError: It can't be stored now.
            WorkflowFullError: As in `accept`; the key can be used again.
            KeyReusedError: The key was used for another request.
            InterruptedRunError: A run that was waited for was cut off under this key.
        """
        run, refuse = await self._queued(wanted)
        response = once.respond(run.id)
        kept = (response.status, response.body)
        accepted = await self._store.idempotency.accept(
            once.key, once.request, kept, run, refuse=refuse
        )
        if isinstance(accepted, StoredResponse):
            return first_response(accepted)
        self._telemetry.tracing.note_run(run.id)
        self._start_accepted(run, accepted)
        return response

    async def _queued(self, wanted: RunRequest) -> tuple[StoredRun, bool]:
        """Return the run that is asked for, and whether it is refused if too many of its workflow go on."""
        policy = workflow_policy(wanted.graph)
        run = queued_run(
            wanted.run_id or new_run_id(),
            wanted.account,
            plan=await self._plan(wanted.account, wanted.graph, strict=wanted.strict),
            run_input=wanted.input,
            workflow=wanted.workflow,
            executor=self._executor,
            trigger=wanted.trigger,
            max_running=policy.max_running,
        )
        return run, policy.when_full == "refuse"

    async def _plan(self, account: str, graph: Graph, *, strict: bool) -> dict[str, Any]:
        """Return what a run needs to be executed: its graph, and the versions of the recipes that its nodes name."""
        return await plan_of(self._store, self._registry, account, graph, strict=strict)

    async def _accept(self, run: StoredRun, *, refuse: bool = False) -> None:
        self._start_accepted(run, await self._store.runs.accept(run, refuse=refuse))

    def _start_accepted(self, run: StoredRun, accepted: Acceptance) -> None:
        if accepted.is_new and not accepted.waits:
            self._start_soon(run.id, run.segment)

    async def accept_paused(
        self,
        run_id: str,
        account: str,
        graph: Graph,
        run_input: dict[str, Any],
        *,
        workflow: str | None,
        strict: bool,
        started: datetime,
        result: RunResult,
        pause: Pause,
    ) -> None:
        """Keep a run that was waited for and has paused, until its callback comes."""
        run = replace(
            queued_run(
                run_id,
                account,
                plan=await self._plan(account, graph, strict=strict) | {"waited_for": True},
                run_input=run_input,
                workflow=workflow,
                executor=self._executor,
                trigger="api",
                max_running=workflow_policy(graph).max_running,
            ),
            status=PAUSED,
            continuation=pause.continuation,
            started_at_ms=int(started.timestamp() * 1000),
        )
        trace = [dict(entry) for entry in result.trace]
        run = replace(run, result=summary_of(run, result), trace=trace)
        self._start_all(await self._store.callbacks.accept_paused(run, tasks_of(pause)))

    def _start_all(self, startable: Sequence[Segment]) -> None:
        for run_id, segment in startable:
            self._start_soon(run_id, segment)

    def _start_soon(self, run_id: str, segment: int) -> None:
        # In a context of its own: what a segment starts is not a part of that segment.
        task = Context().run(asyncio.create_task, self._start(run_id, segment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self, run_id: str, segment: int) -> None:
        async def start() -> None:
            await self._ready()
            await self._execution.start(run_id, segment)

        # Whatever goes wrong: the run is accepted, so it will be started.
        await persistently(start, "a run starts", (Exception,))

    async def _execute(
        self, execution: DurableExecution, executor: str, run_id: str, segment: int
    ) -> None:
        try:
            ended = await self._segments.execute(execution, executor, run_id, segment)
        finally:
            self._progress.end(run_id)
        if ended:
            self._note_end(run_id)

    # --- callbacks ---------------------------------------------------------------------------------

    async def resume(self, callback: Callback, delivery: dict[str, Any]) -> Delivered:
        """Take what a callback has brought.

        Args:
            callback: What it is for.
            delivery: `success`, `data`, `error`.
        """
        return await self._delivery.deliver(callback, delivery, self._executor)

    async def ended(self, run_id: str) -> StoredRun:
        """Wait until a run has ended or pauses, and return it.

        Raises:
            RunNotFoundError: It is not there any more.
        """
        while True:
            event = self._ended.setdefault(run_id, asyncio.Event())
            run = await self._store.runs.get(run_id)
            if run is None:
                raise RunNotFoundError(run_id)
            if run.status in ENDED or run.status == PAUSED:
                self._ended.pop(run_id, None)
                return run
            try:
                await within(_POLL_SECONDS, event.wait())
            except (asyncio.TimeoutError, TimeoutError):
                continue

    def _note_end(self, run_id: str) -> None:
        self._progress.wake(run_id)
        event = self._ended.pop(run_id, None)
        if event is not None:
            event.set()

    # --- what people do with runs ------------------------------------------------------------------

    async def get(self, account: str, run_id: str) -> StoredRun:
        """Return a run of an account.

        Raises:
            RunNotFoundError: There is none of this id.
        """
        run = await self._store.runs.get(run_id)
        if run is None or run.account != account:
            raise RunNotFoundError(run_id)
        return run

    async def cancel(self, account: str, run_id: str) -> StoredRun:
        """End a run that has not ended, and return it.

        Raises:
            RunNotFoundError: There is none of this id.
            RunEndedError: It has ended.
        """
        run = await self.get(account, run_id)
        cancelled = await self._store.runs.cancel(run, self._executor)
        if cancelled is None:
            raise RunEndedError((await self.get(account, run_id)).status)
        self._telemetry.metrics.run_ended(run.trigger, CANCELLED)
        self._start_all(cancelled.startable)
        if cancelled.status != PAUSED:
            await self._ready()
            await self._execution.cancel(run_id, cancelled.segment)
        self._note_end(run_id)
        return await self.get(account, run_id)

    async def retry(
        self, account: str, run_id: str, *, start: str | None, latest: Graph | None
    ) -> str:
        """Run again what a run has run, and return the new run's id.

        Args:
            account: Whose run it is.
            run_id: The run.
            start: The node from which on it is run again; by default from its start.
            latest: The workflow as it is now, if not as it was.

        Raises:
            RunNotFoundError: There is none of this id.
            NotRepeatableError: It has not ended; or `start` is no node whose component is invoked, or what was before it
                is not kept.
        """
        run = await self.get(account, run_id)
        if run.status not in ENDED:
            raise NotRepeatableError(f"it is {run.status}; cancel it first, or wait for its end")
        graph = run.plan["graph"] if latest is None else latest
        plan = await self._plan(account, graph, strict=run.plan["strict"])
        if latest is None:
            plan["pins"] = run.plan.get("pins", {})
        if is_following(run):
            plan["follows"] = True
        if start is not None:
            if run.plan.get("waited_for"):
                raise NotRepeatableError(
                    "it was waited for up to its first pause, so that what its nodes returned is not kept; "
                    "leave `from` out"
                )
            check_start(graph, start)
            plan["replay"] = {"run": run.id, "segments": run.segment + 1, "until": start}
        new = queued_run(
            new_run_id(),
            account,
            plan=plan,
            run_input=run.input,
            workflow=run.workflow,
            executor=self._executor,
            trigger="retry",
            retry_of=run.id,
            max_running=workflow_policy(graph).max_running,
        )
        await self._accept(new)
        return new.id


def _takeover(store: Store, runs: AcceptedRuns) -> Takeover | None:
    """Return what keeps several processes on one database apart, if there may be several."""
    if store.database.executor_locks() is None:
        return None

    def locks() -> ExecutorLocks:
        made = store.database.executor_locks()
        assert made is not None, "it is a PostgreSQL database"  # noqa: S101
        return made

    return Takeover(
        locks,
        LockLostError,
        begin=runs.launch_as,
        stop=runs.stop,
        working=runs.working,
        recover=runs.recover,
        take_unowned=runs.take_unowned,
        release_waiting=runs.release_waiting,
    )
