"""Operations on dates and times."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.clock import time_variables
from arcrun_server.engine.time_zones import UTC, find_zone, nearest_zone

from .contract import describe, given_value, one_of, optional, require
from .operations import Operation, operations_contract, run_operation

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject

_SECONDS = {
    "milliseconds": 0.001,
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86400,
    "weeks": 604800,
}
_MONTHS = {"months": 1, "years": 12}
UNITS = (*_SECONDS, *_MONTHS)
FORMATS = ("iso", "date", "time", "datetime", "unix", "unix_ms", "yyyymmdd", "中文")
_NOW = "_started"


def zone_of(given: JsonObject) -> tzinfo:
    """Return the time zone that `timezone` names; UTC if it was left out.

    Raises:
        ComponentError: There is no such time zone.
    """
    name = optional(given, "timezone", str, UTC)
    zone = find_zone(name)
    if zone is None:
        near = nearest_zone(name)
        hint = f"did you mean '{near}'?" if near else "write it as in 'Asia/Taipei'"
        raise ComponentError(f"there is no time zone {describe(name)}; {hint}")
    return zone


def _moment(given: JsonObject, name: str = "date") -> datetime:
    """Return a moment: ISO 8601 text, a date alone, or Unix seconds; if `date` is left out, the run's time."""
    if name == "date" and name not in given:
        return _now(given)
    return read_moment(given_value(given, name), name, zone_of(given))


def _now(given: JsonObject) -> datetime:
    started: datetime = given[_NOW]
    return started.astimezone(zone_of(given))


def _settled(moment: datetime) -> datetime:
    """Return a moment of the wall clock as it is shown: a time that was skipped becomes the one after the gap."""
    return moment.astimezone(timezone.utc).astimezone(moment.tzinfo)


def _elapsed(moment: datetime, seconds: float) -> datetime:
    """Return the moment after so many seconds, however the clocks are set in between."""
    return (moment.astimezone(timezone.utc) + timedelta(seconds=seconds)).astimezone(moment.tzinfo)


def read_moment(value: Any, name: str, zone: tzinfo) -> datetime:
    """Return the moment that a text (ISO 8601) or a number (Unix seconds) means; without an offset it is in a zone.

    Raises:
        ComponentError: It is neither.
    """
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc).astimezone(zone)
        text = require(value, str, name).strip()
        if text.endswith(("Z", "z")):
            text = text[:-1] + "+00:00"
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    except (ValueError, OverflowError, OSError):
        raise ComponentError(
            f"`{name}` is not a date: {describe(value)}; write it as in '2026-11-22' or "
            "'2026-11-22T08:30:00+08:00', or as Unix seconds"
        ) from None


def _written(moment: datetime, given: JsonObject) -> Any:
    kind = one_of(given.get("format", "iso"), FORMATS, "format")
    if kind == "unix":
        return int(moment.timestamp())
    if kind == "unix_ms":
        return int(moment.timestamp() * 1000)
    if kind == "中文":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    if kind == "iso":
        return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    # Not by strftime, which writes the year 800 with three digits on Linux.
    date, time = moment.date().isoformat(), moment.strftime("%H:%M:%S")
    written = {
        "date": date,
        "time": time,
        "datetime": f"{date} {time}",
        "yyyymmdd": date.replace("-", ""),
    }
    return written[kind]


def _shift(given: JsonObject, direction: int) -> Any:
    amount = require(given_value(given, "amount"), float, "amount") * direction
    unit = one_of(given_value(given, "unit"), UNITS, "unit")
    moment = _moment(given)
    try:
        return _written(_shifted(moment, amount, unit), given)
    except (OverflowError, ValueError):
        raise ComponentError("the result lies outside the years 1 to 9999") from None


