import json
from pathlib import Path
from typing import Any

import pytest

from scripts.fuzz.coverage import (
    CHECKS,
    PHASES,
    Seen,
    operations,
    seen_in,
    untested,
)
from scripts.fuzz.run import CONTRACT

OPERATIONS = {"GET /health", "POST /credentials"}


def everything() -> Seen:
    return Seen(set(CHECKS), OPERATIONS)


def report(**changes: Any) -> dict[str, Any]:
    """The report of a run that left nothing out."""
    complete: dict[str, Any] = {
        "complete": True,
        "stop_reason": "completed",
        "phases": {phase: {"status": "success"} for phase in PHASES},
        "operations": {"tested": len(OPERATIONS)},
    }
    return {**complete, **changes}


def test_a_run_that_tested_everything_has_no_gaps() -> None:
    assert untested(report(), OPERATIONS, everything()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"complete": False, "stop_reason": "max_time"}, "the run stopped early: max_time"),
        ({"phases": {}}, "phase stateful: did not run"),
        ({"phases": {phase: {"status": "skip"} for phase in PHASES}}, "phase coverage: skip"),
        ({"operations": {"tested": 1}}, "1 of 2 operations were tested"),
    ],
)
def test_what_a_run_left_out_is_listed(changes: dict[str, Any], expected: str) -> None:
    assert expected in untested(report(**changes), OPERATIONS, everything())


def test_a_check_that_was_never_applied_is_listed() -> None:
    seen = Seen(set(CHECKS) - {"ignored_auth"}, OPERATIONS)
    assert untested(report(), OPERATIONS, seen) == ["check ignored_auth was never applied"]


def test_an_operation_that_accepted_nothing_is_listed() -> None:
    seen = Seen(set(CHECKS), {"GET /health"})
    assert untested(report(), OPERATIONS, seen) == ["POST /credentials: no request was accepted"]


def test_the_event_log_shows_checks_and_accepted_operations(tmp_path: Path) -> None:
    scenario = {
        "recorder": {
            "checks": {"1": [{"name": "ignored_auth"}], "2": []},
            "cases": {
                "1": {"value": {"method": "get", "path": "/a/{name}"}},
                "2": {"value": {"method": "POST", "path": "/a"}},
                "3": {"value": {"method": "PUT", "path": "/a"}},
            },
            "interactions": {
                "1": {"response": {"status_code": 200}},
                "2": {"response": {"status_code": 400}},
                "3": {"response": None},
            },
        }
    }
    nothing_ran = {"recorder": {}}
    lines = [
        {"PhaseStarted": {}},
        {"ScenarioFinished": nothing_ran},
        {"ScenarioFinished": scenario},
    ]
    events = tmp_path / "events.ndjson"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert seen_in(events) == Seen({"ignored_auth"}, {"GET /a/{name}"})


def test_operations_are_read_from_the_contract() -> None:
    found = operations(CONTRACT)
    assert {"GET /health", "PUT /credentials/{name}", "POST /webhooks/named"} <= found
    assert all(name.split()[0].isupper() for name in found)
