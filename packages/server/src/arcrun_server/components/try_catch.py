"""Branches by whether there is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.placeholders import only_placeholder, parse

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


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Look for an error.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"error": "逾時"}, None))["data"]
        {'result': '逾時', 'branch': 'catch'}
    """
    error = given.get("error")
    if _is_error(error):
        return success(error, branch="catch")
    return success(None, branch="try")


def _is_error(error: Any) -> bool:
    # A template that finds no error stays as it is written, which is not an error.
    if isinstance(error, str):
        return bool(error.strip()) and only_placeholder(parse(error)) is None
    return bool(error)
