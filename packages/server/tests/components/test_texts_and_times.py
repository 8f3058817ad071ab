"""Time zones, and the separators and encodings of texts."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine import ComponentError

NEW_YORK = {"timezone": "America/New_York"}


@pytest.mark.parametrize(
    ("given", "result"),
    [
        # Clocks go back at 2026-11-01T06:00Z: this day has 25 hours.
        (
            {
                "operation": "add",
                "date": "2026-11-01",
                "amount": 1,
                "unit": "days",
                "format": "date",
            },
            "2026-11-02",
        ),
        (
            {"operation": "add", "date": "2026-11-01", "amount": 24, "unit": "hours"},
            "2026-11-01T23:00:00-05:00",
        ),
        (
            {"operation": "subtract", "date": "2026-11-02", "amount": 1, "unit": "days"},
            "2026-11-01T00:00:00-04:00",
        ),
        (
            {"operation": "add", "date": "2026-10-31T12:00", "amount": 1, "unit": "weeks"},
            "2026-11-07T12:00:00-05:00",
        ),
        (
            {"operation": "add", "date": "2026-10-31T12:00", "amount": 1.5, "unit": "days"},
            "2026-11-02T00:00:00-05:00",
        ),
        (
            {"operation": "add", "date": "2026-11-01T05:30Z", "amount": 1, "unit": "hours"},
            "2026-11-01T01:30:00-05:00",
        ),
        (
            {
                "operation": "difference",
                "date": "2026-11-01T05:30Z",
                "to": "2026-11-01T06:30Z",
                "unit": "hours",
            },
            1,
        ),
        (
            {"operation": "difference", "date": "2026-11-01", "to": "2026-11-02", "unit": "hours"},
            25,
        ),
        ({"operation": "before", "date": "2026-11-01T05:30Z", "to": "2026-11-01T06:10Z"}, True),
        ({"operation": "before", "date": "2026-11-01T06:10Z", "to": "2026-11-01T05:30Z"}, False),
        (
            {"operation": "end_of", "date": "2026-11-01T05:30Z", "unit": "day"},
            "2026-11-01T23:59:59.999-05:00",
        ),
        (
            {"operation": "start_of", "date": "2026-11-01T06:30Z", "unit": "day"},
            "2026-11-01T00:00:00-04:00",
        ),
        (
            {"operation": "end_of", "date": "2026-11-01T05:30Z", "unit": "hour"},
            "2026-11-01T01:59:59.999-04:00",
        ),
        (
            {"operation": "start_of", "date": "2026-11-01T06:30Z", "unit": "hour"},
            "2026-11-01T01:00:00-05:00",
        ),
        (
            {"operation": "end_of", "date": "2026-11-01", "unit": "month"},
            "2026-11-30T23:59:59.999-05:00",
        ),
        # Clocks go forward at 2026-03-08T07:00Z: 02:30 does not exist.
        (
            {"operation": "add", "date": "2026-03-07T02:30", "amount": 1, "unit": "days"},
            "2026-03-08T03:30:00-04:00",
        ),
        (
            {"operation": "add", "date": "2026-02-08T02:30", "amount": 1, "unit": "months"},
            "2026-03-08T03:30:00-04:00",
        ),
        (
            {"operation": "difference", "date": "2026-03-08", "to": "2026-03-09", "unit": "hours"},
            23,
        ),
    ],
)
async def test_days_follow_the_wall_clock_and_hours_the_time_that_passes(
    use: Any, given: dict[str, Any], result: Any
) -> None:
    assert (await use("date_ops", {**given, **NEW_YORK}))["data"]["result"] == result


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ({"text": "1,5", "decimal_separator": ","}, 1.5),
        ({"text": "1.234,5", "decimal_separator": ",", "group_separator": "."}, 1234.5),
        ({"text": "1,234,567", "group_separator": ","}, 1234567),
        ({"text": "-1 234.25", "group_separator": " "}, -1234.25),
        ({"text": "12", "group_separator": ","}, 12),
        ({"text": "1e3"}, 1000),
        ({"text": "+.5"}, 0.5),
    ],
)
async def test_a_number_is_read_with_the_separators_that_were_said(
    use: Any, given: dict[str, Any], result: float
) -> None:
    response = await use("number_ops", {"operation": "parse", **given})
    assert response["data"]["result"] == result


@pytest.mark.parametrize(
    ("operation", "text", "says"),
    [
        ("url_decode", "%ff", "does not become UTF-8"),
        ("base64_decode", "*", "is not Base64"),
        ("base64_decode", "a", "is not Base64"),
        ("base64_decode", "/w==", "does not become UTF-8"),
    ],
)
async def test_what_cannot_be_decoded_is_refused(
    use: Any, operation: str, text: str, says: str
) -> None:
    with pytest.raises(ComponentError, match=says):
        await use("string_ops", {"operation": operation, "text": text})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("date", "0800-01-02"),
        ("datetime", "0800-01-02 03:04:05"),
        ("yyyymmdd", "08000102"),
        ("iso", "0800-01-02T03:04:05+00:00"),
    ],
)
async def test_a_year_has_four_digits_in_every_format(
    use: Any, written: str, expected: str
) -> None:
    given = {"operation": "format", "date": "0800-01-02T03:04:05Z", "format": written}
    assert (await use("date_ops", given))["data"]["result"] == expected
