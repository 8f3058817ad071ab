"""The gate: GO only if every scenario of the column passed for every SDK."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.gate import Gate, KnownFailure, judge, load
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenario import load_all

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 22)
GATE = Gate("1.0.0", {"local": ("one", "two"), "live": ("one",)})


def run(
    *cells: tuple[str, str, str],
    remote: bool = False,
    left: tuple[str, ...] = (),
    interrupted: bool = False,
) -> dict[str, Any]:
    """A report, as far as the gate looks at it."""
    sealed = {"id": "sealed", "outcome": "failed", "message": ""}
    made = [
        {"scenario": scenario, "sdk": sdk, "outcome": outcome, "reason": "", "checks": [sealed]}
        for scenario, sdk, outcome in cells
    ]
    return {
        "target": {"remote": remote},
        "sdks": [{"name": name} for name in dict.fromkeys(cell["sdk"] for cell in made)],
        "cells": made,
        "leftovers": {"left": list(left), "problems": []},
        "interrupted": interrupted,
    }


PASSED = [("one", "py", "passed"), ("two", "py", "passed")]


def test_go_when_all_of_the_column_passed_for_every_sdk() -> None:
    verdict = judge(GATE, run(*PASSED, ("one", "js", "passed"), ("two", "js", "passed")), TODAY)
    assert verdict.go
    assert (verdict.column, verdict.needed) == ("local", 2)


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_nothing_but_passed_is_passed(outcome: str) -> None:
    verdict = judge(GATE, run(("one", "py", "passed"), ("two", "py", outcome)), TODAY)
    assert verdict.reasons == [f"two with py: {outcome} (sealed)"]


def test_a_scenario_that_was_not_run_is_not_passed() -> None:
    verdict = judge(GATE, run(("one", "py", "passed")), TODAY)
    assert verdict.reasons == ["two with py: was not run"]


def test_one_sdk_of_two_is_not_enough() -> None:
    verdict = judge(GATE, run(*PASSED, ("one", "js", "passed")), TODAY)
    assert verdict.reasons == ["two with js: was not run"]


def test_no_sdk_at_all_is_no_go() -> None:
    assert judge(GATE, run(), TODAY).reasons == ["no SDK took part"]


def test_a_scenario_outside_the_column_does_not_count() -> None:
    assert judge(GATE, run(*PASSED, ("three", "py", "failed")), TODAY).go


def test_another_host_is_judged_by_the_live_column() -> None:
    verdict = judge(GATE, run(("one", "py", "passed"), remote=True), TODAY)
    assert verdict.go
    assert (verdict.column, verdict.needed) == ("live", 1)


def test_things_left_behind_are_no_go() -> None:
    verdict = judge(GATE, run(*PASSED, left=("credential x",)), TODAY)
    assert verdict.reasons == ["the run left things behind at the target"]


def test_an_interrupted_run_is_no_go() -> None:
    assert not judge(GATE, run(*PASSED, interrupted=True), TODAY).go


def test_an_sdk_that_is_not_available_is_no_go_and_told_once() -> None:
    report = run(*PASSED, ("one", "js", "unavailable"), ("two", "js", "unavailable"))
    for cell in report["cells"]:
        cell["reason"] = "not available: there is no node"
    assert judge(GATE, report, TODAY).reasons == ["js: not available: there is no node"]


def gate_with(**known) -> Gate:
    entry = {"scenario": "two", "reason": "server bug 7", "until": date(2026, 11, 22), **known}
    return Gate(GATE.contract, GATE.columns, (KnownFailure(**entry),))


FAILED = [("one", "py", "passed"), ("two", "py", "failed")]


def test_a_known_failure_is_accepted_through_its_last_day() -> None:
    verdict = judge(gate_with(), run(*FAILED), TODAY)
    assert verdict.go
    assert verdict.accepted == ["known failure two (server bug 7, until 2026-11-22)"]


def test_a_known_failure_that_is_over_is_no_go() -> None:
    verdict = judge(gate_with(until=date(2026, 11, 21)), run(*FAILED), TODAY)
    assert verdict.reasons == ["known failure two (server bug 7, until 2026-11-21) is over"]


def test_a_known_failure_that_passes_must_be_removed() -> None:
    (reason,) = judge(gate_with(), run(*PASSED), TODAY).reasons
    assert reason.endswith("passes: remove it from gate.yaml")


def test_a_known_failure_that_matches_nothing_is_no_go() -> None:
    (reason,) = judge(gate_with(scenario="three"), run(*PASSED), TODAY).reasons
    assert reason.endswith("matches nothing that was run")


def test_a_known_failure_does_not_excuse_a_skip() -> None:
    verdict = judge(gate_with(), run(("one", "py", "passed"), ("two", "py", "skipped")), TODAY)
    assert "two with py: skipped (sealed)" in verdict.reasons


def test_a_known_failure_of_another_sdk_or_target_excuses_nothing() -> None:
    assert not judge(gate_with(sdk="js"), run(*FAILED), TODAY).go
    assert not judge(gate_with(target="live"), run(*FAILED), TODAY).go


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_newest_contract_is_taken_by_number_not_by_text(tmp_path: Path) -> None:
    lists = "{local: [a], live: []}"
    path = write(tmp_path, f'contracts: {{"1.9.0": {lists}, "1.10.0": {lists}}}\n')
    assert load(path, ["a"]).contract == "1.10.0"
    assert load(path, ["a"], "1.9.0").contract == "1.9.0"


def test_a_scenario_renamed_away_from_the_gate_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'contracts:\n  "1.0.0":\n    local:\n      - gone\n    live: []\n')
    with pytest.raises(DocumentError, match=r"gate\.yaml:4: the gate needs the scenario gone"):
        load(path, ["other"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{scenario: a, reason: r}", "'until' is a required property"),
        ("{scenario: a, reason: r, until: 2026-13-01}", "is no date"),
        ("{scenario: a, reason: r, until: soon}", "does not match"),
        ("{scenario: gone, reason: r, until: 2026-12-01}", "which does not exist"),
    ],
)
def test_a_known_failure_needs_a_reason_an_end_and_a_scenario(
    tmp_path: Path, entry: str, message: str
) -> None:
    text = f'contracts: {{"1.0.0": {{local: [a], live: []}}}}\nknown_failures:\n  - {entry}\n'
    with pytest.raises(DocumentError, match=message):
        load(write(tmp_path, text), ["a"])


def test_the_shipped_gate_needs_every_shipped_scenario_locally() -> None:
    data = data_directory()
    scenarios = load_all(data / "scenarios")
    gate = load(data / "gate.yaml", [scenario.id for scenario in scenarios])
    waiting = {scenario.id for scenario in scenarios if "durable_runs" in scenario.needs}
    assert set(gate.columns["local"]) == {scenario.id for scenario in scenarios} - waiting
    assert set(gate.columns["live"]) <= set(gate.columns["local"])
