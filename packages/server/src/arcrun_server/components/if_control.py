"""Branches by a condition that holds or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.condition_parser import parse_condition
from arcrun_server.engine.templates import MISSING, find

from .contract import data_schema, given_value, optional, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "if_control",
    "display_name": "條件判斷 If",
    "category": "logic",
    "version": "1.0.0",
    "description": "Takes the branch `true` or `false`, by a condition compared by type.",
    "input_schema": {
        "type": "object",
        "required": ["condition"],
        "properties": {
            "condition": {
                "type": ["string", "boolean", "number", "null"],
                "description": (
                    "`key`, `key == value`, `key > 3` (also != >= < <=), joined by and, or, not and "
                    "parentheses. `{{…}}` is an operand; its value is never read as a condition."
                ),
            },
            "input": {"type": "object", "description": "Where the keys are looked up first."},
        },
    },
    "output_schema": data_schema({"type": "boolean"}, branch={"enum": ["true", "false"]}),
    "config_example": {"condition": "分數 > 60", "input": {"分數": "{{prev.score}}"}},
    "branches": ["true", "false"],
}


async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Evaluate the condition.

    Example:
        `{"condition": "分數 > 60", "input": {"分數": 61}}` takes the branch `true`.
    """
    values = optional(given, "input", dict, {})
    # Only the node itself has a condition: what comes in the context is data.
    condition = given_value(invocation.own, "condition")
    if isinstance(condition, str):
        holds = _holds(condition, values, given, invocation)
    else:
        holds = bool(condition)
    return success(holds, branch="true" if holds else "false")


def _holds(text: str, values: JsonObject, given: JsonObject, invocation: Invocation) -> bool:
    def key(path: str) -> tuple[bool, Any]:
        keys = tuple(path.split("."))
        for layer in (values, given):
            value = find(layer, keys)
            if value is not MISSING:
                return True, value
        return invocation.look_up(path)

    def placeholder(path: str) -> tuple[bool, Any]:
        found, value = invocation.look_up(path)
        return (found, value) if found else key(path)

    try:
        return parse_condition(text).holds(key, placeholder)
    except ValueError as problem:
        raise ComponentError(str(problem)) from None
