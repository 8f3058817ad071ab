"""How often something may be tried: guesses of codes, and devices that begin."""

from __future__ import annotations

from arcrun_server import clock


class Attempts:
    """Counts attempts of each key in a window of time, in this process.

    Args:
        most: How many are allowed in it.
        seconds: How long it is.

    Example:
        >>> attempts = Attempts(1, 60)
        >>> attempts.wait("a"), attempts.wait("a") > 0
        (0, True)
    """

    def __init__(self, most: int, seconds: int) -> None:
        self._most = most
        self._seconds = seconds
        self._counted: dict[str, tuple[float, int]] = {}

    def wait(self, key: str) -> int:
        """Count an attempt, and return 0 if it is allowed, else after how many seconds to try again."""
        now = clock.monotonic()
        self._forget(now)
        begun, count = self._counted.get(key, (now, 0))
        if count >= self._most:
            return max(1, round(begun + self._seconds - now))
        self._counted[key] = (begun, count + 1)
        return 0

    def _forget(self, now: float) -> None:
        """Drop the windows that have ended: all have the same length, so the first to end is the first in the table."""
        while self._counted:
            key, (begun, _) = next(iter(self._counted.items()))
            if now - begun < self._seconds:
                return
            del self._counted[key]
