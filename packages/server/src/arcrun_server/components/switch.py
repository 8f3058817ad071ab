"""Branches by the first case that a value matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.engine.conditions import same

from .contract import data_schema, given_value, optional, require, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "switch",
    "display_name": "多路分支 Switch",
    "category": "logic",
    "version": "1.0.0",
    "description": "Takes the branch of the first case whose `match` equals the value, by type.",
    "input_schema": {
        "type": "object",
        "required": ["value", "cases"],
        "properties": {
            "value": {},
            "cases": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["match", "branch"],
                    "properties": {"match": {}, "branch": {"type": "string", "minLength": 1}},
                },
            },
            "default_branch": {"type": "string", "default": "default"},
        },
    },
    "output_schema": data_schema({}, branch={"type": "string"}),
    "config_example": {
        "value": "{{input.等級}}",
        "cases": [{"match": "急", "branch": "急件"}, {"match": "平", "branch": "一般"}],
        "default_branch": "其他",
    },
    "branches": ["(the cases' branches)", "(default_branch)"],
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Choose the branch.

    Example:
        >>> import asyncio
        >>> given = {"value": "急", "cases": [{"match": "急", "branch": "急件"}]}
        >>> asyncio.run(run(given, None))["data"]
        {'result': '急', 'branch': '急件'}
    """
    value = given_value(given, "value")
    branch = optional(given, "default_branch", str, "default")
    for number, case in enumerate(require(given_value(given, "cases"), list, "cases")):
        entry = require(case, dict, f"cases.{number}")
        name = require(entry.get("branch"), str, f"cases.{number}.branch")
        if same(entry.get("match"), value):
            branch = name
            break
    return success(value, branch=branch)
