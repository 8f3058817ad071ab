"""`$now` beside other operators."""

from __future__ import annotations

from datetime import datetime, timezone

from arcrun_conformance.scenarios.patterns import differences
from arcrun_conformance.scenarios.times import with_times

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def test_now_stands_beside_other_operators() -> None:
    pattern = with_times({"$now": "iso", "$regex": "Z$"}, NOON, NOON)
    assert differences(pattern, "2026-01-01T12:00:01Z") == []
    assert differences(pattern, "2026-01-01T12:00:01+00:00") != []
    assert differences(pattern, "2026-01-01T13:00:01Z") != []
