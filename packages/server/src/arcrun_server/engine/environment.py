"""What a run is handed from outside: components, secrets, other workflows, the time, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from .model import Graph, JsonObject


class ComponentError(Exception):
    """What a component raises to fail its node, with a sentence for the person who wrote the flow.

    Example:
        >>> str(ComponentError("`url` is missing"))
        '`url` is missing'
    """


@dataclass(frozen=True)
class RunLimits:
    """How much one run may use; sub-workflows share the limits of the run that calls them.

    Attributes:
        steps: Nodes that may run; each element of a FOREACH counts anew.
        seconds: Wall-clock time. A paused run gets the full time again when it is resumed.
        output_bytes: Size of one node's result as JSON, of what templates put into one node's
            data, and of the run's data.
        total_bytes: Size of all results of a run together.
        depth: How deep FOREACH and sub-workflows may be nested, together.
    """

    steps: int = 10_000
    seconds: float = 120.0
    output_bytes: int = 4 * 1024 * 1024
    total_bytes: int = 128 * 1024 * 1024
    depth: int = 16


@dataclass(frozen=True)
class Invocation:
    """What a component is handed besides its input.

    Attributes:
        node_id: The node that is being run.
        started: When the run started (UTC); the same for every node of a run.
        deadline: When the run's time is over, on the clock of `time.monotonic`.
        look_up: Finds a dotted path of a template (`ctx.a`, `input.b`, `prev.c`, `loop.item`,
            `node.d`); answers `(found, value)`.
    """

    node_id: str
    started: datetime
    deadline: float
    look_up: Callable[[str], tuple[bool, Any]]


Component: TypeAlias = "Callable[[JsonObject, Invocation], Awaitable[Any]]"
"""A component: gets its input and the circumstances, answers JSON. It must not change its input.

A failure that the workflow may handle is an answer `{"success": false, "error": …}`; an exception
fails the node (`ON_FAIL` edges still run), and its text goes into the run's error.
"""


class Environment(Protocol):
    """What a run needs from the house it runs in; every look-up is for the run's own tenant."""

    @property
    def limits(self) -> RunLimits:
        """The limits of this run."""
        ...

    def now(self) -> datetime:
        """Give the present time, with a time zone."""
        ...

    async def resolve(self, component_id: str) -> Component | None:
        """Find a component; None if there is no such one.

        Built-ins (`comp_*`) and `trigger_workflow` never get here: the engine runs them itself.

        Raises:
            InvocationFailure: There is one, but it can't be used; the node fails with this reason.
        """
        ...

    async def secret(self, name: str) -> str | None:
        """Give a credential's plaintext; None if there is no such credential.

        Raises:
            InvocationFailure: There is one, but it can't be given; the node fails with this reason.
        """
        ...

    async def workflow(self, name: str) -> Graph | None:
        """Find another workflow's graph; None if there is no such workflow."""
        ...


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
        >>> house = MemoryEnvironment(components={"greet": greet})
        >>> asyncio.run(run_graph(graph, {"name": "小明"}, house)).data
        {'greeting': '你好,小明'}
    """

    components: Mapping[str, Component] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    workflows: Mapping[str, Graph] = field(default_factory=dict)
    limits: RunLimits = RunLimits()
    clock: Callable[[], datetime] = _utc_now

    def now(self) -> datetime:
        """Give the clock's time."""
        return self.clock()

    async def resolve(self, component_id: str) -> Component | None:
        """Find a component by its id."""
        return self.components.get(component_id)

    async def secret(self, name: str) -> str | None:
        """Give a secret by its name."""
        return self.secrets.get(name)

    async def workflow(self, name: str) -> Graph | None:
        """Find a workflow by its name."""
        return self.workflows.get(name)
