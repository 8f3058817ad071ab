"""Ids of runs. They begin with the time, so that an id says whether its run can have begun just now."""

from __future__ import annotations

import re
import secrets

from arcrun_server import clock

RUN_ID = re.compile(r"[0-9a-f]{32}")
RUN_ID_RULE = "32 hex digits"
# The time in milliseconds: enough until the year 10889.
_TIME_DIGITS = 12
_RANDOM_BYTES = 10


def new_run_id() -> str:
    """Return the id of a new run.

    Example:
        >>> began_within(new_run_id(), 60)
        True
    """
    milliseconds = int(clock.now() * 1000)
    return f"{milliseconds:0{_TIME_DIGITS}x}{secrets.token_hex(_RANDOM_BYTES)}"


def began_within(run_id: str, seconds: float) -> bool:
    """Return whether a run with this id can have begun so many seconds ago or less, by clocks that differ by as much.

    Example:
        >>> began_within("0" * 32, 60)
        False
    """
    return abs(int(run_id[:_TIME_DIGITS], 16) / 1000 - clock.now()) <= seconds
