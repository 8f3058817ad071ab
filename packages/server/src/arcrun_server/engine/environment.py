"""What a run needs from outside: components, secrets, other workflows, the time, limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from .policy import MAX_CONCURRENCY
from .sizes import rough_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from .model import Graph, JsonObject
    from .result import RunResult, TraceEntry


class ComponentError(Exception):
    """What a component raises to fail its node; the message is for the author of the workflow.

    Args:
        message: Why.
        record: What the run records of it besides, by field: what was used all the same.
        kind: The kind of the failure (`policy.KINDS`), for `retry`; None for any other.
        retry_after: In how many seconds the service that failed wants to be asked again, if it says so.

    Example:
        >>> str(ComponentError("`url` is missing"))
        '`url` is missing'
    """

    def __init__(
        self,
        message: str = "",
        record: JsonObject | None = None,
        *,
        kind: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.record: JsonObject = record or {}
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True)
class RunLimits:
    """How much one run may use; sub-workflows share the limits of the run that calls them.

    Attributes:
        steps: Nodes that may run; each element of a FOREACH counts anew.
        seconds: Wall-clock time. A paused run gets the full time again when it is resumed.
        output_bytes: Size of one node's result as JSON, of what templates put into one node's
            data, and of the run's data.
        output_values: How many values one list or object in a node's result may have.
        total_bytes: Size of all results of a run together.
        trace_bytes: Size of what the trace shows of inputs and results. What does not fit is left out.
        depth: How deep FOREACH and sub-workflows may be nested, together.
        concurrency: How many elements of a FOREACH may be run at the same time, however many a node allows.
    """

    steps: int = 10_000
    seconds: float = 120.0
    output_bytes: int = 4 * 1024 * 1024
    output_values: int = 100_000
    total_bytes: int = 32 * 1024 * 1024
    trace_bytes: int = 4 * 1024 * 1024
    depth: int = 16
    concurrency: int = MAX_CONCURRENCY


@dataclass(frozen=True)
class Invocation:
    """What a component is handed besides its input.

    Attributes:
        node_id: The node that is being run.
        workflow: The name of its workflow; None if the graph has none.
        started: When the run started (UTC); the same for every node of a run.
        deadline: When the run's time is over, on the clock of `time.monotonic`.
        look_up: Finds a dotted path of a template (`ctx.a`, `input.b`, `prev.c`, `loop.item`,
            `node.d`); returns `(found, value)`.
        own: The node's own data, its placeholders filled. What steers a request (where to, how,
            with what) is read here and never in the input, where the context would set what the
            node left out.
        written: The node's own data as it was pushed.
        place: Returns where in the run this is, as `Step.place`.
        credentials: The credentials that it names.
        fill: Fills the placeholders of a text of `written`, each value written by a function.
        repeat_key: The same for each repetition of this invocation, so that a service can tell that it has done
            what it is asked for. None if the invocation is not repeated.
        measure: Measures a value as `rough_size`, but what the run knows already only once.
    """

    node_id: str
    started: datetime
    deadline: float
    look_up: Callable[[str], tuple[bool, Any]]
    workflow: str | None = None
    own: JsonObject = field(default_factory=dict, repr=False)
    written: JsonObject = field(default_factory=dict, repr=False)
    credentials: frozenset[str] = frozenset()
    place: Callable[[], str] = field(default=str, repr=False)
    fill: Callable[[str, Callable[[Any], str]], str] = field(
        default=lambda text, _write: text, repr=False
    )
    repeat_key: str | None = None
    measure: Callable[[Any, int], int] = field(default=rough_size, repr=False)


Component: TypeAlias = "Callable[[JsonObject, Invocation], Awaitable[Any]]"
"""A component: takes its input and an invocation, returns JSON. It must not change its input.

