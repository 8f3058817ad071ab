"""The operator `$now`: a value that names the time at which a step was carried out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

# The clocks of runner and engine may differ a little, and an engine may cut a time to whole seconds.
TOLERANCE = timedelta(seconds=2)
_NUMBERS = {"seconds": 1, "milliseconds": 1000}


def with_times(pattern: Any, began: datetime, ended: datetime) -> Any:
    """Return a pattern in which `$now` is replaced by what holds between two points in time.

    `{$now: seconds}` and `{$now: milliseconds}` match a number since 1970, `{$now: iso}` a text in
    ISO 8601, and `{$now: FORMAT}`, a format of strftime, its text in UTC.

    Example:
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
        >>> with_times({"at": {"$now": "seconds"}}, noon, noon)
        {'at': {'$min': 1767268798, '$max': 1767268802}}
        >>> with_times({"$now": "%Y-%m-%d"}, noon, noon)
        {'$any': ['2026-01-01']}
    """
    if isinstance(pattern, Mapping):
        filled: dict[str, Any] = {}
        for key, item in pattern.items():
            if key == "$now":
                filled |= _window(item, began - TOLERANCE, ended + TOLERANCE)
            else:
                filled[key] = with_times(item, began, ended)
        return filled
    if isinstance(pattern, list):
        return [with_times(item, began, ended) for item in pattern]
    return pattern


def _window(form: str, first: datetime, last: datetime) -> dict[str, Any]:
    if form in _NUMBERS:
        factor = _NUMBERS[form]
        bounds = (int(moment.timestamp() * factor) for moment in (first, last))
        return dict(zip(("$min", "$max"), bounds, strict=True))
    if form == "iso":
        return {"$between": [_utc(first).isoformat(), _utc(last).isoformat()]}
    texts = [
        _utc(first + timedelta(seconds=n)).strftime(form) for n in range(_seconds(first, last))
    ]
    return {"$any": list(dict.fromkeys(texts))}


def _seconds(first: datetime, last: datetime) -> int:
    return int((last - first).total_seconds()) + 1


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
