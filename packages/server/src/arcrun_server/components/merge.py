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
    merge = _MERGES[mode]
    kind = list if mode == "list" else dict
    return success(
        merge([require(source, kind, f"sources.{number}") for number, source in enumerate(sources)])
    )


def _lists(sources: list[Any]) -> list[Any]:
    return [item for source in sources for item in source]


def _objects(sources: list[Any]) -> JsonObject:
    merged: JsonObject = {}
    for source in sources:
        merged.update(source)
    return merged


def _deep(sources: list[Any]) -> JsonObject:
    merged: JsonObject = {}
    # The objects in `merged` that are copies: the sources themselves must not be changed, and each
    # is copied at most once, so that many small sources over a large one take no longer than they must.
    copies = {id(merged)}
    for source in sources:
        pending = [(merged, source)]
        while pending:
            under, over = pending.pop()
            for key, value in over.items():
                below = under.get(key)
                if not (isinstance(below, dict) and isinstance(value, dict)):
                    under[key] = value
                    continue
                if id(below) not in copies:
                    below = under[key] = dict(below)
                    copies.add(id(below))
                pending.append((below, value))
    return merged


_MERGES = {"list": _lists, "object": _objects, "deep": _deep}
