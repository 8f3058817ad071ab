"""The run of another workflow, for a node that called it (`sub_workflow` says which one, and with what)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .failures import InvocationFailure
from .filling import fill_data
from .frames import RunNode, SubRun
from .result import RunResult, milliseconds, trace_entry
from .sizes import TooLargeError
from .sub_workflow import find_workflow, sub_result, workflow_call

if TYPE_CHECKING:
    from .failures import NodeFailure
    from .frames import Frame
    from .plan import PlannedNode
    from .runner import Runner


async def call_workflow(machine: Runner, frame: Frame, node: PlannedNode, item: RunNode) -> None:
    """Begin to run the workflow that a node calls."""
    activation = item.activation
    scope = machine.scope(frame, activation)
    given = activation.context()
    entry = trace_entry(node, given, None, 0.0)
    began, started = time.perf_counter(), machine.environment.now()
    try:
        data = await fill_data(node, scope, machine.budget.held_bytes)
        entry["input"] = given = {**given, **data}
        machine.current = (node.id, given)
        machine.note_unresolved(frame, node, scope.unresolved, entry)
        name, run_input = workflow_call(node, data, activation.values)
        plan = await find_workflow(name, machine.environment)
    except (InvocationFailure, TooLargeError) as failure:
        entry["duration_ms"] = milliseconds(began)
        machine.fail(frame, item, entry, str(failure))
        return
    machine.check_depth(node.id)
    machine.open(plan, run_input)
    by_edge = node.workflow is not None
    machine.frames[-1].sub_run = SubRun(item.node, activation, entry, name, by_edge, began, started)


def end_sub_run(
    machine: Runner, ended: Frame, sub_run: SubRun, data: Any, failure: NodeFailure | None
) -> None:
    """Hand the result of a called workflow to the node that called it, in the last frame."""
    frame = machine.frames[-1]
    node = frame.plan.nodes[sub_run.node]
    item = RunNode(sub_run.node, sub_run.activation)
    duration = report(machine, ended, sub_run, data, failure)
    entry = sub_run.entry or trace_entry(node, None, None, duration)
    entry["duration_ms"] = duration
    if failure and sub_run.by_edge:
        machine.fail(frame, item, entry, f"the workflow '{sub_run.name}' failed: {failure}")
        return
    result = data
    if not sub_run.by_edge:
        failed_nodes = list(ended.failed_nodes)
        result = sub_result(sub_run.name, data, failure, failed_nodes, duration)
    entry["output"] = result
    machine.record(frame, entry)
    machine.complete(frame, sub_run.node, sub_run.activation, result)


def report(
    machine: Runner, ended: Frame, sub_run: SubRun, data: Any, failure: NodeFailure | None
) -> float:
    """Let the environment know how a called workflow ended, and return how long it took."""
    duration = 0.0 if sub_run.began is None else milliseconds(sub_run.began)
    result = RunResult(
        success=failure is None,
        data=data,
        duration_ms=duration,
        error=None if failure is None else str(failure),
        failed_nodes=list(ended.failed_nodes),
    )
    machine.environment.sub_run_ended(sub_run.name, sub_run.started, result)
    return duration
