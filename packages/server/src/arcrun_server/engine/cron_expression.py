"""Cron expressions: five fields, read once, and the times that they mean in a time zone."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SHORTCUTS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
LONGEST = 200
# The next 29th of February that is a Sunday may be forty years away; who waits longer waits for ever.
_YEARS = 41
_PART = re.compile(r"(?:(\*)|([0-9A-Z]{1,9})(?:-([0-9A-Z]{1,9}))?)(?:/([0-9]{1,9}))?")


class CronError(ValueError):
    """An expression can't be read. The message says which field and why."""


@dataclass(frozen=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


_DAY_OF_WEEK = _Field("day of the week", 0, 7, _WEEKDAYS)
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _DAY_OF_WEEK,
)


@dataclass(frozen=True)
class CronExpression:
    """A cron expression.

    Attributes:
        minutes: The minutes of an hour.
        hours: The hours of a day.
        days: The days of a month.
        months: The months.
        weekdays: The days of a week; 0 is Sunday.
        every_hour: Whether it means each hour of the day.
        either_day: Whether a day fits if `days` or `weekdays` has it; otherwise both must.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    every_hour: bool
    either_day: bool

    def times(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Yield the times after a moment, in a time zone.

        Hours and minutes are those of the wall clock. A time that is skipped when the clocks are put forward is moved
        behind the gap, one that comes twice when they are put back is meant once, the first time. If the expression
        means every hour, there is nothing to move, and both are meant.
        """
        last = after
        for day in self._days(after.astimezone(zone).date()):
            for moment in self._moments(day, zone, after):
                if moment > last:
                    last = moment
                    yield moment.astimezone(zone)

    def _days(self, first: date) -> Iterator[date]:
        """Yield the days that fit, from the one before a day on: to it belongs a time that was moved."""
        begin = first - timedelta(days=1) if first > date.min else first
        found = begin.year
        for year in range(begin.year, MAXYEAR + 1):
            if year > found + _YEARS:
                return
            for month in sorted(self.months):
                for day in _days_of(year, month):
                    if day >= begin and self._fits(day):
                        found = year
                        yield day

    def _fits(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week

    def _moments(self, day: date, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        """Yield what a day has, in order; what is not after a moment may be left out."""
        offset = _offset_of_day(day, zone)
        if offset is None:
            yield from sorted(self._moments_of_change(day, zone))
            return
        midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
        # The wall clock of this day at that moment; hours that were over by then are passed over.
        passed = after.astimezone(timezone.utc) + offset - midnight
        for hour in self.hours:
            if passed < timedelta(hours=hour + 1):
                for minute in self.minutes:
                    yield midnight + timedelta(hours=hour, minutes=minute) - offset

    def _moments_of_change(self, day: date, zone: tzinfo) -> Iterator[datetime]:
        """Yield what a day has on which the clocks change."""
        for hour in self.hours:
            for minute in self.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                moment = wall.astimezone(timezone.utc)
                skipped = moment.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None)
                if not (skipped and self.every_hour):
                    yield moment
                if self.every_hour and not skipped:
                    yield wall.replace(fold=1).astimezone(timezone.utc)


def _offset_of_day(day: date, zone: tzinfo) -> timedelta | None:
    """Return by how much the clocks of a zone are ahead of UTC on a day, or None if they change."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    last = first.replace(hour=23, minute=59, fold=1)
    offset = first.utcoffset()
    return offset if offset == last.utcoffset() else None


def _days_of(year: int, month: int) -> Iterator[date]:
    for day in range(1, monthrange(year, month)[1] + 1):
        yield date(year, month, day)


def parse_cron(text: str) -> CronExpression:
    """Read a cron expression: five fields, or a shortcut as `@daily`.

    Raises:
        CronError: It can't be read, or means no time at all.

    Example:
        >>> parse_cron("*/20 9-17 * * MON-FRI").minutes
        (0, 20, 40)
    """
    if len(text) > LONGEST:
        raise CronError(f"it is longer than {LONGEST} characters")
    words = text.strip().upper()
    if words.startswith("@"):
        words = _shortcut(words.lower())
    fields = words.split()
    if len(fields) != len(_FIELDS):
        raise CronError(
            f"it has {len(fields)} fields; there are five: minute, hour, day of the month, month, day of the week"
        )
    minutes, hours, days, months, weekdays = map(_values, fields, _FIELDS)
    expression = CronExpression(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(number % 7 for number in weekdays),
        every_hour=len(hours) == 24,
        either_day=not (fields[2].startswith("*") or fields[4].startswith("*")),
    )
    if (
        next(expression.times(datetime(2024, 1, 1, tzinfo=timezone.utc), timezone.utc), None)
        is None
    ):
        raise CronError("it means no time: there is no such day in these months")
    return expression


def _shortcut(word: str) -> str:
    if word not in _SHORTCUTS:
        near = nearest(word, list(_SHORTCUTS))
        hint = f"; did you mean '{near}'?" if near else f"; there are {', '.join(_SHORTCUTS)}"
        raise CronError(f"there is no such shortcut{hint}")
    return _SHORTCUTS[word]


def _values(text: str, field: _Field) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        values.update(_range(part, field))
    return values


def _range(part: str, field: _Field) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        raise CronError(
            f"the {field.name} can't be '{part}'; write numbers, lists (1,2), ranges (1-5), steps (*/5) or *"
        )
    every, first, last, step = found.groups()
    least = field.least if every else _number(first, field)
    is_open = every or (step and last is None)
    most = field.most if is_open else _number(last or first, field)
    if last and most == 0 < least and field is _DAY_OF_WEEK:
        most = field.most  # a week of MON-SUN ends with the other number of Sunday
    if least > most:
        raise CronError(
            f"the {field.name} '{part}' ends before it begins{_in_two(first, last or first, step, field)}"
        )
    if step is not None and int(step) == 0:
        raise CronError(f"the {field.name} '{part}' has a step of 0")
    return range(least, most + 1, int(step or 1))


def _in_two(first: str, last: str, step: str | None, field: _Field) -> str:
    """Return a hint how to write a range that goes on from the start; none for one with a step."""
    if step is not None:
        return ""
    top = field.names[-1] if first in field.names else str(field.most)
    bottom = field.names[0] if last in field.names else str(field.least)
    ranges = (
        begin if begin == end else f"{begin}-{end}" for begin, end in ((first, top), (bottom, last))
    )
    return f"; write '{','.join(ranges)}'"


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names.index(text) + field.least
    if not text.isdigit():
        hint = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise CronError(
            f"the {field.name} can't be '{text}'; it is {field.least} to {field.most}{hint}"
        )
    if not field.least <= int(text) <= field.most:
        raise CronError(f"the {field.name} can't be {text}; it is {field.least} to {field.most}")
    return int(text)
