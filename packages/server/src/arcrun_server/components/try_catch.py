"""Branches by whether there is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.engine.placeholders import only_placeholder, parse_escaped

from .contract import data_schema, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "try_catch",
    "display_name": "錯誤處理 Try/Catch",
    "category": "logic",
    "version": "1.0.0",
    "description": "Takes the branch `catch` if there is an error, else `try`.",
    "input_schema": {
        "type": "object",
        "properties": {
            "error": {"description": "The error; null, empty or a template that finds none: none."}
        },
    },
    "output_schema": data_schema({}, branch={"enum": ["try", "catch"]}),
    "config_example": {"error": "{{prev.error}}"},
    "branches": ["try", "catch"],
}


async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Look for an error.

    Example:
        `{"error": "逾時"}` takes the branch `catch`.
    """
    error = given.get("error")
    if _found_nothing(invocation) or not (error.strip() if isinstance(error, str) else error):
        return success(None, branch="try")
    return success(error, branch="catch")


def _found_nothing(invocation: Invocation) -> bool:
    """Tell whether the node's own `error` is a placeholder without a value; what one yields is not parsed."""
    written = invocation.written.get("error")
    alone = only_placeholder(parse_escaped(written)) if isinstance(written, str) else None
    return alone is not None and not alone.credential and not invocation.look_up(alone.name)[0]
