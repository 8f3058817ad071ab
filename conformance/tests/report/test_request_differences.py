"""How the requests of two SDKs differ: how both are written, and which differences have one cause."""

from __future__ import annotations

from typing import Any

import pytest
from report_document import cell, check, document

from arcrun_conformance.report.causes import causes

ERROR = "expected a result, got the SDK error bad_request: no (HTTP 400, invalid, request {})"


def sent(number: int, target: str, **more: Any) -> dict[str, Any]:
    request = {"method": "GET", "target": target, "headers": [], "body": ""} | more
    answer = {"status": 200, "headers": [], "body": ""}
    made = {"number": number, "place": "engine", "step": "a", "request": request, "answer": answer}
    return made | {"fault": None, "further_page": False}


def pair(
    scenario: str, mine: dict[str, Any], theirs: dict[str, Any], sdk: str = "js"
) -> list[dict]:
    """Return the cell of an SDK that fails, and of one that passes; both sent a request before."""
    steps = [{"id": "a", "command": {}, "answer": {}, "seconds": 0}]
    before = sent(mine["number"] - 1, "/first")
    said = check("a", "failed", ERROR.format(scenario))
    broken = cell(scenario, sdk, "failed", said, traffic=[before, mine], steps=steps)
    passing = check("a", "passed")
    return [broken, cell(scenario, "py", "passed", passing, traffic=[before, theirs], steps=steps)]


def found(*cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return causes(document(cells=[one for each in cells for one in each]))


def encoded(
    scenario: str, number: int, path: str, mine: str, theirs: str, **more: Any
) -> list[dict]:
    return pair(scenario, sent(number, f"{path}?{mine}"), sent(9, f"{path}?{theirs}"), **more)


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (
            "/x?b=1&cursor=a+/=",
            "/x?b=1&cursor=a%2B%2F%3D",
            (
                "request 4, GET /x (engine), query.cursor is percent-encoded less than expected: "
                "cursor=a+/= instead of cursor=a%2B%2F%3D"
            ),
        ),
        (
            "/x?cursor=a&c=d",
            "/x?cursor=a%26c%3Dd",
            (
                "request 4, GET /x (engine), query.cursor is percent-encoded less than expected: "
                "cursor=a&c=d instead of cursor=a%26c%3Dd"
            ),
        ),
        (
            "/x?c=a%252B",
            "/x?c=a%2B",
            "request 4, GET /x (engine), query.c is percent-encoded twice: c=a%252B instead of c=a%2B",
        ),
        (
            "/a?b",
            "/a%3Fb",
            "request 4, GET (engine), path is percent-encoded less than expected: /a?b instead of /a%3Fb",
        ),
        (
            "/x?c=1",
            "/x?c=2",
            'request 4, GET /x (engine), query.c: "1" instead of "2", written /x?c=1 instead of /x?c=2',
        ),
    ],
)
def test_a_difference_of_a_target_is_said_as_it_is_written(
    mine: str, theirs: str, said: str
) -> None:
    (cause,) = found(pair("one", sent(4, mine), sent(9, theirs)))
    assert cause["why"] == f"it sent something else than py, which passes: {said}"


def test_another_path_has_both_targets() -> None:
    (cause,) = found(pair("one", sent(4, "/a"), sent(9, "/b")))
    assert cause["why"].endswith(": request 4, written /a instead of /b")


def test_a_parameter_that_is_not_encoded_in_several_lists_is_one_cause() -> None:
    (cause,) = found(
        encoded("one", 2, "/credentials", "cursor=a+/=", "cursor=a%2B%2F%3D"),
        encoded("two", 12, "/auth-recipes", "cursor=a&c=d", "cursor=a%26c%3Dd"),
    )
    assert cause["title"] == (
        "2 scenarios: the query parameter cursor is percent-encoded less than expected"
    )
    assert [part["cells"] for part in cause["checks"]] == [[["one", "js"]], [["two", "js"]]]
    assert "request 12, GET /auth-recipes" in cause["checks"][1]["verdict"]


@pytest.mark.parametrize(
    "other",
    [
        encoded("two", 2, "/x", "q=a+", "q=a%2B"),
        encoded("two", 2, "/x", "cursor=a%252B", "cursor=a%2B"),
        encoded("two", 2, "/x", "cursor=a", "cursor=b"),
        encoded("two", 2, "/x", "cursor=a+", "cursor=a%2B", sdk="go"),
    ],
    ids=["another parameter", "encoded twice", "another value", "another SDK"],
)
def test_other_differences_of_requests_are_other_causes(other: list[dict[str, Any]]) -> None:
    sdks = [{"name": name, "started": True} for name in ("py", "js", "go")]
    cells = [*encoded("one", 2, "/x", "cursor=a+", "cursor=a%2B"), *other]
    assert len(causes(document(cells=cells, sdks=sdks))) == 2


