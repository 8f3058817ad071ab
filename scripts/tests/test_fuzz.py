import json
from pathlib import Path
from typing import Any

import pytest

from scripts.fuzz import CHECKS, CONTRACT, PHASES, checks_that_ran, operations, untested

OPERATIONS = {"GET /health", "POST /credentials"}


def report(**changes: Any) -> dict[str, Any]:
    """The report of a run that left nothing out."""
    accepted = {"fuzzing": {"accepted": 3}}
    sound: dict[str, Any] = {
        "complete": True,
        "stop_reason": "completed",
        "phases": {phase: {"status": "success"} for phase in PHASES},
        "operations": {"tested": len(OPERATIONS)},
        "valid_rates": dict.fromkeys(OPERATIONS, accepted),
    }
    return {**sound, **changes}


def test_a_run_that_tested_everything_has_no_gaps() -> None:
    assert untested(report(), OPERATIONS, set(CHECKS)) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"complete": False, "stop_reason": "max_time"}, "the run stopped early: max_time"),
        ({"phases": {}}, "phase stateful: did not run"),
        ({"phases": {phase: {"status": "skip"} for phase in PHASES}}, "phase coverage: skip"),
        ({"operations": {"tested": 1}}, "1 of 2 operations were tested"),
        ({"valid_rates": {}}, "POST /credentials: no request was accepted"),
        (
            {"valid_rates": {"GET /health": {"fuzzing": {"accepted": 0}}}},
            "GET /health: no request was accepted",
        ),
    ],
)
def test_what_a_run_left_out_is_told(changes: dict[str, Any], told: str) -> None:
    assert told in untested(report(**changes), OPERATIONS, set(CHECKS))


def test_a_check_that_judged_nothing_is_told() -> None:
    ran = set(CHECKS) - {"ignored_auth"}
    assert untested(report(), OPERATIONS, ran) == ["check ignored_auth judged nothing"]


def test_checks_are_read_from_the_event_log(tmp_path: Path) -> None:
    finished = {"recorder": {"checks": {"a": [{"name": "ignored_auth"}], "b": []}}}
    events = tmp_path / "events.ndjson"
    nothing_ran = {"recorder": {}}
    lines = [
        {"PhaseStarted": {}},
        {"ScenarioFinished": nothing_ran},
        {"ScenarioFinished": finished},
    ]
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert checks_that_ran(events) == {"ignored_auth"}


def test_operations_are_read_from_the_contract() -> None:
    found = operations(CONTRACT)
    assert {"GET /health", "PUT /credentials/{name}", "POST /webhooks/named"} <= found
    assert all(name.split()[0].isupper() for name in found)
