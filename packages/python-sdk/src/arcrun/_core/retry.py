"""When a request is retried, and after how long (docs/contract.md#retries-and-idempotency)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from typing import Any

from .errors import APIConnectionError, ConfigurationError, InvalidArgumentError
from .request import Request
from .response import Response, is_run_failure
from .shapes import is_count, is_number

MAX_RETRIES = 2
FIRST_DELAY = 0.5  # seconds; doubles with each retry
LONGEST_DELAY = 8.0  # seconds, of a delay that the SDK chooses
LONGEST_RETRY_AFTER = 60.0  # seconds, of a delay that the engine asks for

LONGEST_TIMEOUT = 1_000_000  # seconds: the operating system takes no number that is much larger

_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


def check_timeout(seconds: float) -> float:
    """Return the time-out if it is valid.

    Raises:
        InvalidArgumentError: it is not.
    """
    if not is_number(seconds) or not 0 < seconds <= LONGEST_TIMEOUT:
        raise InvalidArgumentError(
            f"timeout must be a number of seconds above 0, at most {LONGEST_TIMEOUT}, not {seconds!r}"
        )
    return seconds


def check_flag(name: str, value: object) -> None:
    """Check the value of an option that is on or off: a text such as "no" would count as on.

    Raises:
        ConfigurationError: it is neither True nor False.
    """
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}")


def check_size(name: str, value: int) -> int:
    """Return the value of an option that limits a number of connections or bytes, if it is valid.

    Raises:
        ConfigurationError: it is not.
    """
    if not is_count(value) or value == 0:
        raise ConfigurationError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


def check_retries(max_retries: int) -> int:
    """Return the number of retries if it is valid.

    Raises:
        ConfigurationError: it is not.
    """
    if not is_count(max_retries):
        raise ConfigurationError(
            f"max_retries must be a whole number of at least 0, not {max_retries!r}"
        )
    return max_retries


def next_delay(
    request: Request[Any],
    outcome: Response | APIConnectionError,
    *,
    attempt: int,
    max_retries: int,
) -> float | None:
    """Return how many seconds to wait before the next attempt, or None if there is none.

    Args:
        request: what was sent.
        outcome: the response, or why there is none.
        attempt: 0 for the first attempt, 1 for the first retry, …
        max_retries: how many retries are allowed.
    """
    if attempt >= max_retries or not request.retryable:
        return None
    if isinstance(outcome, APIConnectionError):
        return backoff(attempt)
    if outcome.status not in _STATUSES or (request.runs_workflow and is_run_failure(outcome)):
        return None
    requested = retry_after(outcome.headers)
    return backoff(attempt) if requested is None else min(requested, LONGEST_RETRY_AFTER)


def backoff(attempt: int) -> float:
    """Return an exponential delay with full jitter, in seconds."""
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))  # noqa: S311 - not a secret


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the delay of `retry-after-ms`, or of `Retry-After` (seconds or a date), in seconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return seconds * unit
    date = headers.get("retry-after")
    return None if date is None else _until(date)


def _number(text: str | None) -> float | None:
    # Python's own numbers may have separators and exponents: `3_0` is no number of seconds.
    if text is None or not re.fullmatch(r"[0-9]+(\.[0-9]*)?", text.strip()):
        return None
    number = float(text)
    return number if number < float("inf") else None


def _until(date: str) -> float | None:
    from email.utils import mktime_tz, parsedate_tz

    parsed = parsedate_tz(date)
    try:
        return None if parsed is None else max(0.0, mktime_tz(parsed) - time.time())
    except (ValueError, OverflowError):
        return None
