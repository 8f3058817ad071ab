from __future__ import annotations

from datetime import datetime, timedelta, timezone

from arcrun_server.engine.clock import TIME_NAMES, time_variables


def test_all_time_variables_of_a_moment() -> None:
    moment = datetime(2026, 11, 22, 8, 30, 5, 678_900, tzinfo=timezone.utc)
    assert time_variables(moment) == {
        "_today": "2026-11-22",
        "_yesterday": "2026-11-21",
        "_now": "2026-11-22T08:30:05.678Z",
        "_now_unix": 1795336205678,
        "_now_unix_s": 1795336205,
        "_year": 2026,
        "_month": 11,
        "_day": 22,
        "_hour": 8,
        "_minute": 30,
        "_second": 5,
        "_iso_week": "2026-W47",
        "_iso_week_num": 47,
        "_iso_year": 2026,
        "_yyyymm": "202611",
        "_yyyymmdd": "20261122",
        "_weekday": 0,
        "_iso_weekday": 7,
    }


def test_time_variables_are_in_utc_whatever_the_zone() -> None:
    taipei = timezone(timedelta(hours=8))
    values = time_variables(datetime(2027, 1, 1, 2, 0, tzinfo=taipei))
    assert (values["_today"], values["_year"], values["_iso_year"]) == ("2026-12-31", 2026, 2026)


def test_the_iso_year_may_differ_from_the_year() -> None:
    values = time_variables(datetime(2027, 1, 1, tzinfo=timezone.utc))
    assert (values["_year"], values["_iso_year"], values["_iso_week"]) == (2027, 2026, "2026-W53")
    assert (values["_weekday"], values["_iso_weekday"]) == (5, 5)


def test_the_names_are_those_that_a_template_may_use() -> None:
    assert set(time_variables(datetime.now(timezone.utc))) == TIME_NAMES
