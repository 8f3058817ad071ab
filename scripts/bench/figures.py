"""A figure of the bench, and how it is taken on a noisy machine."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Figure:
    """One line of the bench.

    Attributes:
        what: What was measured.
        value: What was found.
        unit: `×` for a ratio to the baseline, else a unit.
        goal: The bound; None where there is none.
        at_least: Whether the goal is a lower bound; else it is an upper one.
        note: What it was measured against, and the absolute figures.
    """

    what: str
    value: float
    unit: str
    goal: float | None
    note: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def in_turns(
    rounds: int,
    *measures: Callable[[], float],
    take: Callable[[list[float]], float] = statistics.median,
) -> list[float]:
    """Take several measurements in turns, so that noise falls on all alike.

    Args:
        rounds: How often each is taken.
        measures: What is measured.
        take: What is made of one's values: the median, or `min` where noise can only add.
    """
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, values in zip(measures, taken, strict=True):
            values.append(measure())
    return [take(values) for values in taken]
