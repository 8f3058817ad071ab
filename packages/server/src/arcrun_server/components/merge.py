"""Merges several lists or objects into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError

from .contract import data_schema, given_value, one_of, require, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

MODES = ("auto", "object", "list", "deep")

CONTRACT: ComponentContract = {
    "canonical_id": "merge",
    "display_name": "合併 Merge",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "Merges sources: objects key by key, later over earlier (`deep`: also inside), lists one "
        "after the other. `auto` takes what the sources are."
    ),
    "input_schema": {
        "type": "object",
        "required": ["sources"],
        "properties": {
            "sources": {"type": "array", "minItems": 1},
            "mode": {"enum": [*MODES], "default": "auto"},
        },
    },
    "output_schema": data_schema({"type": ["object", "array"]}),
    "config_example": {"sources": ["{{讀取.data}}", "{{補充.data}}"], "mode": "object"},
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Merge the sources.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"sources": [{"名": "甲"}, {"齡": 3}]}, None))["data"]["result"]
        {'名': '甲', '齡': 3}
    """
    sources = require(given_value(given, "sources"), list, "sources")
    mode = one_of(given.get("mode", "auto"), MODES, "mode")
    if not sources:
        raise ComponentError("`sources` is empty; give at least one")
    if mode == "auto":
        mode = "list" if isinstance(sources[0], list) else "object"
    merged: Any = [] if mode == "list" else {}
    for number, source in enumerate(sources):
        if mode == "list":
            merged = merged + require(source, list, f"sources.{number}")
        else:
            fields = require(source, dict, f"sources.{number}")
            merged = _deep(merged, fields) if mode == "deep" else {**merged, **fields}
    return success(merged)


def _deep(under: JsonObject, over: JsonObject) -> JsonObject:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _deep(below or {}, value) if both else value
    return merged