def _shifted(moment: datetime, amount: float, unit: str) -> datetime:
    """Move a moment: months, weeks and days on the wall clock, hours and less by elapsed time."""
    if unit in _MONTHS:
        return _settled(_add_months(moment, amount * _MONTHS[unit]))
    seconds = amount * _SECONDS[unit]
    if unit not in {"days", "weeks"}:
        return _elapsed(moment, seconds)
    whole, part = divmod(seconds, _SECONDS["days"])
    if whole:
        moment = _settled(moment.replace(fold=0) + timedelta(days=whole))
    return _elapsed(moment, part) if part else moment


def _add_months(moment: datetime, months: float) -> datetime:
    if months != int(months):
        raise ComponentError("`amount` must be a whole number for months and years")
    year, month = divmod(moment.year * 12 + moment.month - 1 + int(months), 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    # The 31st becomes the last day of a shorter month.
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day, fold=0 if months else moment.fold)


def _difference(given: JsonObject) -> float:
    unit = one_of(given.get("unit", "seconds"), tuple(_SECONDS), "unit")
    # In UTC: Python subtracts two times of one zone by their wall clocks.
    start, end = (_moment(given, name).astimezone(timezone.utc) for name in ("date", "to"))
    seconds = (end - start).total_seconds()
    result = seconds / _SECONDS[unit]
    return int(result) if result.is_integer() else result


def _edge(given: JsonObject, *, at_end: bool) -> Any:
    unit = one_of(given_value(given, "unit"), ("hour", "day", "week", "month", "year"), "unit")
    moment = _moment(given)
    start = moment.replace(minute=0, second=0, microsecond=0)
    if unit != "hour":
        start = start.replace(hour=0, fold=0)
    if unit == "week":
        start -= timedelta(days=start.weekday())
    elif unit in {"month", "year"}:
        start = start.replace(day=1, month=1 if unit == "year" else start.month)
    start = _settled(start)
    if not at_end:
        return _written(start, given)
    after = _shifted(start, 1, f"{unit}s")
    return _written(_elapsed(after, -0.001), given)


def _parts(given: JsonObject) -> JsonObject:
    moment = _moment(given)
    # The variables are in UTC; the parts of another zone are those of its wall clock.
    values = time_variables(moment.replace(tzinfo=timezone.utc))
    names = [
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "weekday",
        "iso_weekday",
        "iso_week",
    ]
    return {name: values[f"_{name}"] for name in names}


def _before(given: JsonObject) -> bool:
    return _moment(given).astimezone(timezone.utc) < _moment(given, "to").astimezone(timezone.utc)


OPERATIONS: dict[str, Operation] = {
    "now": Operation(lambda given: _written(_now(given), given), "the run's time"),
    "format": Operation(
        lambda given: _written(_moment(given), given), "`date` in another `format`"
    ),
    "add": Operation(lambda given: _shift(given, 1), "`date` plus `amount` of `unit`"),
    "subtract": Operation(lambda given: _shift(given, -1), "`date` minus `amount` of `unit`"),
    "difference": Operation(_difference, "from `date` to `to`, in `unit`"),
    "before": Operation(_before, "whether `date` is before `to`"),
    "start_of": Operation(lambda given: _edge(given, at_end=False), "the start of its `unit`"),
    "end_of": Operation(lambda given: _edge(given, at_end=True), "the end of its `unit`"),
    "parts": Operation(_parts, "an object with year, month, day, hour …"),
}

CONTRACT = operations_contract(
    "date_ops",
    OPERATIONS,
    display_name="日期時間 Date",
    description="Operates on `date` (by default the run's time), in `timezone`.",
    parameters={
        "date": {"type": ["string", "number"], "description": "ISO 8601, or Unix seconds."},
        "to": {"type": ["string", "number"]},
        "amount": {"type": "number"},
        "unit": {"type": "string"},
        "format": {"enum": [*FORMATS], "default": "iso"},
        "timezone": {"type": "string", "default": "UTC"},
    },
    config_example={
        "operation": "add",
        "date": "{{_today}}",
        "amount": 7,
        "unit": "days",
        "format": "date",
    },
)


async def run(given: JsonObject, invocation: Invocation) -> Any:
    """Run the operation."""
    return run_operation(OPERATIONS, {**given, _NOW: invocation.started})
