"""Define a figure of the bench, and measure it on a noisy machine."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Figure:
    """One line of the result.

    Attributes:
        what: What was measured.
        value: The result.
        unit: `×` for a ratio to the baseline, else a unit.
        goal: The bound; None if there is none.
        at_least: Whether the goal is a lower bound; otherwise it is an upper one.
        note: The baseline, and the absolute figures.
    """

    what: str
    value: float
    unit: str
    goal: float | None
    note: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Return whether the goal was met; None if there is none."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def in_turns(
    rounds: int,
    *measures: Callable[[], float],
    take: Callable[[list[float]], float] = statistics.median,
) -> list[float]:
    """Take several measurements in turns, so that noise affects all of them alike.

    Args:
        rounds: How often each is taken.
        measures: The measurements.
        take: Reduces the values of each: the median, or `min` where noise can only add.
    """
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, values in zip(measures, taken, strict=True):
            values.append(measure())
    return [take(values) for values in taken]
