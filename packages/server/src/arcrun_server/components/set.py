"""Sets values: they become the node's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .contract import given_value, require

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "set",
    "display_name": "設定值 Set",
    "category": "logic",
    "version": "1.0.0",
    "description": "Its values become the result, so the following nodes see them by name.",
    "input_schema": {
        "type": "object",
        "required": ["values"],
        "properties": {"values": {"type": "object"}},
    },
    "output_schema": {"type": "object", "description": "The values."},
    "config_example": {"values": {"標題": "{{input.主題}} {{_today}}"}},
}


async def run(given: JsonObject, _invocation: Invocation) -> JsonObject:
    """Return the values.

    Example:
        >>> import asyncio
        >>> asyncio.run(run({"values": {"標題": "晨報"}}, None))
        {'標題': '晨報'}
    """
    return require(given_value(given, "values"), dict, "values")
