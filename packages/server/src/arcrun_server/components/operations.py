"""What the components with an `operation` share: a closed list of operations, each with its needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .contract import answer, data_schema, given_value, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arcrun_server.engine import JsonObject

    from .contract import ComponentContract


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        compute: Gives the result of what the node was given.
        summary: What it does and which parameters it takes.
    """

    compute: Callable[[JsonObject], Any]
    summary: str


def run_operation(operations: Mapping[str, Operation], given: JsonObject) -> JsonObject:
    """Run the operation that a node asks for.

    Raises:
        ComponentError: There is no such operation (the nearest is named), or it can't be done.
    """
    name = one_of(given_value(given, "operation", "op"), operations, "operation")
    return answer(operations[name].compute(given))


def operations_contract(
    canonical_id: str,
    operations: Mapping[str, Operation],
    *,
    display_name: str,
    description: str,
    parameters: JsonObject,
    config_example: JsonObject,
) -> ComponentContract:
    """Write the contract of such a component."""
    listed = "; ".join(f"{name}: {operation.summary}" for name, operation in operations.items())
    return {
        "canonical_id": canonical_id,
        "display_name": display_name,
        "category": "logic",
        "version": "1.0.0",
        "description": f"{description} {listed}.",
        "input_schema": {
            "type": "object",
            "required": ["operation"],
            "properties": {"operation": {"enum": [*operations]}, **parameters},
        },
        "output_schema": data_schema({}),
        "config_example": config_example,
    }
