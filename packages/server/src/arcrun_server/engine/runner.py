"""What the parts of the machine (`for_each`, `elements`, `sub_runs`) need of it, and a lane of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .budget import RunBudget, TraceRoom
    from .environment import Environment, RunLimits
    from .failures import NodeFailure, PauseRequest
    from .frames import Activation, Frame, RunNode
    from .model import JsonObject
    from .plan import ExecutionPlan, PlannedNode
    from .result import TraceEntry
    from .scope import Scope


@dataclass
class Lane:
    """An element of a FOREACH that is run beside others and has begun.

    Attributes:
        index: Its position in the list.
        machine: Runs it.
        frame: Its frame.
        pause: What it waits for, if it does.
        delivered: The node that waited, with its result or why it failed, once that has come.
        is_done: Whether it has ended.
        result: Its result.
        failure: Why it failed, if it did.
    """

    index: int
    machine: Runner
    frame: Frame
    pause: PauseRequest | None = None
    delivered: tuple[RunNode, Any, str | None] | None = None
    is_done: bool = False
    result: Any = None
    failure: NodeFailure | None = None


class Runner(Protocol):
    """The machine; what its members mean is said there."""

    environment: Environment
    limits: RunLimits
    budget: RunBudget
    frames: list[Frame]
    lanes: dict[int, Lane]
    current: tuple[str, Any]
    trace_room: TraceRoom
    is_lane: bool

    @property
    def own_frames(self) -> list[Frame]:
        """Return the frames that no other machine runs."""
        ...

    async def run(self) -> Any:
        """Run to the end."""
        ...

    def lane(self, frame: Frame, room: TraceRoom) -> Runner:
        """Return a machine that runs a frame beside others."""
        ...

    def open(self, plan: ExecutionPlan, run_input: JsonObject) -> None:
        """Push the frame of a graph."""
        ...

    def arrive(self, frame: Frame, target: int, activation: Activation | None) -> None:
        """Let an edge arrive at its target."""
        ...

    def complete(self, frame: Frame, number: int, activation: Activation, result: Any) -> None:
        """Record a node's result, and go on."""
        ...

    def fail(self, frame: Frame, item: RunNode, entry: TraceEntry, reason: str) -> None:
        """Record a node's failure."""
        ...

    def deliver(self, frame: Frame, item: RunNode, result: Any, error: str | None) -> None:
        """Deliver what a callback brought."""
        ...

    def record(self, frame: Frame, entry: TraceEntry) -> None:
        """Put an entry into the trace."""
        ...

    def scope(self, frame: Frame, activation: Activation) -> Scope:
        """Return what a node's templates see."""
        ...

    def note_unresolved(
        self, frame: Frame, node: PlannedNode, sources: list[str], entry: TraceEntry
    ) -> None:
        """Note placeholders that have no value."""
        ...

    def check_result(self, result: Any) -> Any:
        """Return a result if it is valid."""
        ...

    def check_depth(self, node: str) -> None:
        """Check that one more frame may be put on these."""
        ...

    def abandon(self, failure: NodeFailure) -> None:
        """Report the sub-workflows that were cut off."""
        ...
