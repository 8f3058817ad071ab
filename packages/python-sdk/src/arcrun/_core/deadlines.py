"""When a request has to be over, whatever it waits for: to connect, to write, or for the next byte."""

from __future__ import annotations

import time
from collections.abc import Mapping

_LATE = 0.05  # seconds


class Deadline:
    """The end of a request's time, which begins with the first use: when a connection is there."""

    __slots__ = ("_end", "_is_spent", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None
        self._is_spent = False

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._end is None:
            self._end = time.monotonic() + self._seconds

    def lift(self) -> None:
        """Let everything from now on take as long as it takes."""
        self._end = float("inf")

    @property
    def is_over(self) -> bool:
        """Return whether the time has passed."""
        return self._end is not None and time.monotonic() > self._end

    def left(self) -> float:
        """Return how many seconds are left, 0 if none are.

        Once after the end it is a moment: what has arrived by then is not thrown away because this
        process was late.
        """
        self.start()
        left = (self._end or 0) - time.monotonic()
        if left > 0:
            return left
        if self._is_spent:
            return 0
        self._is_spent = True
        return _LATE


class Allowance(float):
    """A time-out, and with it the deadline of the whole.

    httpx's time-outs count for each wait anew, so that a sender of a byte now and then never reaches
    one. But httpx hands them on as they are, from the request to each read and write of its
    connection. To a transport of the user's own this is a number like others.
    """

    __slots__ = ("deadline",)
    deadline: Deadline

    @classmethod
    def of(cls, seconds: float, deadline: Deadline) -> Allowance:
        """Make one of `seconds` for a single wait."""
        made = cls(seconds)
        made.deadline = deadline
        return made

    def left(self) -> float:
        """Return how many seconds the next wait may take; 0 if there must be no other."""
        return min(self, self.deadline.left())


def for_call(limits: Mapping[str, float | None], total: float | None) -> dict[str, float | None]:
    """Return the time-outs of one attempt of a call.

    Waiting for one of the pool's connections does not count: it is not the engine's time.

    Args:
        limits: the time-outs as httpx writes them: `connect`, `read`, `write`, `pool`.
        total: seconds for everything together; None if reading and writing have their own.
    """
    found = dict(limits)
    whole = None if total is None else Deadline(total)
    for name in ("read", "write") if whole is None else ("connect", "read", "write"):
        seconds = found.get(name)
        if seconds is not None:
            found[name] = Allowance.of(seconds, whole or Deadline(seconds))
    return found


def deadline_of(limits: Mapping[str, float | None]) -> Deadline | None:
    """Return the deadline for reading; None if there is none."""
    read = limits.get("read")
    return read.deadline if isinstance(read, Allowance) else None
