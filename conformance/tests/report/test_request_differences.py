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
