"""What interrupts a run: a component that failed, a node that failed, a node that waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .frames import RunNode


class InvocationFailure(Exception):
    """Why a component could not be invoked, or failed; the text is free of secrets."""


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
        result: What the component returned.
    """

    def __init__(self, task_id: str, item: RunNode, node: str, result: Any) -> None:
        super().__init__(node)
        self.task_id = task_id
        self.item = item
        self.node = node
        self.result = result
