"""The state of a paused run as JSON values (docs/contract.md#execution).

Contexts are not written: an activation is its bit mask of nodes and its sources, and reading it
builds the context again from the results of these nodes (`Frame.rebuild`). So the state grows with
the results, not with nodes times contexts. It holds no secrets, since results are redacted before
anything else sees them; it does not hold the trace so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .elements import open_lane, open_lanes
from .failures import NodeFailure, PauseRequest
from .frames import (
    Activation,
    FollowEdges,
    ForEach,
    Frame,
    RunElements,
    RunNode,
    StartNode,
    SubRun,
    element_frame,
    place_of,
)
from .machine import Machine
from .outcome import find_list
from .plan import ExecutionPlan, prepare_graph

if TYPE_CHECKING:
    from .environment import Environment
    from .frames import WorkItem
    from .model import JsonObject
    from .runner import Lane, Runner

VERSION = 1
_DAMAGED = "The state of the paused run is damaged: no node waits in it."


@dataclass(frozen=True)
class WaitingNode:
    """A node that waits for a callback.

    Attributes:
        machine: What it runs in.
        item: The node, in the last frame of that.
        pending: What its component returned when it began to wait.
        lane: The element of a FOREACH that it belongs to, if others are run at the same time.
    """

    machine: Runner
    item: RunNode
    pending: Any = None
    lane: Lane | None = None


def write_continuation(machine: Machine, pause: PauseRequest) -> JsonObject:
    """Return the state of a run that waits.

    Args:
        machine: The run.
        pause: What it waits for, or the first of these.
    """
    plans: list[ExecutionPlan] = []
    frames = [_write_frame(frame, plans) for frame in machine.frames]
    lanes = [_write_lane(lane, plans) for lane in open_lanes(machine)]
    waits = {"lanes": lanes} if lanes else _write_waiting(pause)
    return {
        "version": VERSION,
        "started": machine.times.started.isoformat(),
        "strict": machine.strict,
        "steps": machine.budget.steps,
        "graphs": [plan.graph for plan in plans],
        "frames": frames,
        **waits,
    }


def read_continuation(
    continuation: JsonObject, environment: Environment
) -> tuple[Machine, dict[str, WaitingNode]]:
    """Rebuild a run that waits.

    Returns:
        The run, and the nodes that wait, by their places, in the order of the list.

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
        below = machine.frames[-1] if machine.frames else None
        if written["is_element"] and below and below.for_each:
            loop = below.for_each
            machine.frames.append(element_frame(below, loop, len(loop.results)))
        else:
            machine.open(plans[written["graph"]], written["input"])
        _read_frame(machine, written)
    waiting = [_read_lane(machine, lane, plans) for lane in continuation.get("lanes", [])]
    if "waiting_node" in continuation:
        waiting = [_waiting_node(machine, continuation)]
    found = {_place(node): node for node in waiting if node is not None}
    if not found:
        raise ValueError(_DAMAGED)
    return machine, found


def _write_waiting(pause: PauseRequest) -> JsonObject:
    return {"waiting_node": _write_item(pause.item), "pending": pause.result}


def _waiting_node(machine: Runner, written: JsonObject, lane: Lane | None = None) -> WaitingNode:
    item = _read_item(machine.frames[-1], written["waiting_node"])
    if not isinstance(item, RunNode):
        raise ValueError(_DAMAGED)  # noqa: TRY004 - it is the value of a field that is wrong
    return WaitingNode(machine, item, written.get("pending"), lane)


def _place(waiting: WaitingNode) -> str:
    frames = waiting.machine.frames
    return place_of(frames, frames[-1].plan.nodes[waiting.item.node].id)


