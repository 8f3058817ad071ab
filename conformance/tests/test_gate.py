"""The gate: GO only if every scenario of the column passed for every SDK."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.gate import Gate, KnownFailure, Unsupported, Verdict, judge, load
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.scenario import SUITES, Scenario, load_all

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
    """Return a report with the fields that the gate reads."""
    made = [
        {
            "scenario": scenario,
            "sdk": sdk,
            "outcome": outcome,
            "reason": "the engine lacks it" if outcome == "skipped" else "",
            "checks": [] if outcome == "skipped" else [sealed(outcome)],
        }
        for scenario, sdk, outcome in cells
    ]
    names = dict.fromkeys(cell["sdk"] for cell in made)
    return {
        "target": {"remote": remote},
        "sdks": [{"name": name, "started": True} for name in names],
        "cells": made,
        "leftovers": {"left": list(left), "problems": []},
        "interrupted": interrupted,
    }


def sealed(outcome: str) -> dict[str, str]:
    """Return a check of a cell with this outcome."""
    made = "passed" if outcome == "passed" else "failed"
    return {"id": "sealed", "outcome": made, "message": ""}


PASSED = [("one", "py", "passed"), ("two", "py", "passed")]


def test_go_when_all_of_the_column_passed_for_every_sdk() -> None:
    verdict = judge(GATE, run(*PASSED, ("one", "js", "passed"), ("two", "js", "passed")), TODAY)
    assert verdict.go
    assert (verdict.column, verdict.needed) == ("local", 2)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [("failed", "sealed"), ("error", "sealed"), ("skipped", "the engine lacks it")],
)
def test_only_passed_counts_as_passed(outcome: str, why: str) -> None:
    verdict = judge(GATE, run(("one", "py", "passed"), ("two", "py", outcome)), TODAY)
    assert verdict.reasons == [f"two with py: {outcome} ({why})"]


@pytest.mark.parametrize(
    ("outcome", "checks", "says"),
    [
        ("passed", ["failed"], "passed, but not passed: check-0"),
        ("passed", ["passed", "failed", "not-reached"], "passed, but not passed: check-1, check-2"),
        ("passed", ["passed", "unheard-of"], "passed, but not passed: check-1"),
        ("passed", [], "passed, but no check passed"),
        ("passed", ["exempt"], "passed, but no check passed"),
        ("passed", ["passed", "exempt"], "passed, but it has exempt checks, and the adapter lacks nothing"),
        ("failed", ["passed"], "failed, but no check failed"),
        ("skipped", ["failed"], "skipped, but it has checks"),
    ],
)  # fmt: skip
def test_an_outcome_that_does_not_follow_from_the_checks_is_no_go(
    outcome: str, checks: list[str], says: str
) -> None:
    report = run(
        *PASSED, ("three", "py", outcome)
    )  # also of a scenario that the gate does not need
    made = [{"id": f"check-{number}", "outcome": each} for number, each in enumerate(checks)]
    report["cells"][2]["checks"] = made
    assert judge(GATE, report, TODAY).reasons == [f"three with py: {says}"]


def test_a_contradiction_is_no_go_even_where_the_failure_is_known() -> None:
    report = run(*FAILED)
    report["cells"][1]["checks"] = [sealed("passed")]
    assert judge(gate_with(), report, TODAY).reasons == ["two with py: failed, but no check failed"]


def test_a_check_that_passes_beside_one_of_its_name_that_failed_does_not_replace_it() -> None:
    report = run(*PASSED)
    report["cells"][1]["checks"] = [sealed("failed"), sealed("passed")]
    assert judge(GATE, report, TODAY).reasons == ["two with py: passed, but not passed: sealed"]


def test_a_cell_that_passes_beside_one_that_failed_does_not_replace_it() -> None:
    verdict = judge(GATE, run(("one", "py", "failed"), *PASSED), TODAY)
    assert verdict.reasons == ["one with py: was run twice"]


def test_an_sdk_is_in_a_report_once() -> None:
    report = run(*PASSED)
    report["sdks"] *= 2
    assert judge(GATE, report, TODAY).reasons == ["py: is in the report twice"]


def test_an_sdk_that_failed_is_not_left_out_of_the_list() -> None:
    report = run(*PASSED, ("one", "js", "failed"))
    report["sdks"].pop()
    reason = "js: has cells, and is not among the SDKs of the run"
    assert judge(GATE, report, TODAY).reasons == [reason]


@pytest.mark.parametrize("started", [{"started": False}, {}])
def test_an_sdk_that_was_not_started_has_proved_nothing(started: dict[str, bool]) -> None:
    report = run(*PASSED)
    report["sdks"] = [{"name": "py", **started}]
    assert judge(GATE, report, TODAY).reasons == ["py: it was not started"]


def test_a_scenario_that_was_not_run_is_not_passed() -> None:
    verdict = judge(GATE, run(("one", "py", "passed")), TODAY)
    assert verdict.reasons == ["two with py: was not run"]


def test_one_sdk_of_two_is_not_enough() -> None:
    verdict = judge(GATE, run(*PASSED, ("one", "js", "passed")), TODAY)
    assert verdict.reasons == ["two with js: was not run"]


def test_no_sdk_at_all_is_no_go() -> None:
    assert judge(GATE, run(), TODAY).reasons == ["no SDK took part"]


def test_the_engine_suite_has_columns_of_its_own() -> None:
    gate = Gate("1.0.0", {"engine-local": ("one", "two"), "engine-live": ("one",)})
    here = judge(gate, run(*PASSED) | {"suite": "engine"}, TODAY)
    there = judge(gate, run(*PASSED, remote=True) | {"suite": "engine"}, TODAY)
    assert (here.column, here.needed, here.go) == ("engine-local", 2, True)
    assert (there.column, there.needed, there.go) == ("engine-live", 1, True)


@pytest.mark.parametrize(("reasons", "word"), [([], "GO"), (["one with py: failed"], "NO-GO")])
def test_a_report_has_the_verdict_and_its_reasons(reasons: list[str], word: str) -> None:
    assert Verdict("1.0.0", "local", 2, reasons, ["two"]).as_dict() == {
        "verdict": word,
        "contract": "1.0.0",
        "column": "local",
        "needed": 2,
        "reasons": reasons,
        "accepted": ["two"],
    }


def test_a_scenario_outside_the_column_does_not_count() -> None:
    assert judge(GATE, run(*PASSED, ("three", "py", "failed")), TODAY).go


def test_another_host_is_judged_by_the_live_column() -> None:
    verdict = judge(GATE, run(("one", "py", "passed"), remote=True), TODAY)
    assert verdict.go
    assert (verdict.column, verdict.needed) == ("live", 1)


def test_leftovers_are_no_go() -> None:
    verdict = judge(GATE, run(*PASSED, left=("credential x",)), TODAY)
    assert verdict.reasons == ["the run left credentials or workflows at the target"]


def test_an_interrupted_run_is_no_go() -> None:
    assert not judge(GATE, run(*PASSED, interrupted=True), TODAY).go


def test_an_sdk_that_is_not_available_is_no_go_and_reported_once() -> None:
    report = run(*PASSED, ("one", "js", "unavailable"), ("two", "js", "unavailable"))
    for cell in report["cells"]:
        cell["reason"] = "not available: node does not exist"
    assert judge(GATE, report, TODAY).reasons == ["js: not available: node does not exist"]


def gate_with(**known) -> Gate:
    entry = {"scenario": "two", "reason": "server bug 7", "until": date(2026, 11, 22), **known}
    return Gate(GATE.contract, GATE.columns, (KnownFailure(**entry),))


FAILED = [("one", "py", "passed"), ("two", "py", "failed")]


def test_a_known_failure_is_accepted_through_its_last_day() -> None:
    verdict = judge(gate_with(), run(*FAILED), TODAY)
    assert verdict.go
    assert verdict.accepted == ["known failure two (server bug 7, until 2026-11-22)"]


def test_an_expired_known_failure_is_no_go() -> None:
    verdict = judge(gate_with(until=date(2026, 11, 21)), run(*FAILED), TODAY)
    assert verdict.reasons == ["known failure two (server bug 7, until 2026-11-21) has expired"]


def test_a_known_failure_that_passes_must_be_removed() -> None:
    (reason,) = judge(gate_with(), run(*PASSED), TODAY).reasons
    assert reason.endswith("passes: remove the entry from gate.yaml")


def test_a_known_failure_that_matches_nothing_is_no_go() -> None:
    (reason,) = judge(gate_with(scenario="three"), run(*PASSED), TODAY).reasons
    assert reason.endswith("matches nothing that was run")


def test_a_known_failure_does_not_excuse_a_skip() -> None:
    verdict = judge(gate_with(), run(("one", "py", "passed"), ("two", "py", "skipped")), TODAY)
    assert "two with py: skipped (the engine lacks it)" in verdict.reasons


def test_a_known_failure_of_another_sdk_or_target_excuses_nothing() -> None:
    assert not judge(gate_with(sdk="js"), run(*FAILED), TODAY).go
    assert not judge(gate_with(target="live"), run(*FAILED), TODAY).go


@pytest.mark.parametrize("other", [{"sdk": "js"}, {"target": "live"}])
def test_a_known_failure_that_is_judged_elsewhere_hides_none_after_it(
    other: dict[str, str],
) -> None:
    elsewhere = gate_with(**other).known_failures
    unused = gate_with(scenario="three").known_failures
    gate = Gate(GATE.contract, GATE.columns, (*elsewhere, *unused))
    (reason,) = judge(gate, run(*PASSED), TODAY).reasons
    assert reason.endswith("matches nothing that was run")


CONFIG_FILE = Unsupported("config_file", "runs without files", language="javascript")
USER_AGENT = Unsupported("user_agent", "a browser's own", sdk="page")
GATE_WITH_UNSUPPORTED = Gate(GATE.contract, GATE.columns, (), (CONFIG_FILE, USER_AGENT))


def report_lacking(
    outcome: str, *lacks: str, language: str = "javascript", **sdk
) -> dict[str, Any]:
    """Return a report of one SDK in which `two` has this outcome because of missing capabilities."""
    report = run(("one", "page", "passed"), ("two", "page", outcome))
    exempt = {"id": "exempt", "outcome": "exempt", "message": ""}
    checks = [] if outcome == "skipped" else [sealed(outcome), *([exempt] if lacks else [])]
    report["cells"][1] |= {"lacks": list(lacks), "checks": checks, "reason": "the adapter lacks it"}
    report["sdks"][0] |= {"language": language, "capabilities": ["health"], **sdk}
    return report


@pytest.mark.parametrize("outcome", ["skipped", "passed"])
@pytest.mark.parametrize("lacks", [("config_file",), ("user_agent", "config_file")])
def test_an_unsupported_capability_is_accepted_with_its_reason(
    outcome: str, lacks: tuple[str, ...]
) -> None:
    verdict = judge(GATE_WITH_UNSUPPORTED, report_lacking(outcome, *lacks), TODAY)
    assert verdict.go
    assert verdict.accepted[0] == (
        "javascript does not support config_file (runs without files): two"
    )
    assert len(verdict.accepted) == len(lacks)


@pytest.mark.parametrize("lacks", [("redirects",), ("config_file", "redirects")])
def test_a_skip_because_of_another_capability_is_no_go(lacks: tuple[str, ...]) -> None:
    verdict = judge(GATE_WITH_UNSUPPORTED, report_lacking("skipped", *lacks), TODAY)
    assert verdict.reasons == ["two with page: skipped (the adapter lacks it)"]


@pytest.mark.parametrize("lacks", [("redirects",), ("config_file", "redirects")])
def test_checks_that_are_exempt_because_of_another_capability_are_no_go(
    lacks: tuple[str, ...],
) -> None:
    verdict = judge(GATE_WITH_UNSUPPORTED, report_lacking("passed", *lacks), TODAY)
    expected = "two with page: checks were omitted: the adapter lacks redirects"
    assert verdict.reasons == [expected]


def test_a_skip_because_of_the_engine_is_no_go_whatever_is_listed() -> None:
    assert not judge(GATE_WITH_UNSUPPORTED, report_lacking("skipped"), TODAY).go


def test_a_failure_is_not_excused_by_an_unsupported_capability() -> None:
    assert not judge(GATE_WITH_UNSUPPORTED, report_lacking("failed", "config_file"), TODAY).go


@pytest.mark.parametrize(
    ("language", "name"), [("python", "page"), ("javascript", "another")], ids=["language", "sdk"]
)
def test_an_unsupported_capability_of_one_sdk_excuses_no_other(language: str, name: str) -> None:
    report = report_lacking("skipped", "config_file", "user_agent", language=language, name=name)
    for cell in report["cells"]:
        cell["sdk"] = name
    assert not judge(GATE_WITH_UNSUPPORTED, report, TODAY).go


def test_an_entry_for_a_capability_that_the_sdk_has_must_be_removed() -> None:
    report = report_lacking("passed", capabilities=["health", "user_agent"])
    (reason,) = judge(GATE_WITH_UNSUPPORTED, report, TODAY).reasons
    assert reason == (
        "page does not support user_agent (a browser's own), but page supports it: remove the "
        "entry from gate.yaml"
    )


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_newest_contract_is_taken_by_number_not_by_text(tmp_path: Path) -> None:
    lists = "{local: [a], live: []}"
    path = write(tmp_path, f'contracts: {{"1.9.0": {lists}, "1.10.0": {lists}}}\n')
    assert load(path, ["a"]).contract == "1.10.0"
    assert load(path, ["a"], "1.9.0").contract == "1.9.0"


def test_a_scenario_that_does_not_exist_is_reported_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'contracts:\n  "1.0.0":\n    local:\n      - gone\n    live: []\n')
    with pytest.raises(DocumentError, match=r"gate\.yaml:4: the gate needs the scenario gone"):
        load(path, ["other"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{scenario: a, reason: r}", "'until' is a required property"),
        ("{scenario: a, reason: r, until: 2026-13-01}", "is not a date"),
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


def test_every_known_failure_that_is_wrong_is_reported(tmp_path: Path) -> None:
    known = [
        "{scenario: a, reason: r, until: 2026-13-01}",
        "{scenario: gone, reason: r, until: 2026-12-01}",
    ]
    text = (
        f'contracts: {{"1.0.0": {{local: [a], live: []}}}}\nknown_failures: [{", ".join(known)}]\n'
    )
    with pytest.raises(DocumentError, match=r"(?s)is not a date.*gone, which does not exist"):
        load(write(tmp_path, text), ["a"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{lacks: config_file, sdk: a}", "'reason' is a required property"),
        ("{lacks: config_file, reason: r}", "'sdk' is a required property"),
        ("{lacks: config_file, reason: r, sdk: a, language: b}", "valid under each of"),
        ("{lacks: creds.push, reason: r, sdk: a}", "does not match"),
    ],
)
def test_an_unsupported_capability_needs_a_reason_and_one_owner_and_is_not_a_method(
    tmp_path: Path, entry: str, message: str
) -> None:
    text = f'contracts: {{"1.0.0": {{local: [a], live: []}}}}\nunsupported:\n  - {entry}\n'
    with pytest.raises(DocumentError, match=message):
        load(write(tmp_path, text), ["a"])


def test_the_shipped_gate_lists_only_capabilities_that_scenarios_need() -> None:
    data = data_directory()
    scenarios = shipped()
    needed = {n for s in scenarios for n in (*s.adapter_needs, *s.capabilities_of_checks())}
    gate = load(data / "gate.yaml", [scenario.id for scenario in scenarios])
    assert {entry.lacks for entry in gate.unsupported} <= needed


def shipped() -> list[Scenario]:
    """Return the scenarios of both suites."""
    return [s for suite in SUITES for s in load_all(data_directory() / "scenarios" / suite, suite)]


def test_the_shipped_gate_needs_every_shipped_scenario_locally() -> None:
    gate = load(data_directory() / "gate.yaml", [scenario.id for scenario in shipped()])
    for suite, column in (("sdk", "local"), ("engine", "engine-local")):
        scenarios = [scenario for scenario in shipped() if scenario.suite == suite]
        assert set(gate.columns[column]) == {scenario.id for scenario in scenarios}
    assert set(gate.columns["live"]) <= set(gate.columns["local"])
