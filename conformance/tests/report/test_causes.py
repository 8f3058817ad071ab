"""Failures grouped by cause, and the side that each speaks against."""

from __future__ import annotations

import json
from typing import Any

import pytest
from report_document import cell, check, document

from arcrun_conformance.report.causes import causes

LISTED = check("listed", "failed", "result: expected 1, got 2")

PAUSE = "pause before request 2: expected at least 0.95, got 0.1153"


def call(step: str, body: Any = None, status: int = 200, answer: Any = None, **more: Any) -> dict:
    request = {"method": "POST", "target": "/x", "headers": [], "body": json.dumps(body)}
    answered = {"status": status, "headers": [], "body": json.dumps(answer)}
    made = {"place": "engine", "step": step, "request": request, "answer": answered, "fault": None}
    made |= {"further_page": False, "number": 1}
    return made | more


def step(identifier: str) -> dict[str, Any]:
    return {"id": identifier, "command": {}, "answer": {}, "seconds": 0.1}


def found(*cells: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return causes(document(cells=list(cells), **more))


def test_an_adapter_that_did_not_start_is_one_cause_and_comes_first() -> None:
    dead = [
        cell(s, "go", "error", check("adapter-crash", "failed", "gone")) for s in ("one", "two")
    ]
    first, second = found(cell("one", "js", "failed", LISTED), *dead)
    assert (first["dead"], first["side"], first["title"]) == (
        True,
        "adapter",
        "the adapter go can't be started",
    )
    assert first["cells"] == [["one", "go"], ["two", "go"]]
    assert second["dead"] is False


def test_the_same_finding_of_a_check_in_several_sdks_is_one_cause() -> None:
    (cause,) = found(
        cell("one", "py", "failed", check("a", "failed", "request 3: expected 1, got 2")),
        cell("one", "js", "failed", check("a", "failed", "request 4: expected 1, got 2")),
    )
    assert cause["cells"] == [["one", "py"], ["one", "js"]]
    assert cause["title"] == "one: a"


@pytest.mark.parametrize(
    ("scenario", "identifier", "message"),
    [
        ("one", "a", "expected 1, got 3"),
        ("one", "b", "expected 1, got 2"),
        ("two", "a", "expected 1, got 2"),
    ],
)
def test_other_findings_are_causes_of_their_own(
    scenario: str, identifier: str, message: str
) -> None:
    first = cell("one", "py", "failed", check("a", "failed", "expected 1, got 2"))
    assert (
        len(found(first, cell(scenario, "js", "failed", check(identifier, "failed", message)))) == 2
    )


@pytest.mark.parametrize(
    "message",
    ["expected a result, got the SDK error network: x", 'error.name: expected "a", got "b"'],
)
def test_the_same_error_in_several_scenarios_is_one_cause(message: str) -> None:
    (cause,) = found(
        cell("one", "py", "failed", check("a", "failed", message)),
        cell("two", "py", "failed", check("b", "failed", message)),
    )
    assert cause["title"] == f"2 scenarios: {message}"


def test_what_fails_after_a_step_is_its_consequence_unless_a_secret_got_out() -> None:
    secret = check("secret-token", "failed", "the secret token appears on the adapter's stderr")
    broken = cell("one", "py", "failed", LISTED, check("wire", "failed", "x"), secret)
    broken["steps"] = [step("listed")]
    listed, leaked = found(broken)
    assert (listed["check"], listed["then"]) == ("listed", ["wire"])
    assert leaked["check"] == "secret-token"


def test_wire_checks_of_one_scenario_are_one_cause_with_the_checks_in_it() -> None:
    broken = cell("one", "py", "failed", check("a", "failed", "x"), check("b", "failed", "y"))
    (cause,) = found(broken)
    assert cause["title"] == "one: 2 checks"
    assert [(part["check"], part["message"]) for part in cause["checks"]] == [
        ("a", "x"),
        ("b", "y"),
    ]
    assert cause["cells"] == [["one", "py"]]


def test_waits_that_are_wrong_by_the_same_factor_are_one_cause() -> None:
    (cause,) = found(
        cell("one", "py", "failed", check("a", "failed", "waited[0]: expected 7, got 0.7")),
        cell("two", "py", "failed", check("b", "failed", PAUSE)),
    )
    assert cause["title"] == "2 scenarios: waits are 0.1 times as long as expected"
    assert cause["cells"] == [["one", "py"], ["two", "py"]]


def test_the_same_change_of_secrets_is_one_cause() -> None:
    said = "request {} (GET /x).query.{}: expected {}, got {}"
    first = said.format(2, "a", '"‹key›"', '"‹key, percent-encoded›"')
    second = said.format(3, "b", '"v ‹k›"', '"v%20‹k, percent-encoded›"')
    (cause,) = found(
        cell("one", "py", "failed", check("a", "failed", first)),
        cell("two", "py", "failed", check("b", "failed", second)),
    )
    assert cause["title"] == (
        "2 scenarios: a secret in the query is percent-encoded once more than expected"
    )


def test_requests_that_are_repeated_as_often_are_one_cause() -> None:
    said = "number of requests: expected {}, got {}"
    cells = [
        cell(name, "py", "failed", check("a", "failed", said.format(expected, got)))
        for name, expected, got in (("one", 1, 3), ("two", 2, 6), ("three", 1, 2))
    ]
    assert [cause["title"] for cause in found(*cells)] == [
        "2 scenarios: 3 times as many requests as expected",
        "three: a",
    ]


def test_a_header_with_the_same_wrong_value_is_one_cause() -> None:
    said = 'request {} (GET /{}).headers.user-agent: expected {}, got "python-httpx/0.28.1"'
    cells = [
        cell("one", "py", "failed", check("a", "failed", said.format(1, "x", '"a"'))),
        cell("two", "py", "failed", check("b", "failed", said.format(2, "y", '"b"'))),
    ]
    (cause,) = found(*cells)
    assert cause["title"] == '2 scenarios: the header user-agent is "python-httpx/0.28.1"'


def beside_a_wrong_scope(message: str) -> list[dict[str, Any]]:
    """Return a cell in which the field `scope` of POST /token is wrong, and one of another scenario that says this."""
    first = 'request 2 (POST /token).body.scope: expected "a b", got "a,b"'
    return [
        cell("one", "py", "failed", check("a", "failed", first)),
        cell("two", "py", "failed", check("b", "failed", message)),
    ]


@pytest.mark.parametrize(
    "message",
    [
        'request 8 (POST /token).body: expected exactly {"a": 1, "scope": "c d"}, got {"a": 1, "scope": "c,d"}',
        'request 8 (POST /token).body: expected exactly {"a": 1, "scope": "c d"}, got {"a": 1}',
        'request 8 (POST /token).body.scope: expected "c d", got "c,d"',
        'claims of request 8 (POST /token).body.assertion.scope: expected "c d", got "c,d"',
        'request 8 (POST /token).body.grants[1].scope[0]: expected "c d", got "c,d"',
    ],
    ids=["another value", "missing", "said alone", "in a token", "in a list"],
)
def test_one_field_of_the_same_call_with_another_value_is_one_cause(message: str) -> None:
    (cause,) = found(*beside_a_wrong_scope(message))
    assert cause["title"] == (
        "2 scenarios: the field scope of POST /token has another value than expected"
    )


@pytest.mark.parametrize(
    "message",
    [
        'request 8 (POST /other).body.scope: expected "a b", got "a,b"',
        'request 8 (POST /token).body.name: expected "a b", got "a,b"',
        'request 8 (POST /token).body: expected exactly {"a": 1, "scope": "c"}, got {"a": 2}',
        'request 8 (POST /token).body: expected exactly {"scope": "c, got {"scope": "d',
        "request 8 (POST /token).body: expected exactly [1], got [2]",
    ],
    ids=["another call", "another field", "two fields", "cut", "no object"],
)
def test_other_fields_are_causes_of_their_own(message: str) -> None:
    assert len(found(*beside_a_wrong_scope(message))) == 2


@pytest.mark.parametrize(
    ("sdk", "message"),
    [("py", "waited[0]: expected 7, got 14"), ("js", "waited[0]: expected 5, got 0.5")],
)
def test_waits_by_another_factor_or_with_another_sdk_are_another_cause(
    sdk: str, message: str
) -> None:
    first = cell("one", "py", "failed", check("a", "failed", "waited[0]: expected 7, got 0.7"))
    assert len(found(first, cell("two", sdk, "failed", check("b", "failed", message)))) == 2


def test_what_is_known_to_deviate_is_no_failure() -> None:
    row = {"scenario": "one", "state": "known"}
    assert found(cell("one", "py", "failed", LISTED), deviations=[row]) == []
    assert (
        len(found(cell("one", "py", "failed", LISTED), deviations=[{**row, "state": "new"}])) == 1
    )


def test_the_command_repeats_the_first_of_the_cells() -> None:
    (cause,) = found(
        cell("one", "js", "failed", LISTED), command="arcrun-conformance run --target x"
    )
    assert cause["command"] == "arcrun-conformance run --target x --scenario one --sdk js"
    (cause,) = found(cell("one", "js", "failed", LISTED), suite="engine")
    assert cause["command"] == "arcrun-conformance run --scenario one"


@pytest.mark.parametrize(
    ("failing", "side"),
    [
        (check("adapter-timeout", "failed", "x"), "adapter"),
        (check("runner-crash", "failed", "x"), "runner"),
        (check("target-reachable", "failed", "x"), "engine"),
        (check("no-internal-errors", "failed", "x"), "engine"),
        (check("well-formed-http", "failed", "x"), "SDK"),
        (
            check("secret-a", "failed", "the secret a appears in the response to request 1"),
            "engine",
        ),
        (check("secret-a", "failed", "the secret a appears in the body of request 1"), "SDK"),
        (
            check("w", "failed", "response to request 1 (GET /x).status: expected 200, got 500"),
            "engine",
        ),
        (check("w", "failed", "number of requests: expected 1, got 2"), "SDK"),
    ],
)
def test_a_check_speaks_against_the_side_that_it_is_about(failing: dict, side: str) -> None:
    (cause,) = found(cell("one", "js", "failed", failing))
    assert cause["side"] == side


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (
            "pause before request 2: expected at least 0.95, got 0.1",
            "js is at fault: it sent request 2 too early",
        ),
        (
            "pause before request 2: expected at most 5, got 6",
            "js is at fault: it sent request 2 too late",
        ),
        (
            "number of requests: expected 1, got 2",
            "js is at fault: it sent another number of requests than the scenario expects",
        ),
        (
            "request 2 (GET /x).query: expected 1, got 2",
            "js is at fault: it sent something else than the scenario expects",
        ),
    ],
)
def test_the_verdict_says_which_sdk_and_what_it_did(said: str, verdict: str) -> None:
    (cause,) = found(cell("one", "js", "failed", check("w", "failed", said)))
    assert cause["verdict"] == verdict


