"""Waits for a time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from arcrun_server.engine import ComponentError

from .contract import data_schema, optional, success

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

CONTRACT: ComponentContract = {
    "canonical_id": "wait",
    "display_name": "等待 Wait",
    "category": "logic",
    "version": "1.0.0",
    "description": "Waits, at most for the time that is left to the run.",
    "input_schema": {
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "minimum": 0},
            "milliseconds": {"type": "number", "minimum": 0},
        },
    },
    "output_schema": data_schema({"type": "number", "description": "Seconds waited."}),
    "config_example": {"seconds": 1.5},
}


async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Wait `seconds` and `milliseconds`, together."""
    seconds = (
        optional(given, "seconds", float, 0.0) + optional(given, "milliseconds", float, 0.0) / 1000
    )
    if "seconds" not in given and "milliseconds" not in given:
        raise ComponentError("`seconds` is missing; give it in the node's config")
    if not 0 <= seconds < float("inf"):
        raise ComponentError(f"`seconds` must be 0 or more, but it is {seconds}")
    left = invocation.deadline - time.monotonic()
    if seconds > left:
        raise ComponentError(
            f"a wait of {seconds:g} s is longer than the run may take ({left:.0f} s left)"
        )
    await asyncio.sleep(seconds)
    return success(seconds)
