"""Reads a cron expression: whether it can be one, and which times it means."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from arcrun_server.engine import ComponentError

from .contract import data_schema, given_value, optional, require
from .cron_expression import LONGEST, CronError, parse_cron
from .date_ops import read_moment, zone_of

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

    from .contract import ComponentContract

MOST_TIMES = 50

CONTRACT: ComponentContract = {
    "canonical_id": "cron",
    "display_name": "排程時間 Cron",
    "category": "logic",
    "version": "1.0.0",
    "description": (
        "Checks a cron expression and tells the next times that it means in a time zone. It starts nothing."
    ),
    "input_schema": {
        "type": "object",
        "required": ["expr"],
        "properties": {
            "expr": {
                "type": "string",
                "maxLength": LONGEST,
                "description": "Minute, hour, day of the month, month, day of the week; or `@daily` and the like.",
            },
            "timezone": {"type": "string", "default": "UTC"},
            "after": {
                "type": ["string", "number"],
                "description": "The moment to begin after; by default that of the run.",
            },
            "count": {"type": "integer", "minimum": 1, "maximum": MOST_TIMES, "default": 5},
        },
    },
    "output_schema": data_schema(
        {"type": "string", "description": "The next time."},
        expr={"type": "string"},
        timezone={"type": "string"},
        times={"type": "array", "items": {"type": "string"}},
    ),
    "config_example": {"expr": "30 8 * * MON-FRI", "timezone": "Asia/Taipei"},
}


async def run(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Return the next times."""
    expr = require(given_value(given, "expr"), str, "expr")
    zone = zone_of(given)
    after = invocation.started
    if given.get("after") is not None:
        after = read_moment(given["after"], "after", zone)
    count = optional(given, "count", int, 5)
    if not 1 <= count <= MOST_TIMES:
        raise ComponentError(f"`count` must be from 1 to {MOST_TIMES}, but it is {count}")
    try:
        expression = parse_cron(expr)
    except CronError as problem:
        raise ComponentError(f"`expr` is not a cron expression: {problem}") from None
    times = []
    with suppress(OverflowError):  # where the calendar ends
        for time in islice(expression.times(after, zone), count):
            times.append(time.isoformat())  # noqa: PERF401 - those before the end count
    if not times:
        raise ComponentError("`after` is too far away: there is no time after it")
    data = {
        "result": times[0],
        "expr": expr,
        "timezone": optional(given, "timezone", str, "UTC"),
        "times": times,
    }
    return {"success": True, "data": data}
