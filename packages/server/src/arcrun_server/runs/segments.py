"""Executing a segment of a durable run: up to its end or its next pause, from its start or, after a crash, again."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from arcrun_server import clock
from arcrun_server.engine import FlowError, Pause, RunResult, prepare_graph, resume_graph, run_graph
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.recipes.pinned import PinnedRecipes
from arcrun_server.runs.durable import SegmentLostError
from arcrun_server.runs.durable_environment import DurableEnvironment, Replay, note_delivery
from arcrun_server.runs.following import following_run
from arcrun_server.runs.persistence import persistently
from arcrun_server.store.callbacks import AwaitedTask
from arcrun_server.store.runs import CANCELLED, PAUSED, now_ms
from arcrun_server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import RunLimits
    from arcrun_server.recipes.resolver import RecipeResolver
    from arcrun_server.runs.durable import DurableExecution
    from arcrun_server.runs.progress import Progress
    from arcrun_server.store import Store
    from arcrun_server.store.admission import Segment
    from arcrun_server.store.runs import StoredRun
    from arcrun_server.telemetry.tracing import Span

_WRITTEN = "the record of a run is written"
# Names steps; no node can be called so, since ids of nodes have no spaces.
_TAKEN_BACK = "taken back"

_log = logging.getLogger("arcrun_server.runs")


class _ReplayGoneError(Exception):
    """The run that is repeated from a node on is kept no longer; the message says so."""


class Segments:
    """Executes segments.

    Args:
        store: Where runs, accounts and workflows are.
        registry: The components of this engine.
        recipes: Finds the components that are recipes.
        limits: How much one segment may use.
        progress: Shows how far the segments are.
        start: Has a segment executed, soon.
        telemetry: Records each segment.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        recipes: RecipeResolver,
        limits: RunLimits,
        progress: Progress,
        *,
        start: Callable[[str, int], None],
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._store = store
        self._registry = registry
        self._recipes = recipes
        self._limits = limits
        self._progress = progress
        self._start = start

    async def execute(
        self, execution: DurableExecution, executor: str, run_id: str, segment: int
    ) -> bool:
        """Execute a segment of a run, from its start or, after a crash, again.

        Args:
            execution: Records its steps.
            executor: The name of this process.
            run_id: The run.
            segment: The segment's number.

        Returns:
            Whether the run has ended or paused by that; not if it was not for this process to execute.
        """
        run = await persistently(
            lambda: self._store.runs.begin(run_id, segment, executor), "a run begins"
        )
        if run is None:
            return False  # it was cancelled, or its end is recorded already
        with self._telemetry.run(run.id, run.workflow, run.trigger, segment) as span:
            return await self._execute(execution, run, span)

    async def _execute(self, execution: DurableExecution, run: StoredRun, span: Span) -> bool:
        try:
            # What was recorded is not done again.
            environment, result = await persistently(
                lambda: self._attempt(run, execution), "a run goes on"
            )
        except SegmentLostError:
            return False  # another execution of it goes on
        result = replace(result, usage=environment.usage.as_json())
        if environment.used:
            self._store.credentials.mark_used(run.account, environment.used)
        if result.paused is not None:
            span.note("arcrun.run.status", PAUSED)
            return await self._pause(execution, run, environment, result, result.paused)
        return await self._end(execution, run, environment, result, span)

    async def _attempt(
        self, run: StoredRun, execution: DurableExecution
    ) -> tuple[DurableEnvironment, RunResult]:
        environment = DurableEnvironment(
            run.account,
            self._store,
            self._registry,
            self._recipes,
            self._limits,
            run=run.id,
            durable=execution,
            segment=run.segment,
            progress=self._progress,
            pinned=PinnedRecipes(self._store, dict(run.plan.get("pins", {}))),
            tracing=self._telemetry.tracing,
        )
        try:
            environment.replay = await self._replay_of(run, execution)
            with self._registry.outbound.on_behalf_of(run.account):
                result = await self._result_of(run, environment)
        except (SegmentLostError, StorageUnavailableError):
            raise
        except _ReplayGoneError as gone:
            result = RunResult(success=False, error=str(gone))
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not leave the run running for ever
            _log.exception("a run failed by an error of the engine: %s", type(error).__name__)
            result = RunResult(success=False, error="the engine failed to execute the run")
        return environment, result

    async def _replay_of(self, run: StoredRun, execution: DurableExecution) -> Replay | None:
        replay = run.plan.get("replay")
        if replay is None or run.continuation is not None:
            return None
        steps = await execution.steps(replay["run"], replay["segments"])
        # What is recorded of steps goes before the run itself, so these are whole if the run is there.
        if await self._store.runs.status(replay["run"]) is None:
            raise _ReplayGoneError(
                f"the run {replay['run']}, whose results this one was to take, is kept no longer; "
                "run it again without `from`"
            )
        return Replay(steps, replay["until"])

    async def _result_of(self, run: StoredRun, environment: DurableEnvironment) -> RunResult:
        if run.continuation is not None:
            delivery = run.delivery or {}
            if "place" in delivery:
                # For a run that repeats this one from a later node on.
                await note_delivery(environment.durable, delivery)
            return await resume_graph(
                run.continuation,
                environment,
                success=delivery.get("success", True),
                data=delivery.get("data"),
                error=delivery.get("error"),
                place=delivery.get("place"),
            )
        try:
            plan = prepare_graph(run.plan["graph"])
        except FlowError as error:
            return RunResult(success=False, error=f"the stored graph can't be run: {error}")
        return await run_graph(
            plan,
            run.input,
            environment,
            strict=run.plan["strict"],
            started=_started(run),
        )

    async def _pause(
        self,
        execution: DurableExecution,
        run: StoredRun,
        environment: DurableEnvironment,
        result: RunResult,
        pause: Pause,
    ) -> bool:
        return await self._recorded(
            execution,
            run,
            lambda: self._store.callbacks.pause(
                run,
                plan=run.plan | {"pins": environment.pinned.pins},
                continuation=pause.continuation,
                tasks=tasks_of(pause),
                result=summary_of(run, result),
                trace=[*run.trace, *result.trace],
            ),
        )

    async def _end(
        self,
        execution: DurableExecution,
        run: StoredRun,
        environment: DurableEnvironment,
        result: RunResult,
        span: Span,
    ) -> bool:
        following = None
        if not result.success:
            following = await persistently(
                lambda: following_run(self._store, self._registry, run, result), _WRITTEN
            )
        ended = await self._recorded(
            execution,
            run,
            lambda: self._store.runs.end(
                run,
                result.status,
                summary_of(run, result),
                [*run.trace, *result.trace],
                following,
            ),
        )
        if not ended:
            return False
        seconds = summary_of(run, result)["duration_ms"] / 1000
        self._telemetry.run_ended(span, run.trigger, result.status, seconds)
        self._record_history(run, environment, result)
        return True

    async def _recorded(
        self,
        execution: DurableExecution,
        run: StoredRun,
        write: Callable[[], Awaitable[Sequence[Segment] | None]],
    ) -> bool:
        """Write how a segment has ended, start what can start by that, and return whether it was for this to write.

        The write is refused if the run has another executor. Which execution counts says the record of the steps, so if
        that is this one, it takes the run back: the other is a process that did not know yet that it had lost its lock,
        or one that was given the run while this one began.
        """
        refused = 0
        while (startable := await persistently(write, _WRITTEN)) is None:
            refused += 1
            place = f"{_TAKEN_BACK} {refused}"
            try:
                await persistently(partial(execution.step, place, _nothing), _WRITTEN)
            except SegmentLostError:
                return False
            begun = await persistently(
                lambda: self._store.runs.begin(run.id, run.segment, run.executor), _WRITTEN
            )
            if begun is None:
                return False  # it was cancelled, or its end is recorded already
        for each, segment in startable:
            self._start(each, segment)
        return True

    def _record_history(
        self, run: StoredRun, environment: DurableEnvironment, result: RunResult
    ) -> None:
        for name, started, sub_result in environment.sub_runs:
            started_ms = int((started or environment.now()).timestamp() * 1000)
            self._store.executions.record(run.account, name, started_ms, sub_result)
        if run.workflow is not None:
            started_ms = run.started_at_ms or run.created_at_ms
            self._store.executions.record(run.account, run.workflow, started_ms, result)


