"""A limit on how many requests are sent to an engine that others use as well."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# Requests a second to an engine that others use, unless a run says otherwise.
REMOTE_RATE = 10.0


class Pace:
    """Lets requests go on one after the other, with a pause between their beginnings.

    Args:
        per_second: How many may begin in a second; `None` for no limit.
        clock: Returns a time in seconds.
        sleep: Waits for some seconds.

    Example:
        >>> async def send(pace: Pace) -> None:
        ...     await pace.turn()
    """

    def __init__(
        self,
        per_second: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    async def turn(self) -> None:
        """Wait until a request may be sent."""
        now = self._clock()
        begin = max(self._next, now)
        self._next = begin + self._interval
        if begin > now:
            await self._sleep(begin - now)
