"""Keeps the elements of a list for which a condition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.condition_parser import parse_condition
from arcrun_server.engine.templates import MISSING, find

from .contract import given_value, require

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject
    from arcrun_server.engine.conditions import LookUp

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "filter",
    "display_name": "篩選 Filter",
    "category": "logic",
    "version": "1.0.0",
    "description": "Keeps the elements for which the condition holds; `item` is the element itself.",
    "input_schema": {
        "type": "object",
        "required": ["items", "condition"],
        "properties": {
            "items": {"type": "array"},
            "condition": {
                "type": "string",
                "description": "As in if_control, per element; its keys are those of the element.",
            },
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": True},
            "data": {
                "type": "object",
                "required": ["items", "count", "removed"],
                "properties": {
                    "items": {"type": "array"},
                    "count": {"type": "integer"},
                    "removed": {"type": "integer"},
                },
            },
        },
    },
    "config_example": {"items": "{{prev.文章}}", "condition": "分數 >= 60"},
}


async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Keep the elements for which the condition holds.

    Example:
        Of `[{"分數": 40}, {"分數": 80}]` the condition `分數 >= 60` keeps `[{"分數": 80}]`.
    """
    items = require(given_value(given, "items", "list"), list, "items")
    text = require(given_value(invocation.own, "condition"), str, "condition")
    try:
        condition = parse_condition(text)
    except ValueError as problem:
        raise ComponentError(str(problem)) from None
    kept = []
    for item in items:
        key = _element(item)
        if condition.holds(key, _placeholder(key, invocation)):
            kept.append(item)
    return {
        "success": True,
        "data": {"items": kept, "count": len(kept), "removed": len(items) - len(kept)},
    }


def _element(item: Any) -> LookUp:
    def key(path: str) -> tuple[bool, Any]:
        keys = tuple(path.split("."))
        value = find(item, keys)
        if value is MISSING and keys[0] == "item":
            value = find(item, keys[1:])
        return (False, None) if value is MISSING else (True, value)

    return key


def _placeholder(key: LookUp, invocation: Invocation) -> LookUp:
    """Return the look-up of placeholders: `{{item}}` is the element, all others are the node's."""

    def placeholder(path: str) -> tuple[bool, Any]:
        if path.partition(".")[0] == "item":
            return key(path)
        return invocation.look_up(path)

    return placeholder