async def _nothing() -> str:
    return ""


def _started(run: StoredRun) -> datetime:
    return clock.from_milliseconds(run.started_at_ms or run.created_at_ms)


def summary_of(run: StoredRun, result: RunResult) -> dict[str, Any]:
    """Return what is kept of how a run ended, or of how far it is."""
    summary: dict[str, Any] = {
        "duration_ms": round(run.result.get("duration_ms", 0.0) + result.duration_ms, 3)
    }
    # Where the trace was at each pause: the events of the run are counted by segment.
    pauses = [*run.result.get("pauses", [])]
    if result.paused is not None:
        summary["task_id"] = result.paused.task_id
        summary["paused_node_id"] = result.paused.node_id
        pauses.append(
            {
                "task_id": result.paused.task_id,
                "paused_node_id": result.paused.node_id,
                "traced": len(run.trace) + len(result.trace),
                "at_ms": now_ms(),
            }
        )
    elif result.success:
        summary["data"] = result.data
    else:
        summary["error"] = result.error or "the run failed"
    if result.failed_node is not None:
        summary |= {"failed_node": result.failed_node, "failed_input": result.failed_input}
    if result.warnings:
        summary["warnings"] = result.warnings
    if result.failed_nodes:
        summary["failed_nodes"] = result.failed_nodes
    if result.usage:
        summary["usage"] = result.usage
    if pauses:
        summary["pauses"] = pauses
    return summary


def result_of(run: StoredRun) -> RunResult:
    """Return how a run has ended, or that it has paused, as if it had been executed here."""
    kept = run.result
    paused = None
    if run.status == PAUSED:
        paused = Pause(kept["task_id"], kept["paused_node_id"], {})
    error = "the run was cancelled" if run.status == CANCELLED else kept.get("error")
    return RunResult(
        success=run.status in ("succeeded", "partial", PAUSED),
        data=kept.get("data"),
        trace=list(run.trace),  # type: ignore[arg-type]
        duration_ms=kept.get("duration_ms", 0.0),
        error=error,
        failed_node=kept.get("failed_node"),
        failed_input=kept.get("failed_input"),
        paused=paused,
        warnings=kept.get("warnings", []),
        failed_nodes=kept.get("failed_nodes", []),
        usage=kept.get("usage"),
        run_id=run.id,
    )


def tasks_of(pause: Pause) -> list[AwaitedTask]:
    """Return what a run waits for."""
    return [AwaitedTask(task.task_id, task.place) for task in pause.tasks]