def test_a_wait_of_another_length_is_no_other_result() -> None:
    passing = cell("one", "py", "passed", check("listed", "passed"), traffic=[call("listed")])
    waited = check("listed", "failed", "waited[0]: expected 7, got 0.7")
    broken = cell("one", "js", "failed", waited, traffic=[call("listed")], steps=[step("listed")])
    (cause,) = found(broken, passing)
    assert cause["verdict"] == (
        "js is at fault: it waited 0.7 s, py 7 s; in this step, it sent the same as py, which passes, and was answered alike"
    )


def test_the_verdict_names_each_sdk_or_the_engine() -> None:
    (both,) = found(*(cell("one", sdk, "failed", LISTED) for sdk in ("py", "js")))
    assert both["verdict"].startswith("each of py, js is at fault: it sent")
    (engine,) = found(cell("one", "js", "failed", LISTED), suite="engine")
    assert engine["verdict"].startswith("the engine is at fault: ")


def test_in_the_engine_suite_the_engine_is_at_fault() -> None:
    (cause,) = found(cell("one", "js", "failed", LISTED), suite="engine")
    assert cause["side"] == "engine"


@pytest.mark.parametrize(
    ("mine", "side", "why"),
    [
        (call("listed", {"a": 1, "b": 2}), "SDK", "it sent something else than py"),
        (call("listed", {"a": 1}, answer={"x": 1}), "engine", "it answered py"),
        (call("listed", {"a": 1}, status=404), "engine", "it answered py"),
        (
            call("listed", {"a": 2}),
            "SDK",
            "it sent something else than py, which passes: request 1, POST /x (engine), body.a: 2 instead of 1",
        ),
        (
            call("listed", {"a": 1}),
            "SDK",
            "it returned another result than the scenario expects; in this step, it sent the same as py",
        ),
    ],
)
def test_a_step_is_compared_with_an_sdk_that_passes(mine: dict, side: str, why: str) -> None:
    passing = cell(
        "one", "py", "passed", check("listed", "passed"), traffic=[call("listed", {"a": 1})]
    )
    broken = cell("one", "js", "failed", LISTED, traffic=[mine], steps=[step("listed")])
    (cause,) = found(broken, passing)
    assert (cause["side"], cause["passing"]) == (side, "py")
    assert cause["why"].startswith(why)


