"""The component `cron`: which expressions can be read, and which times they mean."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.engine import ComponentError


async def times(use: Any, expr: str, after: str, zone: str = "UTC", count: int = 3) -> list[str]:
    given = {"expr": expr, "after": after, "timezone": zone, "count": count}
    result = await use("cron", given)
    assert result["success"] is True
    assert result["data"]["result"] == result["data"]["times"][0]
    return list(result["data"]["times"])


# 2026-11-22 is a Sunday.
@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("* * * * *", ["2026-11-22T08:31:00", "2026-11-22T08:32:00", "2026-11-22T08:33:00"]),
        ("*/20 * * * *", ["2026-11-22T08:40:00", "2026-11-22T09:00:00", "2026-11-22T09:20:00"]),
        ("30 8 * * *", ["2026-11-23T08:30:00", "2026-11-24T08:30:00", "2026-11-25T08:30:00"]),
        ("31 8 * * *", ["2026-11-22T08:31:00", "2026-11-23T08:31:00", "2026-11-24T08:31:00"]),
        ("0 9 * * MON-FRI", ["2026-11-23T09:00:00", "2026-11-24T09:00:00", "2026-11-25T09:00:00"]),
        ("0 9 * * 0", ["2026-11-22T09:00:00", "2026-11-29T09:00:00", "2026-12-06T09:00:00"]),
        ("0 9 * * 7", ["2026-11-22T09:00:00", "2026-11-29T09:00:00", "2026-12-06T09:00:00"]),
        ("0 9 * * FRI-SUN", ["2026-11-22T09:00:00", "2026-11-27T09:00:00", "2026-11-28T09:00:00"]),
        ("0 9 * * 6-0", ["2026-11-22T09:00:00", "2026-11-28T09:00:00", "2026-11-29T09:00:00"]),
        ("0 9 * * sat,sun", ["2026-11-22T09:00:00", "2026-11-28T09:00:00", "2026-11-29T09:00:00"]),
        ("0 0 1 JAN *", ["2027-01-01T00:00:00", "2028-01-01T00:00:00", "2029-01-01T00:00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        ("0 0 31 * *", ["2026-12-31T00:00:00", "2027-01-31T00:00:00", "2027-03-31T00:00:00"]),
        ("0 12 13 * FRI", ["2026-11-27T12:00:00", "2026-12-04T12:00:00", "2026-12-11T12:00:00"]),
        ("0 12 */13 * FRI", ["2026-11-27T12:00:00", "2027-01-01T12:00:00", "2027-05-14T12:00:00"]),
        ("5/25 10 * * *", ["2026-11-22T10:05:00", "2026-11-22T10:30:00", "2026-11-22T10:55:00"]),
        ("10-20/5 10 * * *", ["2026-11-22T10:10:00", "2026-11-22T10:15:00", "2026-11-22T10:20:00"]),
        ("@hourly", ["2026-11-22T09:00:00", "2026-11-22T10:00:00", "2026-11-22T11:00:00"]),
        ("@WEEKLY", ["2026-11-29T00:00:00", "2026-12-06T00:00:00", "2026-12-13T00:00:00"]),
    ],
)  # fmt: skip
async def test_the_next_times_of_an_expression(use: Any, expr: str, expected: list[str]) -> None:
    found = await times(use, expr, "2026-11-22T08:30:00Z", count=len(expected))
    assert found == [f"{time}+00:00" for time in expected]


@pytest.mark.parametrize(
    ("expr", "after", "years"),
    [
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", [2028, 2032, 2036, 2040, 2044]),
        ("0 0 29 2 *", "2092-03-01T00:00:00Z", [2096, 2104, 2108]),
        # A field that begins with `*` restricts: the 29th of February that is a Sunday.
        ("0 0 29 2 */7", "2026-01-01T00:00:00Z", [2032, 2060, 2088, 2128]),
        ("@yearly", "2026-11-22T00:00:00Z", list(range(2027, 2077))),
        ("0 0 29 2 *", "9990-01-01T00:00:00Z", [9992, 9996]),
    ],
)
async def test_rare_times_are_as_many_as_are_asked_for(
    use: Any, expr: str, after: str, years: list[int]
) -> None:
    found = await times(use, expr, after, count=50 if years[-1] == 9996 else len(years))
    assert [int(time[:4]) for time in found] == years


async def test_what_there_is_before_the_calendar_ends_is_returned(use: Any) -> None:
    found = await times(use, "0 12 * * *", "9999-12-29T13:00:00Z", "Asia/Taipei", 50)
    assert found == ["9999-12-30T12:00:00+08:00", "9999-12-31T12:00:00+08:00"]


async def test_times_are_those_of_the_time_zone(use: Any) -> None:
    assert await times(use, "30 8 * * *", "2026-11-22T00:29:00Z", "Asia/Taipei", 2) == [
        "2026-11-22T08:30:00+08:00",
        "2026-11-23T08:30:00+08:00",
    ]


# In Berlin, clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
async def test_a_skipped_time_is_moved_behind_the_gap(use: Any) -> None:
    assert await times(use, "30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 2) == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


async def test_a_time_that_comes_twice_is_meant_once(use: Any) -> None:
    assert await times(use, "30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


async def test_steps_of_hours_follow_the_wall_clock_when_the_clocks_change(use: Any) -> None:
    spring = await times(use, "30 */2 * * *", "2026-03-28T23:00:00Z", "Europe/Berlin")
    autumn = await times(use, "30 */2 * * *", "2026-10-24T22:00:00Z", "Europe/Berlin")

    assert spring[:2] == ["2026-03-29T00:30:00+01:00", "2026-03-29T03:30:00+02:00"]
    assert autumn[:3] == [
        "2026-10-25T00:30:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T04:30:00+01:00",
    ]


async def test_every_hour_is_every_hour_when_the_clocks_change(use: Any) -> None:
    assert await times(use, "30 * * * *", "2026-03-29T00:00:00Z", "Europe/Berlin") == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-29T04:30:00+02:00",
    ]
    assert await times(use, "30 * * * *", "2026-10-25T00:00:00Z", "Europe/Berlin") == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:30:00+01:00",
    ]


async def test_the_time_of_the_run_is_where_it_begins(use: Any) -> None:
    result = await use("cron", {"expr": "@daily"})
    assert result == {
        "success": True,
        "data": {
            "result": "2026-11-23T00:00:00+00:00",
            "expr": "@daily",
            "timezone": "UTC",
            "times": [f"2026-11-{day}T00:00:00+00:00" for day in (23, 24, 25, 26, 27)],
        },
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "`expr` is missing"),
        ({"expr": 5}, "`expr` must be text, but it is the number 5"),
        ({"expr": ""}, "it has 0 fields; there are five"),
        ({"expr": "0 0 * * * *"}, "it has 6 fields; there are five"),
        ({"expr": "60 * * * *"}, "the minute can't be 60; it is 0 to 59"),
        ({"expr": "* 24 * * *"}, "the hour can't be 24; it is 0 to 23"),
        ({"expr": "* * 0 * *"}, "the day of the month can't be 0; it is 1 to 31"),
        ({"expr": "* * * 13 *"}, "the month can't be 13; it is 1 to 12"),
        ({"expr": "* * * * 8"}, "the day of the week can't be 8; it is 0 to 7"),
        ({"expr": "* * * * MOO"}, "the day of the week can't be 'MOO'; it is 0 to 7 or SUN to SAT"),
        ({"expr": "5-1 * * * *"}, "the minute '5-1' ends before it begins; write '5-59,0-1'"),
        ({"expr": "0 22-0/2 * * *"}, "the hour '22-0/2' ends before it begins"),
        ({"expr": "0 0 * DEC-FEB *"}, "ends before it begins; write 'DEC,JAN-FEB'"),
        ({"expr": "0 0 * * FRI-MON"}, "ends before it begins; write 'FRI-SAT,SUN-MON'"),
        ({"expr": "0 0 * * 6-1"}, "ends before it begins; write '6-7,0-1'"),
        ({"expr": "*/0 * * * *"}, "has a step of 0"),
        ({"expr": "1,,2 * * * *"}, "the minute can't be ''; write numbers"),
        ({"expr": "１ * * * *"}, "the minute can't be '１'; write numbers"),
        ({"expr": "* * * * FRI#2"}, "the day of the week can't be 'FRI#2'"),
        ({"expr": "0 0 31 2 *"}, "it means no time: there is no such day in these months"),
        ({"expr": "@dayly"}, "there is no such shortcut; did you mean '@daily'?"),
        ({"expr": "* " * 200}, "it is longer than 200 characters"),
        ({"expr": "@daily", "timezone": "Taipei"}, "there is no time zone 'Taipei'"),
        ({"expr": "@daily", "count": 51}, "`count` must be from 1 to 50, but it is 51"),
        ({"expr": "@daily", "after": "9999-12-31T23:59:00Z"}, "`after` is too far away"),
        (
            {"expr": "@daily", "after": "0001-01-01T00:00:00Z", "timezone": "America/New_York"},
            "`after` is not a date",
        ),
        ({"expr": "@daily", "after": "soon"}, "`after` is not a date"),
    ],
)
async def test_what_can_not_be_read_says_why(use: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError) as raised:
        await use("cron", given)
    assert message in str(raised.value)
