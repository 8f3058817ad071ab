"""The state of a paused run as JSON values (docs/contract.md#execution).

Contexts are not written: an activation is its bit mask of nodes and its sources, and reading it
builds the context again from the results of these nodes (`Frame.rebuild`). So the state grows with
the results, not with nodes times contexts. It holds no secrets, since results are redacted before
anything else sees them; it does not hold the trace so far.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .frames import (
    Activation,
    FollowEdges,
    ForEach,
    Frame,
    RunNode,
    StartNode,
    SubRun,
    element_frame,
)
from .machine import Machine
from .outcome import find_list
from .plan import ExecutionPlan, prepare_graph

if TYPE_CHECKING:
    from .environment import Environment
    from .failures import PauseRequest
    from .frames import WorkItem
    from .model import JsonObject

VERSION = 1


def write_continuation(machine: Machine, pause: PauseRequest) -> JsonObject:
    """Return the state of a run that waits.

    Args:
        machine: The run.
        pause: The node that waits, in the machine's last frame, and what its component returned.
    """
    plans: list[ExecutionPlan] = []
    frames = []
    for frame in machine.frames:
        if frame.plan not in plans:
            plans.append(frame.plan)
        frames.append(_write_frame(frame, plans.index(frame.plan)))
    return {
        "version": VERSION,
        "started": machine.times.started.isoformat(),
        "strict": machine.strict,
        "steps": machine.budget.steps,
        "graphs": [plan.graph for plan in plans],
        "frames": frames,
        "waiting_node": _write_item(pause.item),
        "pending": pause.result,
    }


def read_continuation(
    continuation: JsonObject, environment: Environment
) -> tuple[Machine, RunNode]:
    """Rebuild a run that waits.

    Returns:
        The run, and the node in its last frame that waits.

    Raises:
        ValueError: This is not a continuation, or one of another version.
    """
    if continuation.get("version") != VERSION:
        raise ValueError(
            f"This is not the state of a paused run that this engine can read ({VERSION=})."
        )
    started = datetime.fromisoformat(continuation["started"])
    strict = continuation.get("strict", False)
    machine = Machine(environment, started, continuation["steps"], strict=strict)
    plans = [prepare_graph(graph) for graph in continuation["graphs"]]
    for written in continuation["frames"]:
        plan = plans[written["graph"]]
        below = machine.frames[-1] if machine.frames else None
        if written["is_element"] and below and below.for_each:
            loop = below.for_each
            frame = element_frame(below, loop, len(loop.results))
        else:
            machine.open(plan, written["input"])
            frame = machine.frames.pop()
        _read_frame(frame, written)
        if below and written["sub_run"]:
            frame.sub_run = _read_sub_run(below, written["sub_run"])
        machine.frames.append(frame)
    frame = machine.frames[-1]
    waiting_node = _read_item(frame, continuation["waiting_node"])
    if not isinstance(waiting_node, RunNode):
        raise ValueError("The state of the paused run is damaged: no node waits in it.")  # noqa: TRY004
    return machine, waiting_node


def _write_frame(frame: Frame, graph: int) -> JsonObject:
    loop, sub_run = frame.for_each, frame.sub_run
    return {
        "graph": graph,
        "is_element": frame.loop is not None,
        "input": frame.run_input,
        "executed": [[number, result] for number, result in frame.executed.items()],
        "arriving": [[number, count] for number, count in frame.arriving.items()],
        "work": [_write_item(item) for item in frame.work],
        "waiting": [
            [number, [_write_activation(activation) for activation in activations]]
            for number, activations in frame.waiting.items()
        ],
        "last": frame.last,
        "parts": frame.parts,
        "warnings": list(frame.warnings),
        "failed_nodes": list(frame.failed_nodes),
        "loop": loop
        and {
            "node": loop.node,
            "position": loop.position,
            "activation": _write_activation(loop.activation),
            "results": loop.results,
            "failures": loop.failures,
            "first_failure": loop.first_failure and list(loop.first_failure),
            "first_input": loop.first_input,
        },
        "sub_run": sub_run
        and {
            "node": sub_run.node,
            "activation": _write_activation(sub_run.activation),
            "name": sub_run.name,
            "by_edge": sub_run.by_edge,
        },
    }


def _read_frame(frame: Frame, written: JsonObject) -> None:
    frame.executed = dict(map(tuple, written["executed"]))
    frame.arriving = dict(map(tuple, written["arriving"]))
    frame.work = [_read_item(frame, item) for item in written["work"]]
    frame.waiting = {
        number: [_read_activation(frame, activation) for activation in activations]
        for number, activations in written["waiting"]
    }
    frame.last = written["last"]
    frame.parts = list(written["parts"])
    for node, placeholder in written.get("warnings", []):
        frame.warn(node, [placeholder])
    frame.failed_nodes.update(dict.fromkeys(written.get("failed_nodes", [])))
    if written["loop"]:
        frame.for_each = _read_loop(frame, written["loop"])


def _read_loop(frame: Frame, written: JsonObject) -> ForEach:
    activation = _read_activation(frame, written["activation"])
    node, position = written["node"], written["position"]
    edge = frame.plan.nodes[node].outgoing[position]
    context = {**activation.results, **activation.values}
    return ForEach(
        node=node,
        position=position,
        activation=activation,
        elements=find_list(frame.executed[node], context, edge.iterator),
        results=list(written["results"]),
        failures=written["failures"],
        first_failure=written["first_failure"] and tuple(written["first_failure"]),
        first_input=written["first_input"],
    )


def _read_sub_run(below: Frame, written: JsonObject) -> SubRun:
    activation = _read_activation(below, written["activation"])
    return SubRun(written["node"], activation, None, written["name"], written["by_edge"], None)


def _write_activation(activation: Activation) -> list[Any]:
    return [f"{activation.seen:x}", list(activation.sources)]


def _read_activation(frame: Frame, written: list[Any]) -> Activation:
    seen, sources = written
    return frame.rebuild(int(seen, 16), tuple(sources))


def _write_item(item: WorkItem) -> list[Any]:
    if isinstance(item, StartNode):
        return ["start_node", item.node]
    if isinstance(item, RunNode):
        return ["run_node", item.node, _write_activation(item.activation)]
    return ["follow_edges", item.node, item.position, _write_activation(item.activation)]


def _read_item(frame: Frame, written: list[Any]) -> WorkItem:
    kind = written[0]
    if kind == "start_node":
        return StartNode(written[1])
    if kind == "run_node":
        return RunNode(written[1], _read_activation(frame, written[2]))
    return FollowEdges(written[1], written[2], _read_activation(frame, written[3]))