A failure that the workflow may handle is a result `{"success": false, "error": …}`; an exception
fails the node (`ON_FAIL` edges still run), and its text goes into the run's error.
"""


@dataclass(frozen=True)
class Step:
    """One attempt at an invocation of a component in a run.

    Attributes:
        node_id: The node.
        component: The component's id.
        place: Returns where in the run the invocation is: the FOREACH elements and sub-workflows around the node, then
            the node, as `read_stale.0[2]/write_wiki` for element 2 of the FOREACH of edge 0 of `read_stale`. No two
            invocations of a run have the same place, and a run that is executed again on the same results has the same
            places, so a place names what must happen once. Elements that run at the same time come to their steps in
            any order; place and attempt are the same whatever the order.
        attempt: Which attempt it is, from 1. All attempts at an invocation have its place.
        repeatable: Whether it may be invoked again if nobody knows whether it has done its work.
    """

    node_id: str
    component: str
    place: Callable[[], str] = field(repr=False)
    attempt: int = 1
    repeatable: bool = True


class StepResult(NamedTuple):
    """What a step returned.

    Attributes:
        value: The component's result, with the credentials of the node redacted.
        duration_ms: How long it took when it was executed, if that was not now.
    """

    value: Any
    duration_ms: float | None = None


Invoke: TypeAlias = "Callable[[str | None], Awaitable[Any]]"


class Environment(Protocol):
    """What a run needs from where it runs; every look-up is for the run's own account."""

    @property
    def limits(self) -> RunLimits:
        """Return the limits of this run."""
        ...

    def now(self) -> datetime:
        """Return the current time, with a time zone."""
        ...

    async def resolve(self, component_id: str) -> Component | None:
        """Find a component; return None if it does not exist.

        Built-ins (`comp_*`) and `trigger_workflow` never get here: the engine runs them itself.

        Raises:
            InvocationFailure: It exists, but can't be used; the node fails with this reason.
        """
        ...

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        """Invoke a component, or return what it returned in an earlier execution of this run.

        Args:
            step: Which invocation it is.
            invoke: Invokes the component and returns its redacted result. It takes the key under which the
                invocation may be repeated, if it may be, for `Invocation.repeat_key`.

        Raises:
            InvocationFailure: The component failed, now or then; with the kind that it had then.
        """
        ...

    async def pause(self, step: Step, seconds: float) -> None:
        """Wait before an attempt.

        Args:
            step: The attempt that comes next.
            seconds: How long.
        """
        ...

    async def secret(self, name: str) -> str | None:
        """Return a credential's plaintext, or None if it does not exist.

        Raises:
            InvocationFailure: It exists, but can't be opened; the node fails with this reason.
        """
        ...

    async def workflow(self, name: str) -> Graph | None:
        """Return another workflow's graph, or None if it does not exist."""
        ...

    async def delivered(self, component_id: str, place: str, pending: Any, data: Any) -> Any:
        """Return the result of a node that has waited for a callback.

        Args:
            component_id: Its component.
            place: Where in the run it is, as `Step.place`.
            pending: What the component returned when it began to wait.
            data: What the callback brought; None if it brought nothing.

        Raises:
            InvocationFailure: The node fails with this reason.
        """
        ...

    def sub_run_ended(self, name: str, started: datetime | None, result: RunResult) -> None:
        """Take note of how the run of another workflow ended."""
        ...

    def traced(self, trace: Sequence[TraceEntry]) -> None:
        """Take the trace of the run, which grows as its nodes end."""
        ...


def delivered_result(data: Any) -> Any:
    """Return the result of a node whose callback brought this, and no component reads it."""
    return {"success": True} if data is None else data


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class MemoryEnvironment:
    """An environment that holds everything in memory, for embedding and for tests.

    Example:
        >>> import asyncio
        >>> from arcrun_server.engine import MemoryEnvironment, compile_flow, run_graph
        >>> async def greet(given, invocation):
        ...     return {"greeting": f"你好,{given['name']}"}
        >>> graph = compile_flow(["input >> 完成後 >> 問候"], {"問候": {"component": "greet"}})
        >>> environment = MemoryEnvironment(components={"greet": greet})
        >>> asyncio.run(run_graph(graph, {"name": "小明"}, environment)).data
        {'greeting': '你好,小明'}
    """

    components: Mapping[str, Component] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    workflows: Mapping[str, Graph] = field(default_factory=dict)
    limits: RunLimits = RunLimits()
    clock: Callable[[], datetime] = _utc_now
    sub_runs: list[tuple[str, RunResult]] = field(default_factory=list, repr=False)

    def now(self) -> datetime:
        """Return the clock's time."""
        return self.clock()

    async def resolve(self, component_id: str) -> Component | None:
        """Find a component by its id."""
        return self.components.get(component_id)

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        """Invoke a component; nothing is recorded."""
        del step
        return StepResult(await invoke(None))

    async def pause(self, _step: Step, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def secret(self, name: str) -> str | None:
        """Return a secret by its name."""
        return self.secrets.get(name)

    async def workflow(self, name: str) -> Graph | None:
        """Find a workflow by its name."""
        return self.workflows.get(name)

    async def delivered(self, component_id: str, place: str, pending: Any, data: Any) -> Any:
        """Return what the callback brought."""
        del component_id, place, pending
        return delivered_result(data)

    def sub_run_ended(self, name: str, started: datetime | None, result: RunResult) -> None:
        """Keep how the run of another workflow ended, in `sub_runs`."""
        del started
        self.sub_runs.append((name, result))

    def traced(self, trace: Sequence[TraceEntry]) -> None:
        """Do nothing: the trace is in the result."""
