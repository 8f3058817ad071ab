"""What a report says of waits: how long each was, what was answered before it, and which of them is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from report_document import cell, check, document

from arcrun_conformance.report.causes import causes
from arcrun_conformance.report.waits import Wait, advances, waited, waits

SOURCE = """
clock: "2026-01-01T00:00:00Z"
steps:
  - {id: first, waited: [7]}
  - {id: second, waited: [60, {$min: 1, $max: 2}]}
"""
SCENARIO = {"id": "one", "title": "", "spec": [], "source": SOURCE}
DATE = "Thu, 01 Jan 2026 02:00:00 GMT"


def sent(number: int, step: str, status: int = 200, target: str = "/x", **headers: str) -> dict:
    answer = {"status": status, "headers": [[n.replace("_", "-"), v] for n, v in headers.items()]}
    request = {"method": "GET", "target": target, "headers": [], "body": ""}
    made = {"number": number, "step": step, "place": "engine", "request": request}
    return made | {"answer": answer | {"body": ""}, "fault": None, "further_page": False}


TRAFFIC = [
    sent(1, "first", 503),
    sent(2, "first"),
    sent(3, "second", target="/health"),
    sent(4, "second", 502, retry_after=DATE),
    sent(5, "second", 500),
    sent(6, "second"),
]


def failing(message: str, traffic: list[dict[str, Any]] = TRAFFIC) -> dict[str, Any]:
    checks = (check("first", "passed"), check("second", "failed", message))
    steps = [
        reply("first", 7),
        reply("second"),
        reply("second", 0.000449, 1.5),
    ]
    return cell("one", "js", "failed", *checks, traffic=traffic, steps=steps)


def reply(step: str, *waited: float) -> dict[str, Any]:
    record = {"id": step, "command": {}, "answer": {}, "seconds": 0}
    return record | ({"waited": list(waited)} if waited else {})


def findings_of(broken: dict[str, Any]) -> list[dict[str, str]]:
    (cause,) = causes(document(cells=[broken], scenarios=[SCENARIO]))
    found: list[dict[str, str]] = cause["findings"]
    return found


@pytest.mark.parametrize(
    ("expected", "got", "text"),
    [
        ("60 s", "0.000449 s", "it waited 0.0004 s, py 60 s"),
        ("at least 15 s", "0.399214 s", "it waited 0.3992 s, py at least 15 s"),
        ("2 items", "0: []", "it waited 0 times, py 2 times"),
        ("60 s", "null", "it waited for another time than the scenario expects"),
    ],
)
def test_each_sdk_has_its_wait(expected: str, got: str, text: str) -> None:
    assert waited({"where": "waited[0]", "expected": expected, "got": got}, "py") == text


def test_a_wait_is_between_a_request_that_failed_and_its_repetition() -> None:
    assert waits(failing("waited[0]: expected 60, got 0.000449")) == [
        Wait(1, 2, "7 s", wrong=False),
        Wait(4, 5, "0.0004 s", wrong=True),
        Wait(5, 6, "1.5 s", wrong=False),
    ]


def test_of_waits_that_are_too_few_each_has_its_length() -> None:
    assert waits(failing("waited: expected 3 items, got 2: [0.000449, 1.5]"))[1:] == [
        Wait(4, 5, "0.0004 s", wrong=False),
        Wait(5, 6, "1.5 s", wrong=False),
    ]


def test_waits_whose_requests_are_not_known_are_not_said() -> None:
    traffic = [*TRAFFIC[:5], sent(6, "second", target="/y")]
    found = waits(failing("waited[0]: expected 60, got 1", traffic))
    assert found == [Wait(1, 2, "7 s", wrong=False)]


def test_a_step_that_was_not_reached_has_no_waits() -> None:
    assert waits(cell("one", "js", "failed", check("first", "not-reached"))) == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "waited[0]: expected 60, got 0.1",
            f"Before the wait, request 4 was answered 502 with Retry-After: {DATE}",
        ),
        (
            "waited[1]: expected at least 1, got 0.1",
            "Before the wait, request 5 was answered 500 with no Retry-After",
        ),
        (
            "waited: expected 2 items, got 0: []",
            f"Before the wait, request 4 was answered 502 with Retry-After: {DATE}",
        ),
    ],
)
def test_a_wrong_wait_has_the_answer_before_it_and_the_clock(message: str, said: str) -> None:
    first, *_ = findings_of(failing(message))
    assert first == {"text": f"{said}\nThe scenario's clock began at 2026-01-01T00:00:00Z"}


def test_other_failures_say_nothing_of_waits() -> None:
    assert findings_of(failing("result: expected 1, got 2")) == [
        {"where": "result", "expected": "1", "got": "2"}
    ]


def no_wait(scenario: str, value: str, wait: float) -> dict[str, Any]:
    message = f"waited[0]: expected at least {wait}, got 0.1"
    traffic = [sent(1, "a", 503, retry_after=value), sent(2, "a")]
    steps = [{"id": "a", "command": {}, "answer": {}, "seconds": 0}]
    return cell(
        scenario, "js", "failed", check("a", "failed", message), traffic=traffic, steps=steps
    )


def test_waits_for_a_date_are_one_cause_and_those_for_seconds_another() -> None:
    cells = [no_wait("one", DATE, 60), no_wait("two", DATE, 15), no_wait("three", "40", 40)]
    assert [cause["title"] for cause in causes(document(cells=cells))] == [
        "2 scenarios: no wait for the date in Retry-After",
        "three: a",
    ]


def test_the_clock_is_moved_on_before_a_step() -> None:
    source = "steps:\n  - {id: first, call: health}\n  - {id: later, advance: 31, call: health}\n"
    assert advances({"id": "one", "source": source}) == {"later": 31}


def test_steps_that_only_move_the_clock_count_for_the_next_request() -> None:
    """As in the engine suite, where they are steps of their own."""
    source = """
steps:
  - {id: day-passes, advance: 86400}
  - {id: hour-passes, advance: 3600}
  - {id: read, request: GET /x}
  - {id: again, request: GET /x}
"""
    assert advances({"id": "one", "source": source}) == {"read": 90000}


def test_a_scenario_that_passed_shows_no_clock() -> None:
    assert advances({"id": "one"}) == {}
