"""The state of a run: frames, each with its work, and the activations that travel along edges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from .model import JsonObject
    from .plan import ExecutionPlan
    from .result import RunWarning, TraceEntry

MAX_WARNINGS = 100


class Activation:
    """What travels along an edge: which nodes have run on the way, and the context that they left.

    The context (docs/contract.md#execution) is kept in two layers, so that a built-in component can
    return the values without the results of all nodes before it.

    Attributes:
        seen: The nodes whose results are in the context, as a bit mask: bit N is set for the node
            with number N. Merging the activations of several edges is then `|`, and `Frame.rebuild`
            needs nothing else to build a context again.
        sources: The nodes that the activation comes from; their results are `prev`.
        values: The fields of the input and of results; of two writes the later one counts.
        results: Whole results, by node id.
    """

    __slots__ = ("results", "seen", "sources", "values")

    def __init__(
        self, seen: int, sources: tuple[int, ...], values: JsonObject, results: JsonObject
    ) -> None:
        self.seen = seen
        self.sources = sources
        self.values = values
        self.results = results

    def context(self) -> JsonObject:
        """Return the whole context. A node's id means its result, whatever fields other results have."""
        return {**self.values, **self.results}

    def context_of(self, name: str) -> JsonObject:
        """Return the layer in which a name of the context is to be found."""
        return self.results if name in self.results else self.values

    def after(self, number: int, node_id: str, result: Any) -> Activation:
        """Return the activation that leaves a node: the context with the node's result added."""
        values = {**self.values, **result} if isinstance(result, dict) else self.values
        if node_id in values:
            # By its id, the node's whole result is meant, not a field of that name.
            values = {key: value for key, value in values.items() if key != node_id}
        results = {**self.results, node_id: result}
        return Activation(self.seen | 1 << number, (number,), values, results)


@dataclass(slots=True)
class RunNode:
    """Work to do: run a node."""

    node: int
    activation: Activation


@dataclass(slots=True)
class StartNode:
    """Work to do: run a node that starts the run."""

    node: int


@dataclass(slots=True)
class FollowEdges:
    """Work to do: follow a node's outgoing edges, from one of them on."""

    node: int
    position: int
    activation: Activation


@dataclass(slots=True)
class RunElements:
    """Work to do: run the elements of a FOREACH, several at the same time."""


WorkItem: TypeAlias = "RunNode | StartNode | FollowEdges | RunElements"


@dataclass
class ForEach:
    """A FOREACH that is running, in the frame of the node that it leaves.

    Attributes:
        node: The node whose edge it is.
        position: That edge's position among the node's outgoing edges.
        activation: The context that the elements see.
        elements: The list.
        results: The last result of each element that is done.
        failures: How many of them failed.
        first_failure: The node that failed first, and why.
        first_input: What that node was given.
        at_once: How many elements are run at the same time.
    """

    node: int
    position: int
    activation: Activation
    elements: list[Any]
    at_once: int = 1
    results: list[Any] = field(default_factory=list)
    failures: int = 0
    first_failure: tuple[str, str] | None = None
    first_input: Any = None


@dataclass
class SubRun:
    """The run of another workflow, for a node that called it.

    Attributes:
        node: The calling node, in the frame below.
        activation: The context that came to that node.
        entry: What the trace says of the node so far; None if the run has paused since.
        name: The workflow that is run.
        by_edge: Whether a CALLS_SUBFLOW edge called it, and not the component.
        began: When, on the clock of `time.perf_counter`; None if the run has paused since.
        started: The time at which it began; None if the run has paused since.
    """

    node: int
    activation: Activation
    entry: TraceEntry | None
    name: str
    by_edge: bool
    began: float | None
    started: datetime | None = None


@dataclass
class Frame:
    """A graph that is being run, or the part of it that a FOREACH runs for each element.

    Attributes:
        plan: The graph.
        root: The context that it starts with.
        prev: What its first node sees as `prev`.
        run_input: What its nodes see as `input`.
        loop: What they see as `loop`, if anything.
        arriving: How many edges may still arrive at each node.
        work: What is to be done; the last item is done next.
        waiting: Activations that wait at a node for others to arrive.
        executed: The result of each node that has run, in the order of the run.
        last: The node whose result is the data so far; None while there is none.
        parts: The nodes whose results are the data of the start nodes that are done.
        for_each: The FOREACH of which the frame above this one runs an element.
        sub_run: Set if this frame is another workflow that the frame below called.
        trace: Where its nodes are recorded.
        entries: The entries of its own nodes there, by node id: each runs once in a frame.
        warnings: The placeholders without a value, by node and placeholder.
        failed_nodes: The nodes whose failure no ON_FAIL edge took, as keys in the order of the run.
    """

    plan: ExecutionPlan
    root: Activation
    prev: Any
    run_input: JsonObject
    loop: JsonObject | None
    arriving: dict[int, int]
    work: list[WorkItem] = field(default_factory=list)
    waiting: dict[int, list[Activation]] = field(default_factory=dict)
    executed: dict[int, Any] = field(default_factory=dict)
    last: int | None = None
    parts: list[int] = field(default_factory=list)
    for_each: ForEach | None = None
    sub_run: SubRun | None = None
    trace: list[TraceEntry] = field(default_factory=list)
    entries: dict[str, TraceEntry] = field(default_factory=dict)
    warnings: dict[tuple[str, str], RunWarning] = field(default_factory=dict)
    failed_nodes: dict[str, None] = field(default_factory=dict)

    def warn(self, node: str, placeholders: list[str]) -> None:
        """Note placeholders of a node that have no value, each once."""
        for source in placeholders:
            if len(self.warnings) < MAX_WARNINGS:
                self.warnings[node, source] = {"node": node, "placeholder": source}

    def note_failure(self, node: str, reason: str) -> None:
        """Let the trace say of a node that failed after its component had returned, as a FOREACH without a list."""
        entry = self.entries.get(node)
        if entry is not None and "error" not in entry:
            entry["error"] = reason

    def rebuild(self, seen: int, sources: tuple[int, ...]) -> Activation:
        """Build an activation again from the results of the nodes that it has seen.

        `executed` holds them in the order of the run, so that later writes win as they did then.

        Args:
            seen: The nodes, as a bit mask.
            sources: The nodes that the activation comes from.
        """
        values, results = dict(self.root.values), dict(self.root.results)
        for number, result in self.executed.items():
            if seen >> number & 1:
                node_id = self.plan.nodes[number].id
                if isinstance(result, dict):
                    values.update(result)
                values.pop(node_id, None)
                results[node_id] = result
        return Activation(seen, sources, values, results)

    def merge(self, activations: list[Activation]) -> Activation:
        """Merge the activations that arrived at one node: of two writes the later one counts."""
        if len(activations) == 1:
            return activations[0]
        seen, sources = 0, []
        for activation in activations:
            seen |= activation.seen
            sources += [number for number in activation.sources if number not in sources]
        return self.rebuild(seen, tuple(sources))

    def previous(self, activation: Activation) -> Any:
        """Return `prev` for an activation: the result of the node before; of several, merged."""
        if not activation.sources:
            return self.prev
        return merge_results([self.executed[number] for number in activation.sources])

    def data(self) -> Any:
        """Return the result of the frame: of the last edge that ran; of several start nodes, merged."""
        parts = [*self.parts, *([] if self.last is None else [self.last])]
        return merge_results([self.executed[number] for number in dict.fromkeys(parts)])


def element_frame(frame: Frame, loop: ForEach, index: int) -> Frame:
    """Return the frame that runs one element of a FOREACH, and everything downstream of it."""
    edge = frame.plan.nodes[loop.node].outgoing[loop.position]
    element = loop.elements[index]
    results = loop.activation.results
    if edge.iterator in results:
        results = {key: value for key, value in results.items() if key != edge.iterator}
    root = Activation(0, (), {**loop.activation.values, edge.iterator: element}, results)
    return Frame(
        plan=frame.plan,
        root=root,
        prev=frame.executed[loop.node],
        run_input=frame.run_input,
        loop={"item": element, "index": index},
        arriving=dict(frame.plan.region(edge.target)),
        work=[RunNode(edge.target, root)],
        trace=frame.trace,
        warnings=frame.warnings,
        failed_nodes=frame.failed_nodes,
    )


def place_of(frames: list[Frame], node_id: str) -> str:
    """Return where a node runs: the FOREACH elements and the sub-workflows around it, then its id.

    A node runs once in a frame, so no two invocations of a run have the same place. Characters that separate the
    parts are escaped in ids, which may hold any of them.

    Args:
        frames: The frames of the run.
        node_id: The node, in the last of them.
    """
    parts = []
    for below, frame in itertools.pairwise(frames):
        loop = below.for_each
        if frame.sub_run is not None:
            parts.append(f"{_escaped(below.plan.nodes[frame.sub_run.node].id)}()")
        elif loop is not None and frame.loop is not None:
            node = _escaped(below.plan.nodes[loop.node].id)
            parts.append(f"{node}.{loop.position}[{frame.loop['index']}]")
    return "/".join([*parts, _escaped(node_id)])


def _escaped(node_id: str) -> str:
    return node_id.replace("%", "%25").replace("/", "%2F")


def merge_results(results: list[Any]) -> Any:
    """Merge results, later over earlier; if one of them is not an object, the last one counts."""
    if len(results) == 1:
        return results[0]
    if all(isinstance(result, dict) for result in results):
        return {key: value for result in results for key, value in result.items()}
    return results[-1]
