"""Repeating an invocation that failed, and ending one that takes too long (docs/contract.md#policies).

Whether and when an invocation is repeated follows from what its attempts returned and from its place in the run, so that a
run that is executed again on recorded results repeats the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from typing import TYPE_CHECKING, Any

from .cancellation import within
from .failures import InvocationFailure
from .outcome import is_failure
from .policy import ANY, TIMEOUT, kind_of_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from .environment import StepResult
    from .policy import Retry

# However often the time to wait is doubled.
MAX_WAIT_SECONDS = 300.0
# How much longer than its time an invocation waits at most, so that elements that failed together don't return together.
_JITTER = 0.25


async def repeat(
    retry: Retry,
    attempt: Callable[[int], Awaitable[StepResult]],
    wait: Callable[[int, float], Awaitable[None]],
    *,
    longest: float,
    seed: Callable[[], str],
) -> StepResult:
    """Make an attempt, and further ones as long as they fail and are to be repeated.

    Args:
        retry: When they are.
        attempt: Makes the attempt with this number, from 1.
        wait: Waits before the attempt with this number.
        longest: How long to wait at most, in seconds. If a service wants more, it is not asked again.
        seed: What the random part of the waiting is made of.

    Returns:
        The result of the last attempt, which may be a failure.

    Raises:
        InvocationFailure: The last attempt raised it.
    """
    number = 1
    while True:
        failure, result = None, None
        try:
            result = await attempt(number)
            after = _after_result(retry, result.value)
        except InvocationFailure as problem:
            failure = problem
            after = _after(retry, problem.kind, None, problem.retry_after)
        if after is None or after > longest or number > retry.times:
            if result is None:
                assert failure is not None, "an attempt returns or raises"  # noqa: S101
                raise failure
            return result
        await wait(number + 1, max(after, waiting_time(retry, number, seed())))
        number += 1


def waiting_time(retry: Retry, attempts: int, seed: str) -> float:
    """Return how long to wait after some attempts, in seconds.

    Example:
        >>> from .policy import Retry
        >>> [round(waiting_time(Retry(9, 2.0), attempts, "place")) for attempts in (1, 2, 3)]
        [2, 5, 9]
    """
    # Never so often that the number has no room; after 20 the limit is reached anyway.
    doubled: float = min(retry.backoff_seconds * 2 ** min(attempts - 1, 20), MAX_WAIT_SECONDS)
    digest = hashlib.sha256(f"{seed}\0{attempts}".encode("utf-8", "surrogatepass")).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    seconds: float = min(doubled * (1 + _JITTER * share), MAX_WAIT_SECONDS)
    return seconds


async def in_time(seconds: float, work: Coroutine[Any, Any, Any]) -> Any:
    """Return what a component returns.

    Args:
        seconds: How long it may take.
        work: Its invocation, whose own failures are InvocationFailures.

    Raises:
        InvocationFailure: It takes longer; it is cancelled.
    """
    try:
        return await within(seconds, work)
    except (asyncio.TimeoutError, TimeoutError):
        reason = f"it took longer than its timeout_seconds ({seconds:g})"
        raise InvocationFailure(reason, kind=TIMEOUT) from None


def _after_result(retry: Retry, result: Any) -> float | None:
    if not is_failure(result):
        return None
    return _after(retry, result.get("error_type"), result.get("status"), result.get("retry_after"))


def _after(retry: Retry, kind: Any, status: Any, asked: Any) -> float | None:
    """Return how long a failed service wants to be left alone; None if the failure is not to be repeated."""
    if not _covers(retry.on, kind, status):
        return None
    if isinstance(asked, (int, float)) and not isinstance(asked, bool) and math.isfinite(asked):
        return max(float(asked), 0.0)
    return 0.0


def _covers(on: frozenset[int | str], kind: Any, status: Any) -> bool:
    if ANY in on or (isinstance(kind, str) and kind in on):
        return True
    if not isinstance(status, int) or isinstance(status, bool):
        return False
    return status in on or kind_of_status(status) in on
