"""Where a run stands: the context that travels along the edges, and the frames it runs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import TIME_NAMES, time_variables
from .flow import node_id
from .sizes import ByteBudget
from .templates import MISSING, find

if TYPE_CHECKING:
    from datetime import datetime

    from .model import JsonObject
    from .placeholders import Placeholder
    from .plan import ExecutionPlan
    from .result import TraceEntry


_WARNINGS = 20
_WARNING_LENGTH = 200


class Token:
    """What travels along an edge: which nodes have run on the way, and the context they left.

    The context of CONTRACT.md §6 is kept in two layers, so that a built-in can give back the
    values without the results of all nodes before it: {**results, **values} is the whole.

    Attributes:
        seen: A bit for each node whose result is in the context.
        sources: The nodes that the token comes from; their results are `prev`.
        values: Input and result fields, the last write winning.
        results: Whole results by node id.
    """

    __slots__ = ("results", "seen", "sources", "values")

    def __init__(
        self, seen: int, sources: tuple[int, ...], values: JsonObject, results: JsonObject
    ) -> None:
        self.seen = seen
        self.sources = sources
        self.values = values
        self.results = results

    def after(self, number: int, identity: str, result: Any) -> Token:
        """Give the token that leaves a node: the context, the result, and the result by node."""
        values = {**self.values, **result} if isinstance(result, dict) else self.values
        if identity in values:
            values = {key: value for key, value in values.items() if key != identity}
        return Token(self.seen | 1 << number, (number,), values, {**self.results, identity: result})


@dataclass
class Visit:
    """To do: run a node."""

    node: int
    token: Token


@dataclass
class Start:
    """To do: run a node that starts the run."""

    node: int


@dataclass
class Departure:
    """To do: follow a node's outgoing edges, from one of them on."""

    node: int
    position: int
    token: Token


@dataclass
class ForEach:
    """A FOREACH under way: the elements so far, in the frame of the node that it leaves.

    Attributes:
        node: The node whose edge it is.
        position: That edge's place among the node's outgoing edges.
        token: The context that the elements see.
        elements: The list.
        results: The last result of each element that is done.
        failures: How many of them failed.
        first_failure: The node that failed first, and why.
        first_input: What that node got.
    """

    node: int
    position: int
    token: Token
    elements: list[Any]
    results: list[Any] = field(default_factory=list)
    failures: int = 0
    first_failure: tuple[str, str] | None = None
    first_input: Any = None


@dataclass
class SubRun:
    """Another workflow under way, for a node that called it.

    Attributes:
        node: The calling node, in the frame below.
        token: The context that came to that node.
        given: What the node got, for the trace.
        name: The workflow that is run.
        by_edge: Whether a CALLS_SUBFLOW edge called it, and not the component.
        began: When, on the clock of `time.perf_counter`; None if the run has paused since.
    """

    node: int
    token: Token
    given: Any
    name: str
    by_edge: bool
    began: float | None


@dataclass
class Frame:
    """One graph, or the part of it that a FOREACH repeats, being run.

    Attributes:
        plan: The graph.
        root: The context that it starts with.
        prev: What its first node sees as `prev`.
        run_input: What its nodes see as `input`.
        loop: What they see as `loop`, if anything.
        arriving: How many edges may still arrive at each node.
        work: What is to be done, the next thing last.
        waiting: Tokens that wait at a node for others to arrive.
        executed: The result of each node that has run, in the order of the run.
        last: The node whose result is the data so far; None while there is none.
        parts: The nodes whose results are the data of the starts that are done.
        for_each: The FOREACH that a frame above this one runs an element of.
        sub_run: Set if this frame is another workflow that the frame below called.
        trace: Where its nodes are noted down.
    """

    plan: ExecutionPlan
    root: Token
    prev: Any
    run_input: JsonObject
    loop: JsonObject | None
    arriving: dict[int, int]
    work: list[Visit | Start | Departure] = field(default_factory=list)
    waiting: dict[int, list[Token]] = field(default_factory=dict)
    executed: dict[int, Any] = field(default_factory=dict)
    last: int | None = None
    parts: list[int] = field(default_factory=list)
    for_each: ForEach | None = None
    sub_run: SubRun | None = None
    trace: list[TraceEntry] = field(default_factory=list)

    def token(self, seen: int, sources: tuple[int, ...]) -> Token:
        """Build the context of a token anew: what the nodes that it has seen wrote, in order."""
        values, results = dict(self.root.values), dict(self.root.results)
        for number, result in self.executed.items():
            if seen >> number & 1:
                identity = self.plan.nodes[number].id
                if isinstance(result, dict):
                    values.update(result)
                values.pop(identity, None)
                results[identity] = result
        return Token(seen, sources, values, results)

    def merged(self, tokens: list[Token]) -> Token:
        """Merge the tokens that arrived at one node: of two writes the later one counts."""
        if len(tokens) == 1:
            return tokens[0]
        seen, sources = 0, []
        for token in tokens:
            seen |= token.seen
            sources += [number for number in token.sources if number not in sources]
        return self.token(seen, tuple(sources))

    def previous(self, token: Token) -> Any:
        """Give `prev` for a token: the result of the node before; of several, merged."""
        if not token.sources:
            return self.prev
        return merge_results([self.executed[number] for number in token.sources])

    def data(self) -> Any:
        """Give the result of the frame: of the last edge that ran; of several starts, merged."""
        parts = [*self.parts, *([] if self.last is None else [self.last])]
        return merge_results([self.executed[number] for number in dict.fromkeys(parts)])


