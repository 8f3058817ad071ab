"""Running a graph, and resuming a paused run."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypedDict

from .cancellation import within
from .continuation import read_continuation, write_continuation
from .elements import open_lanes, take_notes
from .failures import InvocationFailure, NodeFailure, PauseRequest
from .machine import Machine
from .model import FlowError
from .plan import ExecutionPlan, prepare_graph
from .result import AwaitedTask, Pause, RunResult, RunWarning, milliseconds

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime

    from .environment import Environment
    from .model import Graph, JsonObject


class _Noted(TypedDict):
    warnings: list[RunWarning]
    failed_nodes: list[str]


async def run_graph(
    graph: Graph | ExecutionPlan,
    run_input: JsonObject,
    environment: Environment,
    *,
    strict: bool = False,
    started: datetime | None = None,
) -> RunResult:
    """Run a graph (docs/contract.md#execution).

    Args:
        graph: The graph, or for many runs of it what `prepare_graph` made of it.
        run_input: The run's input, a JSON object. Nothing in it is a template.
        environment: Components, secrets, other workflows, the time and the limits.
        strict: Whether a placeholder without a value fails its node, also if the graph is not strict.
        started: When it started, if it has been executed before; by default now.

    Returns:
        How it ended. A failure of the workflow is a result too, never an exception.

    Example:
        >>> import asyncio
        >>> from arcrun_server.engine import MemoryEnvironment
        >>> graph = {
        ...     "nodes": [
        ...         {"id": "input", "type": "Input"},
        ...         {"id": "計數", "type": "Component", "componentId": "comp_counter"},
        ...     ],
        ...     "edges": [{"from": "input", "to": "計數", "type": "PIPE"}],
        ... }
        >>> asyncio.run(run_graph(graph, {"count": 41}, MemoryEnvironment())).data
        {'count': 42}
    """
    began = time.perf_counter()
    try:
        plan = graph if isinstance(graph, ExecutionPlan) else prepare_graph(graph)
    except FlowError as problem:
        return RunResult(success=False, error=f"The graph can't run: {problem}")
    machine = Machine(environment, started or environment.now(), strict=strict)
    await machine.budget.measure(run_input)
    try:
        machine.budget.take_input(run_input)
    except ValueError as problem:
        return RunResult(success=False, error=f"The run's input is {problem}.")
    machine.open(plan, run_input)
    return await _finish(machine, began)


async def resume_graph(
    continuation: JsonObject,
    environment: Environment,
    *,
    success: bool = True,
    data: Any = None,
    error: str | None = None,
    place: str | None = None,
) -> RunResult:
    """Resume a paused run with what its callback brought.

    Args:
        continuation: `RunResult.paused.continuation`; it may have been stored as JSON.
        environment: As for `run_graph`; the run has its full time again.
        success: Whether the task that was waited for succeeded.
        data: The result of the node that waited.
        error: Why the task failed, if it did.
        place: Where in the run the node is that waited for it (`RunResult.paused.tasks`); by default the first one that
            waits.

    Returns:
        How the run ended. If several nodes wait, it pauses for the others again, once what this one held up is done. Its trace
        begins with the node that waited.

    Raises:
        ValueError: This is not a continuation, or one of another version, or no node waits at this place.

    Example:
        >>> import asyncio
        >>> from arcrun_server.engine import MemoryEnvironment
        >>> async def ask(given, invocation):
        ...     return {"pending": True, "task_id": "審核-1"}
        >>> graph = {"nodes": [{"id": "審核", "type": "Component", "componentId": "ask"}], "edges": []}
        >>> environment = MemoryEnvironment(components={"ask": ask})
        >>> paused = asyncio.run(run_graph(graph, {}, environment)).paused
        >>> asyncio.run(resume_graph(paused.continuation, environment, data={"通過": True})).data
        {'通過': True}
    """
    began = time.perf_counter()
    machine, waiting = read_continuation(continuation, environment)
    if place is not None and place not in waiting:
        raise ValueError(f"No node of this run waits at {place!r}.")
    waits_at = next(iter(waiting)) if place is None else place
    node = waiting[waits_at]
    frame = node.machine.frames[-1]
    machine.current = (frame.plan.nodes[node.item.node].id, None)
    machine.budget.held_bytes = machine.limits.total_bytes  # what it holds was not measured again
    component = frame.plan.nodes[node.item.node].component or ""

    async def deliver_and_run() -> Any:
        result, reason = None, None if success else error or "the task failed"
        if reason is None:
            try:
                result = await environment.delivered(component, waits_at, node.pending, data)
            except InvocationFailure as problem:
                reason = str(problem)
        if node.lane is None:
            machine.deliver(frame, node.item, result, reason)
        else:
            node.lane.pause, node.lane.delivered = None, (node.item, result, reason)
        return await machine.run()

    return await _finish(machine, began, deliver_and_run())


async def _finish(
    machine: Machine, began: float, work: Coroutine[Any, Any, Any] | None = None
) -> RunResult:
    trace = machine.frames[0].trace
    machine.environment.traced(trace)
    try:
        data = await within(machine.limits.seconds, work or machine.run())
    except PauseRequest as pause:
        continuation = write_continuation(machine, pause)
        waiting = [lane.pause for lane in open_lanes(machine) if lane.pause] or [pause]
        tasks = tuple(AwaitedTask(one.task_id, one.node, one.place) for one in waiting)
        return RunResult(
            success=True,
            trace=trace,
            duration_ms=milliseconds(began),
            paused=Pause(pause.task_id, pause.node, continuation, tasks),
            **_noted(machine),
        )
    except NodeFailure as failure:
        return _failed(failure, machine, began)
    except (asyncio.TimeoutError, TimeoutError):
        return _failed(machine.out_of_time(), machine, began)
    return RunResult(
        success=True,
        data=data,
        trace=trace,
        duration_ms=milliseconds(began),
        **_noted(machine),
    )


def _noted(machine: Machine) -> _Noted:
    for lane in open_lanes(machine):  # what has not been taken over: the run ends here, or pauses
        take_notes(machine, machine.frames[-1], lane)
    frame = machine.frames[0]
    return {"warnings": list(frame.warnings.values()), "failed_nodes": list(frame.failed_nodes)}


def _failed(failure: NodeFailure, machine: Machine, began: float) -> RunResult:
    machine.abandon(failure)
    return RunResult(
        success=False,
        trace=machine.frames[0].trace,
        duration_ms=milliseconds(began),
        error=str(failure),
        failed_node=failure.node,
        failed_input=failure.given,
        **_noted(machine),
    )
