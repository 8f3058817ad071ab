"""A paused run, written down as JSON values and read again (CONTRACT.md §6, Pause).

Contexts are not written: they are what the nodes' results, in the order of the run, make of the
input. So the state grows with the results, not with nodes times contexts. It holds no secrets,
since results are redacted before anything else sees them; it does not hold the trace so far.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .machine import Machine
from .outcome import find_list
from .plan import ExecutionPlan, prepare_graph
from .scope import Departure, ForEach, Frame, Start, SubRun, Token, Visit, element_frame

if TYPE_CHECKING:
    from .environment import Environment
    from .model import JsonObject

VERSION = 1


def write_continuation(machine: Machine, visit: Visit) -> JsonObject:
    """Write down a run that waits.

    Args:
        machine: The run.
        visit: The node that waits, in the machine's last frame.
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
        "steps": machine.steps,
        "graphs": [plan.graph for plan in plans],
        "frames": frames,
        "visit": _write_item(visit),
    }


def read_continuation(continuation: JsonObject, environment: Environment) -> tuple[Machine, Visit]:
    """Read a run that waits.

    Returns:
        The run, and the node in its last frame that waits.

    Raises:
        ValueError: This is no continuation, or one of another version.
    """
    if continuation.get("version") != VERSION:
        raise ValueError(
            f"This is no state of a paused run that this engine can read ({VERSION=})."
        )
    started = datetime.fromisoformat(continuation["started"])
    machine = Machine(environment, started, continuation["steps"])
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
    visit = _read_item(frame, continuation["visit"])
    if not isinstance(visit, Visit):
        raise ValueError("The state of the paused run is damaged: no node waits in it.")  # noqa: TRY004
    return machine, visit


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
            [number, [_write_token(token) for token in tokens]]
            for number, tokens in frame.waiting.items()
        ],
        "last": frame.last,
        "parts": frame.parts,
        "loop": loop
        and {
            "node": loop.node,
            "position": loop.position,
            "token": _write_token(loop.token),
            "results": loop.results,
            "failures": loop.failures,
            "first_failure": loop.first_failure and list(loop.first_failure),
            "first_input": loop.first_input,
        },
        "sub_run": sub_run
        and {
            "node": sub_run.node,
            "token": _write_token(sub_run.token),
            "name": sub_run.name,
            "by_edge": sub_run.by_edge,
        },
    }


def _read_frame(frame: Frame, written: JsonObject) -> None:
    frame.executed = dict(map(tuple, written["executed"]))
    frame.arriving = dict(map(tuple, written["arriving"]))
    frame.work = [_read_item(frame, item) for item in written["work"]]
    frame.waiting = {
        number: [_read_token(frame, token) for token in tokens]
        for number, tokens in written["waiting"]
    }
    frame.last = written["last"]
    frame.parts = list(written["parts"])
    if written["loop"]:
        frame.for_each = _read_loop(frame, written["loop"])


def _read_loop(frame: Frame, written: JsonObject) -> ForEach:
    token = _read_token(frame, written["token"])
    node, position = written["node"], written["position"]
    edge = frame.plan.nodes[node].outgoing[position]
    context = {**token.results, **token.values}
    return ForEach(
        node=node,
        position=position,
        token=token,
        elements=find_list(frame.executed[node], context, edge.iterator),
        results=list(written["results"]),
        failures=written["failures"],
        first_failure=written["first_failure"] and tuple(written["first_failure"]),
        first_input=written["first_input"],
    )


def _read_sub_run(below: Frame, written: JsonObject) -> SubRun:
    token = _read_token(below, written["token"])
    return SubRun(written["node"], token, None, written["name"], written["by_edge"], None)


def _write_token(token: Token) -> list[Any]:
    return [f"{token.seen:x}", list(token.sources)]


def _read_token(frame: Frame, written: list[Any]) -> Token:
    seen, sources = written
    return frame.token(int(seen, 16), tuple(sources))


def _write_item(item: Visit | Start | Departure) -> list[Any]:
    if isinstance(item, Start):
        return ["start", item.node]
    if isinstance(item, Visit):
        return ["visit", item.node, _write_token(item.token)]
    return ["departure", item.node, item.position, _write_token(item.token)]


def _read_item(frame: Frame, written: list[Any]) -> Visit | Start | Departure:
    kind = written[0]
    if kind == "start":
        return Start(written[1])
    if kind == "visit":
        return Visit(written[1], _read_token(frame, written[2]))
    return Departure(written[1], written[2], _read_token(frame, written[3]))