def element_frame(frame: Frame, loop: ForEach, index: int) -> Frame:
    """Make the frame that runs one element of a FOREACH, and everything downstream of it."""
    edge = frame.plan.nodes[loop.node].outgoing[loop.position]
    element = loop.elements[index]
    results = loop.token.results
    if edge.iterator in results:
        results = {key: value for key, value in results.items() if key != edge.iterator}
    root = Token(0, (), {**loop.token.values, edge.iterator: element}, results)
    return Frame(
        plan=frame.plan,
        root=root,
        prev=frame.executed[loop.node],
        run_input=frame.run_input,
        loop={"item": element, "index": index},
        arriving=dict(frame.plan.region(edge.target)),
        work=[Visit(edge.target, root)],
        trace=frame.trace,
    )


def merge_results(results: list[Any]) -> Any:
    """Merge results, later over earlier; if one of them is no object, the last one counts."""
    if all(isinstance(result, dict) for result in results):
        return {key: value for result in results for key, value in result.items()}
    return results[-1]


class TimeVariables:
    """The time variables of a run, made when the first one is asked for."""

    __slots__ = ("_values", "started")

    def __init__(self, started: datetime) -> None:
        self.started = started
        self._values: JsonObject | None = None

    def values(self) -> JsonObject:
        """Give them all."""
        if self._values is None:
            self._values = time_variables(self.started)
        return self._values


class Sight:
    """What a node's templates and conditions can see (the roots of CONTRACT.md §6)."""

    __slots__ = ("_frame", "_most", "_secrets", "_time", "_token", "unresolved")

    def __init__(self, frame: Frame, token: Token, time: TimeVariables, most: int) -> None:
        self._frame = frame
        self._token = token
        self._time = time
        self._most = most
        self._secrets: dict[str, str] | None = None
        self.unresolved: list[str] = []

    def with_secrets(self, secrets: dict[str, str]) -> Sight:
        """Give a sight in which the places of credentials have values."""
        sight = Sight(self._frame, self._token, self._time, self._most)
        sight._secrets = secrets
        return sight

    def budget(self) -> ByteBudget:
        """Give the allowance for what templates put into one node's data."""
        return ByteBudget(self._most, "what its templates put in")

    def look_up(self, placeholder: Placeholder) -> Any:
        """Find the value of a template's place; remember those that point nowhere."""
        if placeholder.credential is not None:
            return MISSING if self._secrets is None else self._secrets[placeholder.credential]
        value = self.find(placeholder.path)
        if value is MISSING and len(self.unresolved) < _WARNINGS:
            self.unresolved.append(placeholder.source[:_WARNING_LENGTH])
        return value

    def find_text(self, path: str) -> tuple[bool, Any]:
        """Find a dotted path, as conditions and components ask for it."""
        value = self.find(tuple(path.split(".")))
        return (False, None) if value is MISSING else (True, value)

    def find(self, path: tuple[str, ...]) -> Any:
        """Find a path: the roots first, then the context, then results by node."""
        value = self._from_root(path[0], path[1:])
        if value is MISSING:
            value = find(self._token.values, path)
        if value is MISSING:
            value = find(self._token.results, path)
        if value is MISSING:
            value = self._by_written_name(path)
        return value

    def _from_root(self, root: str, rest: tuple[str, ...]) -> Any:
        if root in TIME_NAMES:
            return find(self._time.values()[root], rest)
        if root == "input":
            return find(self._frame.run_input, rest)
        if root == "prev":
            return find(self._frame.previous(self._token), rest)
        if root == "loop" and self._frame.loop is not None:
            return find(self._frame.loop, rest)
        if root == "ctx":
            return find({**self._token.results, **self._token.values}, rest)
        return MISSING

    def _by_written_name(self, path: tuple[str, ...]) -> Any:
        """Find a node by the name in its flow, which may hold dots, capitals and spaces."""
        for length in range(1, len(path) + 1):
            identity = node_id(".".join(path[:length]))
            if identity in self._token.results:
                value = find(self._token.results[identity], path[length:])
                if value is not MISSING:
                    return value
        return MISSING
