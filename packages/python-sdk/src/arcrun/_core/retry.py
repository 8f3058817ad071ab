"""When a call is repeated, and after how long (CONTRACT.md §2 "What may be repeated")."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from .errors import APIConnectionError, ConfigurationError, InvalidArgumentError
from .request import Answer, Call
from .response import is_run_failure
from .shapes import is_count, is_number

MAX_RETRIES = 2
FIRST_DELAY = 0.5  # seconds; doubles with each retry
LONGEST_DELAY = 8.0  # seconds, of a delay that the SDK chooses
LONGEST_RETRY_AFTER = 60.0  # seconds, of a delay that the engine asks for

_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


def check_timeout(seconds: float) -> float:
    """Return a time-out, or say what is wrong with it."""
    if not is_number(seconds) or not seconds > 0:
        raise InvalidArgumentError(f"timeout={seconds!r}: it is a number of seconds above 0")
    return seconds


def check_retries(max_retries: int) -> int:
    """Return a number of retries, or say what is wrong with it."""
    if not is_count(max_retries):
        raise ConfigurationError(f"max_retries={max_retries!r}: it is a number from 0 on")
    return max_retries


def next_delay(
    call: Call[Any], outcome: Answer | APIConnectionError, *, attempt: int, max_retries: int
) -> float | None:
    """Return how many seconds to wait before the call is repeated, or None if it is not.

    Args:
        call: what was asked.
        outcome: the answer, or why there is none.
        attempt: 0 for the first request of the call, 1 for its first retry, …
        max_retries: how many repetitions are allowed.
    """
    if attempt >= max_retries or not call.repeatable:
        return None
    if isinstance(outcome, APIConnectionError):
        return backoff(attempt)
    if outcome.status not in _STATUSES or (call.runs and is_run_failure(outcome)):
        return None
    asked = retry_after(outcome.headers)
    return backoff(attempt) if asked is None else min(asked, LONGEST_RETRY_AFTER)


def backoff(attempt: int) -> float:
    """Return an exponential delay with full jitter, in seconds."""
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))  # noqa: S311 - no secret


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. In seconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return seconds * unit
    date = headers.get("retry-after")
    return None if date is None else _until(date)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(date: str) -> float | None:
    from email.utils import mktime_tz, parsedate_tz

    parsed = parsedate_tz(date)
    try:
        return None if parsed is None else max(0.0, mktime_tz(parsed) - time.time())
    except (ValueError, OverflowError):
        return None