def test_without_an_sdk_that_passes_the_engine_is_asked_first_if_all_fail() -> None:
    more = {"steps": [step("listed")]}
    (alone,) = found(cell("one", "js", "failed", LISTED, **more))
    assert alone["side"] == "undecided"
    (both,) = found(*(cell("one", sdk, "failed", LISTED, **more) for sdk in ("py", "js")))
    assert both["side"] == "engine"
    (error,) = found(
        cell("one", "js", "failed", LISTED, **more, traffic=[call("listed", status=500)])
    )
    assert error["side"] == "engine"


def test_an_answer_of_the_suite_speaks_against_the_sdk() -> None:
    injected = call("listed", status=500, fault="status")
    more = {"steps": [step("listed")], "traffic": [injected]}
    (cause,) = found(*(cell("one", sdk, "failed", LISTED, **more) for sdk in ("py", "js")))
    assert cause["side"] == "SDK"
    assert cause["why"] == "the suite itself answered all that it sent, so the engine had no part"
    for other in (call("listed"), call("listed", fault="delay")):
        mixed = more | {"traffic": [injected, other]}
        (undecided,) = found(cell("one", "js", "failed", LISTED, **mixed))
        assert undecided["side"] == "undecided"


def test_a_wait_speaks_against_the_sdk_also_if_all_fail() -> None:
    waited = check("listed", "failed", "waited[0]: expected 60, got 0.1")
    more = {"steps": [step("listed")], "traffic": [call("listed")]}
    (cause,) = found(*(cell("one", sdk, "failed", waited, **more) for sdk in ("py", "js")))
    assert cause["side"] == "SDK"
    assert cause["why"] == "it waited 0.1 s, and not 60 s"


