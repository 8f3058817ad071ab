"""Running a FOREACH: its elements one after the other, or several at the same time (`elements`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .failures import NodeFailure
from .frames import FollowEdges, ForEach, RunElements, element_frame
from .outcome import failure_reason, find_list, is_failure, no_list
from .templates import MISSING

if TYPE_CHECKING:
    from .frames import Frame
    from .plan import PlannedEdge
    from .runner import Runner


def begin_loop(machine: Runner, frame: Frame, follow: FollowEdges, edge: PlannedEdge) -> None:
    """Begin to run the target of a FOREACH, and everything downstream of it, for each element of a list.

    Raises:
        NodeFailure: The node has no list.
    """
    node = frame.plan.nodes[follow.node]
    result = frame.executed[follow.node]
    activation = follow.activation
    elements = find_list(result, activation.context(), edge.iterator)
    if elements is MISSING:
        if is_failure(result) and node.handles_failure:
            machine.arrive(frame, edge.target, None)
            return
        reason = no_list(result, edge.iterator)
        if node.policy.on_failure != "continue":
            raise NodeFailure(node.id, reason, activation.values)
        frame.failed_nodes[node.id] = None
        frame.note_failure(node.id, reason)
        machine.arrive(frame, edge.target, None)
        return
    # Within an element that is one of several, all goes one after the other.
    at_once = 1 if machine.is_lane else min(node.policy.concurrency, machine.limits.concurrency)
    loop = ForEach(follow.node, follow.position, activation, elements, at_once)
    frame.for_each = loop
    if at_once == 1:
        next_element(machine, frame, loop)
    else:
        frame.work.append(RunElements())


def next_element(machine: Runner, frame: Frame, loop: ForEach) -> None:
    """Go on to the next element, or to the end of the FOREACH."""
    index = len(loop.results)
    if index == len(loop.elements):
        end_loop(machine, frame, loop)
        return
    machine.check_depth(frame.plan.nodes[loop.node].id)
    machine.frames.append(element_frame(frame, loop, index))


def end_loop(machine: Runner, frame: Frame, loop: ForEach) -> None:
    """Add the results of the elements to the node's own.

    Raises:
        NodeFailure: All elements failed, or the results together are too large.
    """
    node = frame.plan.nodes[loop.node]
    if loop.first_failure and loop.failures == len(loop.elements):
        failed, reason = loop.first_failure
        reason = f"all {loop.failures} elements of '{node.id}' failed; the first: {reason}"
        if node.policy.on_failure != "continue":
            raise NodeFailure(failed, reason, loop.first_input)
        frame.failed_nodes[node.id] = None
    result = frame.executed[loop.node]
    result = {**(result if isinstance(result, dict) else {}), "results": loop.results}
    sizes = machine.budget.sizes
    sizes.learn(loop.results, sizes.of_list(loop.results))
    try:
        frame.executed[loop.node] = machine.check_result(result)
    except ValueError as problem:
        raise NodeFailure(node.id, str(problem), loop.activation.values) from None
    frame.for_each = None
    frame.last = loop.node
    if loop.position + 1 < len(node.outgoing):
        # The node's later edges are the next work: they see its result with `results` added.
        rest = frame.work[-1]
        assert isinstance(rest, FollowEdges), "the node's later edges are next"  # noqa: S101
        rest.activation = loop.activation.after(loop.node, node.id, result)
    target = node.outgoing[loop.position].target
    # The target ran in the frames of the elements; in this frame it never does.
    machine.arrive(frame, target, None)


def element_failure(frame: Frame, result: Any) -> NodeFailure | None:
    """Return the failure of an element that ran to its end, if its result is one."""
    if not is_failure(result) or frame.last is None:
        return None
    node = frame.plan.nodes[frame.last].id
    return NodeFailure(node, failure_reason(result), frame.root.values)


def failed_element(frame: Frame, failure: NodeFailure) -> dict[str, Any]:
    """Return the result of an element that a failure ended."""
    frame.failed_nodes[failure.node] = None
    return {"success": False, "error": str(failure)}


def note_element(loop: ForEach, result: Any, failure: NodeFailure | None) -> None:
    """Note how the next element of a FOREACH ended."""
    loop.results.append(result)
    if failure:
        loop.failures += 1
        if loop.first_failure is None:
            loop.first_failure = (failure.node, failure.reason)
            loop.first_input = failure.given


def end_element(machine: Runner, result: Any, failure: NodeFailure | None) -> None:
    """Note how an element ended whose frame was the last one, and go on."""
    frame = machine.frames[-1]
    loop = frame.for_each
    assert loop is not None, "an element's frame stands on that of its FOREACH"  # noqa: S101
    note_element(loop, result, failure)
    next_element(machine, frame, loop)
