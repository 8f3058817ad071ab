"""When a workflow runs by itself: its `cron` (docs/contract.md#schedules)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .cron_expression import CronError, parse_cron
from .model import Problem
from .time_zones import UTC, find_zone, nearest_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from .model import JsonObject
    from .nearest import Suggestions

_FIELDS = ("expr", "timezone")
_EXAMPLE = '{expr: "30 8 * * MON-FRI", timezone: Asia/Taipei}'


@dataclass(frozen=True)
class Schedule:
    """When a workflow runs by itself.

    Attributes:
        expr: A cron expression.
        timezone: The name of the time zone whose wall clock counts.

    Example:
        >>> from datetime import datetime, timezone
        >>> night = datetime(2026, 3, 29, tzinfo=timezone.utc)  # in which the clocks are put forward
        >>> Schedule("30 2 * * *", "Europe/Berlin").next_time(night).isoformat()
        '2026-03-29T03:30:00+02:00'
    """

    expr: str
    timezone: str = UTC

    def next_time(self, after: datetime) -> datetime:
        """Return the first time after a moment, in the schedule's zone.

        Raises:
            ValueError: There is none; the message says why.
        """
        zone = self.zone()
        try:
            return next(parse_cron(self.expr).times(after, zone))
        except (StopIteration, OverflowError):
            raise ValueError("there is no such time before the end of the calendar") from None

    def zone(self) -> tzinfo:
        """Return its time zone.

        Raises:
            ValueError: There is no such zone.
        """
        zone = find_zone(self.timezone)
        if zone is None:
            raise ValueError(f"there is no time zone {self.timezone!r}")
        return zone

    def as_json(self) -> JsonObject:
        """Return the `cron` of a graph that means this schedule."""
        return {"expr": self.expr, "timezone": self.timezone}


def schedule_of(graph: Any) -> Schedule | None:
    """Return the schedule of a checked graph, if it has one."""
    cron = graph.get("cron")
    return None if cron is None else Schedule(**cron)


def cron_problems(cron: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
    """Yield what is wrong with the `cron` of a graph."""
    if not isinstance(cron, dict):
        yield Problem(f"`cron` is an object, such as {_EXAMPLE}.", path=path)
        return
    for name in cron:
        if name not in _FIELDS:
            near = suggestions.nearest(str(name), _FIELDS)
            hint = f"; did you mean '{near}'?" if near else f"; it has {' and '.join(_FIELDS)}."
            message = f"`cron` has no field '{name}'{hint}"
            yield Problem(message, path=f"{path}.{name}", suggestion=near)
    if "expr" not in cron:
        message = f"`expr` is missing: when the workflow runs, as in {_EXAMPLE}."
        yield Problem(message, path=f"{path}.expr")
    else:
        yield from _expr_problems(cron["expr"], f"{path}.expr")
    if "timezone" in cron:
        yield from _zone_problems(cron["timezone"], f"{path}.timezone", suggestions)


def _expr_problems(expr: Any, path: str) -> Iterator[Problem]:
    if not isinstance(expr, str):
        message = f"`expr` is text, such as '30 8 * * MON-FRI', not {_shown(expr)}."
        yield Problem(message, path=path)
        return
    try:
        parse_cron(expr)
    except CronError as error:
        yield Problem(f"`expr` is not a cron expression: {error}.", path=path)


def _zone_problems(name: Any, path: str, suggestions: Suggestions) -> Iterator[Problem]:
    if not isinstance(name, str):
        message = (
            f"`timezone` is the name of a time zone, such as 'Asia/Taipei', not {_shown(name)}."
        )
        yield Problem(message, path=path)
    elif find_zone(name) is None:
        near = nearest_zone(name, suggestions)
        hint = f"did you mean '{near}'?" if near else "write it as in 'Asia/Taipei'."
        yield Problem(f"There is no time zone {_shown(name)}; {hint}", path=path, suggestion=near)


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:80]