def test_a_wait_speaks_against_the_sdk_also_if_the_engine_answered_otherwise() -> None:
    waited = check("listed", "failed", "waited[0]: expected 60, got 0.1")
    passing = cell("one", "py", "passed", check("listed", "passed"), traffic=[call("listed")])
    other = call("listed", answer={"x": 1})
    (cause,) = found(
        cell("one", "js", "failed", waited, traffic=[other], steps=[step("listed")]), passing
    )
    assert cause["why"] == (
        "it waited 0.1 s, py 60 s; in this step, it sent the same as py, which passes"
    )


def test_cells_that_contradict_each_other_are_undecided() -> None:
    passing = cell(
        "one", "py", "passed", check("listed", "passed"), traffic=[call("listed", {"a": 1})]
    )
    sent = cell(
        "one", "js", "failed", LISTED, traffic=[call("listed", {"b": 1})], steps=[step("listed")]
    )
    answered = cell(
        "one",
        "go",
        "failed",
        LISTED,
        traffic=[call("listed", {"a": 1}, 404)],
        steps=[step("listed")],
    )
    sdks = [{"name": name, "started": True} for name in ("py", "js", "go")]
    (cause,) = found(sent, answered, passing, sdks=sdks)
    assert cause["side"] == "undecided"
    assert cause["why"] == "it differs between the cells: SDK, engine"
