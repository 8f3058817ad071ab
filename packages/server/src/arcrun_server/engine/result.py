"""The result of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from .model import JsonObject
    from .plan import PlannedNode


class _TraceRequired(TypedDict):
    nodeId: str
    type: str
    input: Any
    output: Any
    duration_ms: float


class TraceEntry(_TraceRequired, total=False):
    """What one node was given and returned (docs/contract.md#routes). Entries are in the order of the run.

    `type` is the node's type. `error` is there if the node failed. `attempts` is how often its component was invoked, if
    that was more than once. `warnings` names placeholders that have no value and stayed as they were written. `record`
    is what the component of a node that ended the run says besides its error. No entry holds a secret.
    """

    attempts: int
    error: str
    warnings: list[str]
    record: JsonObject


def trace_entry(node: PlannedNode, given: Any, output: Any, duration: float) -> TraceEntry:
    """Return what the trace says of a node."""
    return {
        "nodeId": node.id,
        "type": node.type,
        "input": given,
        "output": output,
        "duration_ms": duration,
    }


def milliseconds(began: float) -> float:
    """Return how long ago something began, on the clock of `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1000, 3)


class RunWarning(TypedDict):
    """A placeholder of a node that had no value, and stayed as it was written."""

    node: str
    placeholder: str


@dataclass(frozen=True)
class AwaitedTask:
    """A task that a run waits for.

    Attributes:
        task_id: What the component calls it. It is not unique: elements of a FOREACH may wait for the same.
        node_id: The node that waits.
        place: Where in the run that is, as `Step.place`.
    """

    task_id: str
    node_id: str
    place: str


@dataclass(frozen=True)
class Pause:
    """A run that waits for a callback, or for several.

    Attributes:
        task_id: What the component calls the task that it waits for; of several, the first in the order of the list.
        node_id: The node that waits for it.
        continuation: The state of the run as JSON values, free of secrets, for `resume_graph`.
        tasks: All that it waits for. These are several if elements of a FOREACH are run at the same time.
    """

    task_id: str
    node_id: str
    continuation: JsonObject = field(repr=False)
    tasks: tuple[AwaitedTask, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """How a run ended: with data, with a failure, or with a pause.

    Attributes:
        success: False only for a failure; a paused run is a success so far.
        data: The result of the last edge that ran.
        trace: What each node was given and returned.
        duration_ms: How long the run took, in milliseconds.
        error: Why it failed: `Node X failed: …`.
        failed_node: The id of the node that failed; None if the graph itself could not be run.
        failed_input: What that node was given, free of secrets.
        paused: Set if the run waits for a callback.
        warnings: The placeholders that had no value.
        failed_nodes: The nodes whose failure the run went on after, though no ON_FAIL edge took it.
        usage: What the run used of language models, if whoever runs it counts that.
        run_id: Under which id the run is kept, if it is; set by whoever keeps it.
    """

    success: bool
    data: Any = field(default=None, repr=False)
    trace: list[TraceEntry] = field(default_factory=list, repr=False)
    duration_ms: float = 0.0
    error: str | None = None
    failed_node: str | None = None
    failed_input: Any = field(default=None, repr=False)
    paused: Pause | None = None
    warnings: list[RunWarning] = field(default_factory=list, repr=False)
    failed_nodes: list[str] = field(default_factory=list)
    usage: JsonObject | None = None
    run_id: str | None = None

    @property
    def verdict(self) -> Literal["success", "partial", "failed"]:
        """Return how the run ended, in a word; `partial` if it went on after a failure."""
        if not self.success or self.paused is not None:
            return "failed"
        return "partial" if self.failed_nodes else "success"

    @property
    def status(self) -> Literal["succeeded", "partial", "failed"]:
        """Return `verdict` as the status of a run that has ended."""
        return "succeeded" if self.verdict == "success" else self.verdict

    def trace_summary(self) -> list[JsonObject]:
        """Return the trace as responses about failed runs have it: `[{"node", "status", "error"?, …}]`."""
        return [
            {
                **entry.get("record", {}),
                "node": entry["nodeId"],
                "status": "failed",
                "error": entry["error"],
            }
            if "error" in entry
            else {"node": entry["nodeId"], "status": "ok"}
            for entry in self.trace
        ]
