"""The time variables that every run sees, in UTC (docs/contract.md#execution)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

TIME_NAMES = frozenset(
    {
        "_today", "_yesterday", "_now", "_now_unix", "_now_unix_s", "_year", "_month", "_day",
        "_hour", "_minute", "_second", "_iso_week", "_iso_week_num", "_iso_year", "_yyyymm",
        "_yyyymmdd", "_weekday", "_iso_weekday",
    }
)  # fmt: skip


def time_variables(moment: datetime) -> dict[str, Any]:
    """Return the time variables of a run that started at a moment.

    Args:
        moment: A time with a zone; it is converted to UTC.

    Example:
        >>> values = time_variables(datetime(2026, 11, 22, 8, 30, tzinfo=timezone.utc))
        >>> values["_today"], values["_iso_week"], values["_weekday"], values["_now"]
        ('2026-11-22', '2026-W47', 0, '2026-11-22T08:30:00.000Z')
    """
    utc = moment.astimezone(timezone.utc)
    iso_year, iso_week, iso_weekday = utc.isocalendar()
    milliseconds = (utc - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    return {
        "_today": utc.strftime("%Y-%m-%d"),
        "_yesterday": (utc - timedelta(days=1)).strftime("%Y-%m-%d"),
        "_now": utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z",
        "_now_unix": milliseconds,
        "_now_unix_s": milliseconds // 1000,
        "_year": utc.year,
        "_month": utc.month,
        "_day": utc.day,
        "_hour": utc.hour,
        "_minute": utc.minute,
        "_second": utc.second,
        "_iso_week": f"{iso_year}-W{iso_week:02d}",
        "_iso_week_num": iso_week,
        "_iso_year": iso_year,
        "_yyyymm": utc.strftime("%Y%m"),
        "_yyyymmdd": utc.strftime("%Y%m%d"),
        "_weekday": iso_weekday % 7,
        "_iso_weekday": iso_weekday,
    }