def _write_lane(lane: Lane, plans: list[ExecutionPlan]) -> JsonObject:
    """Write an element of a FOREACH that has ended, or that waits."""
    written = {
        "index": lane.index,
        "warnings": list(lane.frame.warnings),
        "failed_nodes": list(lane.frame.failed_nodes),
    }
    if lane.pause is not None:
        frames = [_write_frame(frame, plans) for frame in lane.machine.own_frames]
        waits = {**_write_waiting(lane.pause), "task_id": lane.pause.task_id}
        return {**written, "frames": frames, **waits}
    failure = lane.failure
    shown = failure and {"node": failure.node, "reason": failure.reason, "input": failure.given}
    return {**written, "result": lane.result, "failure": shown}


def _read_lane(
    machine: Machine, written: JsonObject, plans: list[ExecutionPlan]
) -> WaitingNode | None:
    """Rebuild an element of a FOREACH; return the node that waits in it, if it has not ended."""
    frame = machine.frames[-1]
    assert frame.for_each is not None, "lanes belong to a FOREACH"  # noqa: S101
    lane = open_lane(machine, frame, frame.for_each, written["index"])
    if "waiting_node" not in written:
        for node, placeholder in written["warnings"]:
            lane.frame.warn(node, [placeholder])
        lane.frame.failed_nodes.update(dict.fromkeys(written["failed_nodes"]))
        lane.is_done, lane.result = True, written["result"]
        if written["failure"]:
            failed = written["failure"]
            lane.failure = NodeFailure(failed["node"], failed["reason"], failed["input"])
        return None
    own = lane.machine
    for number, one in enumerate(written["frames"]):
        below = own.frames[-1]
        if number == 0:
            pass
        elif one["is_element"] and below.for_each:
            own.frames.append(element_frame(below, below.for_each, len(below.for_each.results)))
        else:
            own.open(plans[one["graph"]], one["input"])
        _read_frame(own, one)
    waiting = _waiting_node(own, written, lane)
    node = own.frames[-1].plan.nodes[waiting.item.node].id
    lane.pause = PauseRequest(
        written["task_id"], waiting.item, node, _place(waiting), waiting.pending
    )
    return waiting


def _write_frame(frame: Frame, plans: list[ExecutionPlan]) -> JsonObject:
    loop, sub_run = frame.for_each, frame.sub_run
    if frame.plan not in plans:
        plans.append(frame.plan)
    return {
        "graph": plans.index(frame.plan),
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
            "at_once": loop.at_once,
        },
        "sub_run": sub_run
        and {
            "node": sub_run.node,
            "activation": _write_activation(sub_run.activation),
            "name": sub_run.name,
            "by_edge": sub_run.by_edge,
        },
    }


def _read_frame(machine: Runner, written: JsonObject) -> None:
    """Read what a machine's last frame has come to; the other frames are below it already."""
    frame = machine.frames[-1]
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
    if written["sub_run"]:
        frame.sub_run = _read_sub_run(machine.frames[-2], written["sub_run"])


def _read_loop(frame: Frame, written: JsonObject) -> ForEach:
    activation = _read_activation(frame, written["activation"])
    node, position = written["node"], written["position"]
    edge = frame.plan.nodes[node].outgoing[position]
    return ForEach(
        node=node,
        position=position,
        activation=activation,
        elements=find_list(frame.executed[node], activation.context(), edge.iterator),
        results=list(written["results"]),
        failures=written["failures"],
        first_failure=written["first_failure"] and tuple(written["first_failure"]),
        first_input=written["first_input"],
        at_once=written.get("at_once", 1),
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
    if isinstance(item, RunElements):
        return ["run_elements"]
    if isinstance(item, RunNode):
        return ["run_node", item.node, _write_activation(item.activation)]
    return ["follow_edges", item.node, item.position, _write_activation(item.activation)]


def _read_item(frame: Frame, written: list[Any]) -> WorkItem:
    kind = written[0]
    if kind == "run_elements":
        return RunElements()
    if kind == "start_node":
        return StartNode(written[1])
    if kind == "run_node":
        return RunNode(written[1], _read_activation(frame, written[2]))
    return FollowEdges(written[1], written[2], _read_activation(frame, written[3]))
