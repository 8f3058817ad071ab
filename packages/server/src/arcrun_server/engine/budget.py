"""The budget of a run: its steps, its time, and the bytes of its results and its trace."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .sizes import KnownSizes

if TYPE_CHECKING:
    from .environment import RunLimits
    from .result import TraceEntry

OMITTED = "left out: the trace of this run is too large"
# How long a run computes before others have a turn, in seconds.
_TURN_SECONDS = 0.01
# From here on measuring may take long.
_LARGE = 64 * 1024


class BudgetError(Exception):
    """The run as a whole has used what it may use. The message says of what."""


class RunBudget:
    """What a run may still use. Sub-workflows share the budget of the run that calls them.

    Args:
        limits: What there is at first.
        steps: How many steps have been taken already.

    Attributes:
        deadline: When the time is over, on the clock of `time.monotonic`.
        steps: How many steps have been taken.
        sizes: The sizes of values, each measured once.
        held_bytes: The size of the input and all results so far.
        trace: How much the trace may still show.
    """

    def __init__(self, limits: RunLimits, steps: int = 0) -> None:
        self._limits = limits
        self.deadline = time.monotonic() + limits.seconds
        self.steps = steps
        self.sizes = KnownSizes(limits.output_values)
        self.held_bytes = 0
        self._left_bytes = limits.total_bytes
        self.trace = TraceRoom(limits.trace_bytes, self.sizes)
        # The last value that was measured in a thread and refused, and why: it is not measured again for its message.
        self._refused: tuple[Any, ValueError] | None = None
        self._now = time.monotonic()
        self._turn_ends = self._now + _TURN_SECONDS

    def take_step(self) -> None:
        """Count a step, at the time of the last `turn_is_over`.

        Raises:
            BudgetError: It was the last one, or the time is over.
        """
        self.steps += 1
        if self.steps > self._limits.steps:
            raise BudgetError(f"the run has taken {self._limits.steps:,} steps, which is the limit")
        if self._now > self.deadline:
            raise BudgetError(self.out_of_time())

    def out_of_time(self) -> str:
        """Return why a run ends whose time is over."""
        return f"the run's time is over ({self._limits.seconds:g} seconds)"

    def turn_is_over(self) -> bool:
        """Tell whether others should have a turn now; the next turn begins with this answer."""
        self._now = time.monotonic()
        if self._now < self._turn_ends:
            return False
        self._turn_ends = self._now + _TURN_SECONDS
        return True

    def take_input(self, run_input: Any) -> None:
        """Note what the run begins with.

        Raises:
            ValueError: It is not valid JSON.
        """
        self.held_bytes += self.sizes.of(run_input)

    async def measure(self, value: Any) -> None:
        """Measure a value that may be large, in a thread, so that it is known when it is used."""
        if self.sizes.rough(value, _LARGE) > _LARGE:
            try:
                await asyncio.to_thread(self.sizes.of, value)
            except ValueError as problem:  # whoever uses it gets the error
                self._refused = value, problem

    def take_result(self, result: Any) -> None:
        """Use the bytes of a node's result.

        Raises:
            ValueError: It is not valid JSON, or too large for one result.
            BudgetError: All results together have become too large.
        """
        try:
            if self._refused is not None and self._refused[0] is result:
                raise self._refused[1]
            size = self.sizes.of(result)
        except ValueError as problem:
            raise ValueError(f"its result is {problem}") from None
        if size > self._limits.output_bytes:
            raise ValueError(
                f"its result has {size:,} bytes as JSON; a run allows {self._limits.output_bytes:,}"
            )
        self.held_bytes += size
        self._left_bytes -= size
        if self._left_bytes < 0:
            raise BudgetError(
                f"the run's results together have more than {self._limits.total_bytes:,} bytes, which is the limit"
            )


class TraceRoom:
    """How much the trace may still show.

    Args:
        most: How many bytes.
        sizes: The sizes of values that are known.

    Attributes:
        left: How many of them are left.
    """

    def __init__(self, most: int, sizes: KnownSizes) -> None:
        self.left = most
        self._most = most
        self._sizes = sizes

    @property
    def used(self) -> int:
        """Return how many bytes are used."""
        return self._most - self.left

    def share(self, number: int) -> TraceRoom:
        """Return one of so many parts of the room, for what is put in later."""
        return TraceRoom(self.left // max(number, 1), self._sizes)

    def fit(self, entry: TraceEntry) -> TraceEntry:
        """Return an entry as it goes into the trace: without what there is no room for."""
        for part in ("input", "output"):
            size = self._sizes.rough(entry[part], self.left)
            if size <= self.left:
                self.left -= size
            else:
                entry[part] = OMITTED
        return entry
