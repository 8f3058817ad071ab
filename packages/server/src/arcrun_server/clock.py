"""The engine's clock: that of the machine, moved on by as many seconds as a file says in development mode.

A lifetime of a day can't be tested by waiting for a day. So whoever tests an engine names a file in
`ARCRUN_SERVER_CLOCK_FILE`, and writes into it by how many seconds the clock is to be ahead. Deadlines and
durations of single requests are measured on the machine's own clock.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ahead: list[Path] = []


def follow(path: Path) -> None:
    """Let the clock be ahead by the number of seconds in a file, from now on; a missing file means none."""
    _ahead[:] = [path]


def now() -> float:
    """Return the time in seconds since 1970.

    Example:
        >>> abs(now() - time.time()) < 1
        True
    """
    return time.time() + _seconds_ahead()


def utc() -> datetime:
    """Return the time in UTC."""
    return datetime.fromtimestamp(now(), timezone.utc)


def from_milliseconds(moment: int) -> datetime:
    """Return a time given in milliseconds since 1970, in UTC.

    Example:
        >>> from_milliseconds(0).year
        1970
    """
    return datetime.fromtimestamp(moment / 1000, timezone.utc)


def milliseconds(moment: datetime) -> int:
    """Return a time in milliseconds since 1970.

    Example:
        >>> milliseconds(from_milliseconds(1767225600123))
        1767225600123
    """
    return round(moment.timestamp() * 1000)


def monotonic() -> float:
    """Return the seconds since some point, for lifetimes; a change of the machine's date does not matter."""
    return time.monotonic() + _seconds_ahead()


def _seconds_ahead() -> float:
    if not _ahead:
        return 0.0
    try:
        return float(_ahead[0].read_text("ascii"))
    except (OSError, ValueError):
        return 0.0
