"""The `cron` of a graph: what is refused, where and why, and when it comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from arcrun_server.engine import check_graph
from arcrun_server.engine.schedule import Schedule, schedule_of


def graph_with(cron: Any) -> Any:
    return {"nodes": [{"id": "input", "type": "Input"}], "edges": [], "cron": cron}


@pytest.mark.parametrize(
    "cron",
    [
        {"expr": "@daily"},
        {"expr": "30 8 * * MON-FRI", "timezone": "Asia/Taipei"},
        {"expr": "0 0 29 2 *", "timezone": "UTC"},
        {"expr": "*/10 * * * *", "timezone": "utc"},
    ],
)
def test_what_a_schedule_may_be(cron: Any) -> None:
    assert check_graph(graph_with(cron)) == []


@pytest.mark.parametrize(
    ("cron", "path", "suggestion", "said"),
    [
        ("@daily", "cron", None, "`cron` is an object, such as {expr:"),
        (None, "cron", None, "`cron` is an object"),
        ({}, "cron.expr", None, "`expr` is missing"),
        ({"expr": None}, "cron.expr", None, "not nothing"),
        ({"expr": "0 0 31 2 *"}, "cron.expr", None, "it means no time: there is no such day"),
        ({"expr": "0 25 * * *"}, "cron.expr", None, "the hour can't be 25"),
        ({"expr": "@dayly"}, "cron.expr", None, "did you mean '@daily'?"),
        ({"expr": "* " * 101}, "cron.expr", None, "longer than 200 characters"),
        ({"expr": "@daily", "timezone": 8}, "cron.timezone", None, "not 8"),
        ({"expr": "@daily", "timezone": None}, "cron.timezone", None, "not nothing"),
        (
            {"expr": "@daily", "timezone": "Europe/Berln"},
            "cron.timezone",
            "Europe/Berlin",
            "There is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        (
            {"expr": "@daily", "timezone": "new york"},
            "cron.timezone",
            "America/New_York",
            "did you mean 'America/New_York'?",
        ),
        ({"expr": "@daily", "timezone": "../../x"}, "cron.timezone", None, "no time zone"),
        ({"expr": "@daily", "timezone": "Europe"}, "cron.timezone", None, "no time zone 'Europe'"),
        ({"expr": "@daily", "tz": "UTC"}, "cron.tz", None, "it has expr and timezone."),
        ({"expr": "@daily", "exprs": ""}, "cron.exprs", "expr", "did you mean 'expr'?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    cron: Any, path: str, suggestion: str | None, said: str
) -> None:
    [problem] = check_graph(graph_with(cron))
    assert problem.path == path
    if suggestion is not None or path != "cron.timezone":
        assert problem.suggestion == suggestion
    assert said in problem.message


def test_a_graph_without_cron_has_no_schedule() -> None:
    assert schedule_of({"nodes": [], "edges": []}) is None
    assert schedule_of(graph_with({"expr": "@daily"})) == Schedule("@daily", "UTC")


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # The clocks are put forward at 02:00: that night has no 02:30.
        (
            Schedule("30 2 * * *", "America/New_York"),
            "2026-03-07T12:00:00-05:00",
            "2026-03-08T03:30:00-04:00",
        ),
        # They are put back by half an hour at 02:00: 01:45 comes twice.
        (
            Schedule("45 1 * * *", "Australia/Lord_Howe"),
            "2026-04-05T01:45:00+11:00",
            "2026-04-06T01:45:00+10:30",
        ),
        # The whole 30th of December was skipped.
        (
            Schedule("0 12 30 12 *", "Pacific/Apia"),
            "2011-12-29T13:00:00-10:00",
            "2011-12-31T12:00:00+14:00",
        ),
        # A quarter of an hour is one also in the hour that comes twice.
        (
            Schedule("*/15 * * * *", "Europe/Berlin"),
            "2026-10-25T02:45:00+02:00",
            "2026-10-25T02:00:00+01:00",
        ),
    ],
)
def test_the_next_time_follows_the_wall_clock(
    schedule: Schedule, after: str, expected: str
) -> None:
    assert schedule.next_time(datetime.fromisoformat(after)).isoformat() == expected


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Schedule("@daily", "Mars/Olympus"), "there is no time zone 'Mars/Olympus'"),
        (Schedule("@yearly"), "before the end of the calendar"),
    ],
)
def test_a_schedule_without_a_next_time_says_why(schedule: Schedule, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        schedule.next_time(datetime.fromisoformat("9999-06-01T00:00:00+00:00"))


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/localtime"])
def test_a_zone_that_each_machine_has_its_own_of_is_none(name: str) -> None:
    problem = check_graph(graph_with({"expr": "@daily", "timezone": name}))[0]

    assert problem.path == "cron.timezone"
    assert problem.suggestion not in {"localtime", "posixrules", "Factory"}
