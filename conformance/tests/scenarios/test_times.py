"""`$now`: each of its forms, and beside other operators."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from arcrun_conformance.scenarios.patterns import differences
from arcrun_conformance.scenarios.times import with_times

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def test_now_stands_beside_other_operators() -> None:
    pattern = with_times({"$now": "iso", "$regex": "Z$"}, NOON, NOON)
    assert differences(pattern, "2026-01-01T12:00:01Z") == []
    assert differences(pattern, "2026-01-01T12:00:01+00:00") != []
    assert differences(pattern, "2026-01-01T13:00:01Z") != []


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("seconds", {"$min": 1767268798, "$max": 1767268803}),
        ("milliseconds", {"$min": 1767268798000, "$max": 1767268803000}),
        ("iso", {"$between": ["2026-01-01T11:59:58+00:00", "2026-01-01T12:00:03+00:00"]}),
        ("%M:%S", {"$any": ["59:58", "59:59", "00:00", "00:01", "00:02", "00:03"]}),
        ("%H", {"$any": ["11", "12"]}),
    ],
)
def test_now_is_the_time_of_the_step_with_two_seconds_on_each_side(
    form: str, expected: dict[str, Any]
) -> None:
    zone = timezone(timedelta(hours=8))  # what is compared is UTC
    ended = NOON.astimezone(zone) + timedelta(seconds=1)
    assert with_times({"at": [{"$now": form}]}, NOON.astimezone(zone), ended) == {"at": [expected]}
