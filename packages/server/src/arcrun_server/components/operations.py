"""What the components with an `operation` share: a closed list of operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError

from .contract import data_schema, given_value, one_of, success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arcrun_server.engine import JsonObject

    from .contract import ComponentContract


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        compute: Returns the result for what the node was given.
        summary: What it does and which parameters it takes.
    """

    compute: Callable[[JsonObject], Any]
    summary: str


def run_operation(operations: Mapping[str, Operation], given: JsonObject) -> JsonObject:
    """Run the operation that a node names.

    Raises:
        ComponentError: There is no such operation (the message names the nearest), or it failed.
    """
    name = one_of(given_value(given, "operation", "op"), operations, "operation")
    try:
        return success(operations[name].compute(given))
    except OverflowError:  # in between, though all that is given is a number
        raise ComponentError(f"`{name}` meets a number that is too large") from None


def operations_contract(
    canonical_id: str,
    operations: Mapping[str, Operation],
    *,
    display_name: str,
    description: str,
    parameters: JsonObject,
    config_example: JsonObject,
) -> ComponentContract:
    """Return the contract of such a component."""
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
