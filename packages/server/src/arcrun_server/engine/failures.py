"""What interrupts a run: a component that failed, a node that failed, a node that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .frames import RunNode
    from .model import JsonObject


class InvocationFailure(Exception):
    """Why a component could not be invoked, or failed; the text is free of secrets.

    Args:
        reason: Why.
        record: What the run records of it besides, free of secrets.
        kind: The kind of the failure (`policy.KINDS`), for `retry`; None for any other.
        retry_after: In how many seconds the service that failed wants to be asked again, if it says so.
    """

    def __init__(
        self,
        reason: str,
        record: JsonObject | None = None,
        *,
        kind: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.record: JsonObject = record or {}
        self.kind = kind
        self.retry_after = retry_after


class NodeFailure(Exception):
    """A node that failed and that no ON_FAIL edge leaves.

    Attributes:
        node: The node's id.
        reason: Why.
        given: What it was given.
        final: Whether the whole run ends, also from within a FOREACH.
    """

    def __init__(self, node: str, reason: str, given: Any = None, *, final: bool = False) -> None:
        super().__init__(f"Node {node} failed: {reason}")
        self.node = node
        self.reason = reason
        self.given = given
        self.final = final


class PauseRequest(Exception):
    """A component that waits for a callback.

    Attributes:
        task_id: What the component calls the task.
        item: The work item of the node that waits, in the last frame.
        node: The node's id.
        place: Where in the run it is, as `Step.place`.
        result: What the component returned.
    """

    def __init__(
        self, task_id: str, item: RunNode, node: str, place: str, result: Any = None
    ) -> None:
        super().__init__(node)
        self.task_id = task_id
        self.item = item
        self.node = node
        self.place = place
        self.result = result
