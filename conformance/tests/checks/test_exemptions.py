"""Missing capabilities: exempt checks, other expectations, and the checks that still count."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from mini_sdk import MiniSdk
from rich.console import Console

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.report import describe, terminal, write_all
from arcrun_conformance.report.html import embedded_report
from arcrun_conformance.resources import validator
from arcrun_conformance.runs.runner import RunConfig, execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mini_engine import MiniEngine

    from arcrun_conformance.scenarios.scenario import Scenario

ALL = ("user_agent", "single_requests", "raw_http")
SCENARIO = """\
id: limited
title: limited
spec: [docs/contract.md#routes]
variables:
  name: "${run}_密"
steps:
  - id: listed
    call: creds.list
    expect: {result: {$type: array}}
  - id: pushed
    adapter_needs: [single_requests]
    call: creds.push
    with: {name: "${name}", value: v}
    expect: {result: {name: "${name}"}}
  - id: deleted
    call: creds.delete
    with: {name: "${name}"}
    expect: {result: {name: "${name}"}}
    without:
      single_requests: {expect: {error: {name: not_found}}}
wire:
  - id: own-user-agent
    adapter_needs: [user_agent]
    where: {method: GET, path: /credentials}
    request: {headers: {user-agent: {$regex: "^arcrun-mini/"}}}
  - id: pushed-once
    where: {method: POST}
    count: 1
    without:
      single_requests: {count: 0}
  - id: deleted-once
    where: {method: DELETE}
    count: 1
"""


async def report_of(
    engine: MiniEngine, scenario: Scenario, capabilities: tuple[str, ...]
) -> dict[str, Any]:
    async def opener() -> InMemoryConnection:
        return InMemoryConnection(MiniSdk(capabilities=capabilities))

    report = describe(await execute(RunConfig(engine.target, [scenario], {"mini": opener})))
    assert list(validator("report").iter_errors(report)) == []
    return report


async def cell_of(
    engine: MiniEngine, scenario: Scenario, capabilities: tuple[str, ...]
) -> dict[str, Any]:
    report = await report_of(engine, scenario, capabilities)
    (cell,) = report["cells"]
    return cell


def outcomes(cell: dict[str, Any]) -> dict[str, str]:
    own = ("listed", "pushed", "deleted", "own-user-agent", "pushed-once", "deleted-once")
    return {check["id"]: check["outcome"] for check in cell["checks"] if check["id"] in own}


async def test_an_able_adapter_is_exempt_from_nothing(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    cell = await cell_of(engine, scenario_of(SCENARIO), ALL)
    assert cell["outcome"] == "passed"
    assert set(outcomes(cell).values()) == {"passed"}
    assert cell["lacks"] == []


async def test_a_missing_capability_exempts_its_checks_and_no_others(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    cell = await cell_of(engine, scenario_of(SCENARIO), ("single_requests",))
    assert cell["outcome"] == "passed"
    expected = dict.fromkeys(outcomes(cell), "passed") | {"own-user-agent": "exempt"}
    assert outcomes(cell) == expected
    (exempt,) = [check for check in cell["checks"] if check["outcome"] == "exempt"]
    assert exempt["message"] == "the adapter lacks user_agent"
    assert cell["lacks"] == ["user_agent"]


async def test_an_exempt_step_is_not_carried_out_and_the_alternative_is_checked(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    cell = await cell_of(engine, scenario_of(SCENARIO), ("user_agent",))
    assert cell["outcome"] == "passed"
    assert outcomes(cell) == dict.fromkeys(outcomes(cell), "passed") | {"pushed": "exempt"}
    assert cell["lacks"] == ["single_requests"]
    assert [e["request"]["method"] for e in cell["traffic"]] == ["GET", "DELETE"]


@pytest.mark.parametrize(
    ("capabilities", "change", "caught_by"),
    [
        (ALL, ("^arcrun-mini/", "^another/"), "own-user-agent"),
        ((), ("{error: {name: not_found}}", "{error: {name: conflict}}"), "deleted"),
        ((), ("single_requests: {count: 0}", "single_requests: {count: 1}"), "pushed-once"),
    ],
)
async def test_what_is_not_exempt_can_fail(
    engine: MiniEngine,
    scenario_of: Callable[[str], Scenario],
    capabilities: tuple[str, ...],
    change: tuple[str, str],
    caught_by: str,
) -> None:
    cell = await cell_of(engine, scenario_of(SCENARIO.replace(*change)), capabilities)
    assert cell["outcome"] == "failed"
    failed = [name for name, outcome in outcomes(cell).items() if outcome == "failed"]
    assert failed == [caught_by]


async def test_requests_that_only_an_exempt_check_matches_are_expected_nevertheless(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    cell = await cell_of(engine, scenario_of(SCENARIO), ())
    by_id = {check["id"]: check for check in cell["checks"]}
    assert by_id["own-user-agent"]["outcome"] == "exempt"
    assert by_id["no-other-requests"]["outcome"] == "passed"


async def test_a_skip_because_of_the_adapter_names_the_missing_capability(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    text = SCENARIO.replace(
        "spec: [docs/contract.md#routes]",
        "spec: [docs/contract.md#routes]\nadapter_needs: [config_file]",
    )
    cell = await cell_of(engine, scenario_of(text), ALL)
    assert (cell["outcome"], cell["lacks"]) == ("skipped", ["config_file"])


async def test_a_skip_because_of_the_engine_names_no_capability_of_the_adapter(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario]
) -> None:
    text = SCENARIO.replace(
        "spec: [docs/contract.md#routes]",
        "spec: [docs/contract.md#routes]\nneeds: [durable_runs]\nadapter_needs: [config_file]",
    )
    cell = await cell_of(engine, scenario_of(text), ALL)
    assert (cell["outcome"], cell["lacks"]) == ("skipped", [])


async def test_every_report_shows_what_is_exempt_and_why(
    engine: MiniEngine, scenario_of: Callable[[str], Scenario], tmp_path: Path
) -> None:
    report = await report_of(engine, scenario_of(SCENARIO), ())
    write_all(report, tmp_path)
    shown = io.StringIO()
    terminal.show(report, Console(file=shown, width=120))

    line = "mini is exempt from limited/pushed: the adapter lacks single_requests"
    assert line in shown.getvalue()
    assert "checks, 2 of them exempt" in shown.getvalue()
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert "### Exempt checks" in summary
    assert line.replace("_", "\\_") in summary
    junit = (tmp_path / "junit.xml").read_text("utf-8")
    assert "exempt: own-user-agent: the adapter lacks user_agent" in junit
    page = (tmp_path / "index.html").read_text("utf-8")
    assert 'exempt: "' in page
    checks = [check for cell in embedded_report(page)["cells"] for check in cell["checks"]]
    assert {"the adapter lacks user_agent"} <= {
        check["message"] for check in checks if check["outcome"] == "exempt"
    }