@pytest.mark.parametrize(
    ("name", "value", "count"), [("x-a", "1", 1), ("x-a", "2", 2), ("x-b", "1", 2)]
)
def test_the_same_difference_of_a_header_is_one_cause(name: str, value: str, count: int) -> None:
    first = pair("one", sent(2, "/x", headers=[["x-a", "1"]]), sent(9, "/x"))
    second = pair("two", sent(5, "/x", headers=[[name, value]]), sent(9, "/x"))
    assert len(found(first, second)) == count


def counted(
    scenario: str, identifier: str, mine: list[dict[str, Any]], theirs: list[dict[str, Any]]
) -> list[dict]:
    """Return the cell of an SDK whose number of requests a check found wrong, and of one that passes."""
    said = f"number of requests: expected {len(theirs)}, got {len(mine)}"
    failed = check(identifier, "failed", said, [one["number"] for one in mine])
    passed = check(identifier, "passed", "", [one["number"] for one in theirs])
    return [
        cell(scenario, "js", "failed", failed, traffic=[sent(1, "/other"), *mine]),
        cell(scenario, "py", "passed", passed, traffic=[sent(1, "/other"), *theirs]),
    ]


def test_a_wrong_number_of_requests_says_which_is_missing() -> None:
    token, value = sent(2, "/token", method="POST"), sent(3, "/value")
    (cause,) = found(counted("one", "a", [token], [token, value, sent(4, "/value")]))
    assert cause["verdict"] == (
        "js is at fault: it sent another number of requests than py, which passes: "
        "GET /value (engine): sent 0 times instead of 2"
    )
    assert cause["passing"] == "py"


def test_the_same_call_missing_in_several_scenarios_is_one_cause_and_most_failed_checks_lead() -> (
    None
):
    token = [sent(number, "/token", method="POST") for number in (2, 3)]
    one, more = counted("one", "a", [], token[:1]), counted("two", "a", token[:1], token)
    again = counted("two", "b", token[:1], token)
    for side in (0, 1):
        more[side]["checks"] += again[side]["checks"]
    (cause,) = found(one, more)
    assert cause["title"] == "2 scenarios: POST /token (engine) is sent less often than expected"
    assert cause["cells"] == [["two", "js"], ["one", "js"]]
    assert cause["command"].endswith("--scenario two --sdk js")


def test_a_call_missing_after_a_step_and_one_of_a_check_of_requests_are_one_cause() -> None:
    token = sent(2, "/token", method="POST")
    step = [{"id": "a", "command": {}, "answer": {}, "seconds": 0}]
    failing = cell("two", "js", "failed", check("a", "failed", "result: expected 1, got 2"))
    passing = cell("two", "py", "passed", check("a", "passed"))
    of_step = [failing | {"steps": step}, passing | {"steps": step, "traffic": [token]}]
    (cause,) = found(counted("one", "n", [], [token]), of_step)
    assert cause["title"] == "2 scenarios: POST /token (engine) is sent less often than expected"


def test_calls_that_are_too_many_or_others_are_causes_of_their_own() -> None:
    token, value = sent(2, "/token", method="POST"), sent(2, "/value")
    causes_of = found(
        counted("one", "a", [], [token]),
        counted("two", "a", [token, token], [token]),
        counted("three", "a", [], [value]),
    )
    assert len(causes_of) == 3


def test_without_an_sdk_that_passes_the_number_is_all_that_is_said() -> None:
    broken = counted("one", "a", [], [sent(2, "/token")])[:1]
    (cause,) = found(broken)
    assert cause["verdict"] == (
        "js is at fault: it sent another number of requests than the scenario expects"
    )


def refused(number: int, step: str, status: int = 502, **more: Any) -> dict[str, Any]:
    """Return an exchange that a planned fault answered."""
    made = sent(number, "/x", **more) | {"step": step, "fault": "status"}
    return made | {"answer": {"status": status, "headers": [], "body": ""}}


def test_calls_that_are_not_repeated_after_the_same_status_are_one_cause() -> None:
    cells = []
    for scenario, path in (("one", "/a"), ("two", "/b")):
        first = sent(2, path) | {"answer": {"status": 502, "headers": [], "body": ""}}
        cells.append(counted(scenario, "n", [first], [first, sent(3, path)]))
    (cause,) = found(*cells)
    assert cause["title"] == "2 scenarios: status 502 is not retried"


def test_a_fault_that_is_met_later_than_by_an_sdk_that_passes_is_no_fault_of_the_engine() -> None:
    steps = [{"id": each, "command": {}, "answer": {}, "seconds": 0} for each in ("before", "a")]
    failed = check("a", "failed", 'error.name: expected "bad_request", got "server"')
    mine = [refused(1, "before"), refused(2, "a")]
    theirs = [refused(1, "before"), refused(2, "before"), refused(3, "a", 400)]
    broken = cell("one", "js", "failed", failed, traffic=mine, steps=steps)
    passing = cell("one", "py", "passed", check("a", "passed"), traffic=theirs, steps=steps)
    (cause,) = found([broken, passing])
    assert (cause["side"], cause["verdict"]) == (
        "SDK",
        (
            "js is at fault: it met the scenario's faults at other requests than py, which passes: "
            "GET /x (engine): sent 2 times instead of 3"
        ),
    )
