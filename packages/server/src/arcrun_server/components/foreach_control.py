"""Prepares a list for a FOREACH: a part of it, or in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arcrun_server.engine import ComponentError

from .contract import given_value, optional, require

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "foreach_control",
    "display_name": "迴圈準備 For Each",
    "category": "logic",
    "version": "1.0.0",
    "description": "Returns `items` for a FOREACH edge: all of a list, a part of it, or batches.",
    "input_schema": {
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": {"type": "array"},
            "offset": {"type": "integer", "minimum": 0, "default": 0},
            "limit": {"type": "integer", "minimum": 0},
            "batch_size": {"type": "integer", "minimum": 1},
        },
    },
    "output_schema": {
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": True},
            "data": {
                "type": "object",
                "required": ["items", "count"],
                "properties": {"items": {"type": "array"}, "count": {"type": "integer"}},
            },
        },
    },
    "config_example": {"items": "{{prev.草稿}}", "limit": 10},
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Prepare the list.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"items": ["甲", "乙", "丙"], "batch_size": 2}, None))["data"]
        {'items': [['甲', '乙'], ['丙']], 'count': 2}
    """
    items = require(given_value(given, "items", "list"), list, "items")
    offset = optional(given, "offset", int, 0)
    limit = optional(given, "limit", int, len(items))
    batch_size = optional(given, "batch_size", int, 0)
    if min(offset, limit, batch_size) < 0:
        raise ComponentError("`offset`, `limit` and `batch_size` can't be negative")
    items = items[offset : offset + limit]
    if batch_size:
        items = [items[start : start + batch_size] for start in range(0, len(items), batch_size)]
    return {"success": True, "data": {"items": items, "count": len(items)}}
