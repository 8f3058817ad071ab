"""Calling another workflow, by `trigger_workflow` or a CALLS_SUBFLOW edge (docs/contract.md#workflow-graphs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .failures import InvocationFailure
from .model import FlowError
from .plan import prepare_graph

if TYPE_CHECKING:
    from .environment import Environment
    from .failures import NodeFailure
    from .model import JsonObject
    from .plan import ExecutionPlan, PlannedNode


def workflow_call(
    node: PlannedNode, data: JsonObject, values: JsonObject
) -> tuple[str, JsonObject]:
    """Return which workflow a node calls, and with what input.

    Args:
        node: The node.
        data: Its data, filled; the context does not choose the workflow. A node that an edge calls
            passes `data.input` on, else its data, else the context's values.
        values: The context's values.

    Raises:
        InvocationFailure: The node's data names no workflow, or has an input that is not an object.
    """
    if node.workflow is None:
        name, run_input = data.get("workflow_name"), data.get("input", {})
    else:
        name = data.get("workflow_name", node.workflow)
        rest = {key: value for key, value in data.items() if key != "workflow_name"}
        run_input = rest.get("input", rest or values)
    if not isinstance(name, str) or not name:
        raise InvocationFailure("`workflow_name` must be the name of a workflow, as text")
    if not isinstance(run_input, dict):
        raise InvocationFailure("`input` must be an object, the input of the workflow that is run")
    if node.workflow is None and data.get("wait", True) is False:
        raise InvocationFailure(
            "`wait: false` is not supported; the called workflow is run to its end"
        )
    return name, run_input


async def find_workflow(name: str, environment: Environment) -> ExecutionPlan:
    """Find a workflow and prepare it to run.

    Raises:
        InvocationFailure: There is none of this name, or it can't run.
    """
    graph = await environment.workflow(name)
    if graph is None:
        raise InvocationFailure(f"there is no workflow '{name}'; push it first")
    try:
        return prepare_graph(graph)
    except FlowError as problem:
        raise InvocationFailure(f"the workflow '{name}' can't run: {problem}") from None


def sub_result(
    name: str,
    data: Any,
    failure: NodeFailure | None,
    failed_nodes: list[str],
    duration_ms: float,
) -> JsonObject:
    """Return the result of a `trigger_workflow` node (docs/contract.md#components)."""
    noted = {"failed_nodes": failed_nodes} if failed_nodes else {}
    if failure is None:
        return {
            "success": True,
            "triggered_workflow": name,
            "status": "completed",
            "sub_result": {"success": True, "data": data, "duration_ms": duration_ms, **noted},
        }
    return {
        "success": False,
        "triggered_workflow": name,
        "status": "failed",
        "error": str(failure),
        "sub_result": {
            "success": False,
            "error": str(failure),
            "failed_node": failure.node,
            "duration_ms": duration_ms,
        },
    }
