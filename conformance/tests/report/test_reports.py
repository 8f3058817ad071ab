"""Reports: complete, machine-readable, and without any secret."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY, MiniEngine
from mini_sdk import MiniSdk
from push_scenario import PUSH
from rich.console import Console

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.checks.check import Check
from arcrun_conformance.gate import Verdict
from arcrun_conformance.report import describe, terminal, write_all
from arcrun_conformance.report.html import embedded_report
from arcrun_conformance.resources import validator
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.secrets import encodings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from arcrun_conformance.runs.results import Run
    from arcrun_conformance.scenarios.scenario import Scenario


@pytest.fixture
async def leaky_run(engine: MiniEngine, scenario_of: Callable[[str], Scenario]) -> Run:
    """Return a run with SDKs that leak secrets, a correct one, and one without the capabilities."""

    def opener_of(defect: str) -> Callable:
        async def opener() -> InMemoryConnection:
            sdk = MiniSdk(defect)

            async def handle(line: str) -> str:
                reply = await sdk(line)
                connection.errors += f"{sdk.stderr}\x00 key {KEY}\n"
                return reply

            connection = InMemoryConnection(handle)
            return connection

        return opener

    defects = ("leaks-secret-stderr", "plain-value", "leaks-key", "", "incapable", "invalid-json")
    openers = {f"sdk-{defect or 'correct'}": opener_of(defect) for defect in defects}
    return await execute(RunConfig(engine.target, [scenario_of(PUSH)], openers))


def all_reports(run: Run, directory: Path) -> str:
    described = describe(run)
    described["gate"] = Verdict("1.0.0", "local", 1, ["push: failed"]).as_dict()
    write_all(described, directory)
    shown = io.StringIO()
    terminal.show(described, Console(file=shown, width=100))
    texts = [path.read_text("utf-8") for path in sorted(directory.iterdir())]
    return "\n".join([*texts, shown.getvalue()])


def test_no_report_contains_a_secret_in_any_encoding(leaky_run: Run, tmp_path: Path) -> None:
    values = {value for cell in leaky_run.cells for value in cell.secrets.values()}
    assert KEY in values
    assert any("canary" in value for value in values)
    raw = "".join(repr(cell.exchanges) + cell.stderr for cell in leaky_run.cells)
    leaked = [value for value in values if any(form in raw for form in encodings(value))]
    assert len(leaked) >= 2, "one SDK leaks its token, and all of them the key"

    reported = all_reports(leaky_run, tmp_path)

    assert "‹token›" in reported
    assert "‹api_key›" in reported
    for value in values:
        for form in encodings(value):
            assert form not in reported


def test_the_json_report_matches_its_schema(leaky_run: Run, tmp_path: Path) -> None:
    all_reports(leaky_run, tmp_path)
    written = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert list(validator("report").iter_errors(written)) == []
    assert written["gate"]["verdict"] == "NO-GO"
    (correct,) = [cell for cell in written["cells"] if cell["sdk"] == "sdk-correct"]
    assert correct["outcome"] == "failed", "its stderr contains the key"
    assert correct["traffic"][0]["request"]["method"] == "POST"
    assert [step["id"] for step in correct["steps"]] == ["construct", "pushed"]


def test_junit_has_a_case_for_each_cell_and_one_for_what_is_left(
    leaky_run: Run, tmp_path: Path
) -> None:
    all_reports(leaky_run, tmp_path)
    root = ET.parse(tmp_path / "junit.xml").getroot()
    cases = {
        (case.get("classname"), case.get("name")): [child.tag for child in case]
        for case in root.iter("testcase")
    }
    assert cases["sdk-plain-value", "push"][0] == "failure"
    assert cases["sdk-invalid-json", "push"][0] == "error"
    assert cases["sdk-incapable", "push"][0] == "skipped"
    assert cases["run", "nothing-left-behind"] == []
    assert len(cases) == len(leaky_run.cells) + 1


def test_the_terminal_shows_the_failed_check_and_its_message(
    leaky_run: Run, tmp_path: Path
) -> None:
    shown = all_reports(leaky_run, tmp_path)
    assert "✗ push: secret-token with sdk-leaks-secret-stderr" in shown
    assert "the secret token appears in the body of request 1" in shown
    assert "NO-GO gate 1.0.0, column local: 1 scenario needed" in shown


def test_the_page_contains_the_report_and_loads_nothing(leaky_run: Run, tmp_path: Path) -> None:
    leaky_run.cells[0].reason = "</script><script>alert(1)</script>"
    all_reports(leaky_run, tmp_path)
    page = (tmp_path / "index.html").read_text("utf-8")

    assert embedded_report(page) == json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert "<script>alert" not in page
    assert not re.search(r'(src|href)="|@import|url\(', page)


def test_the_summary_has_a_row_for_each_scenario_and_the_failures(
    leaky_run: Run, tmp_path: Path
) -> None:
    leaky_run.cells[1].checks[0] = Check("pushed", "failed", "```\n# not a heading <b>")
    all_reports(leaky_run, tmp_path)
    lines = (tmp_path / "summary.md").read_text("utf-8").splitlines()

    assert lines[0] == "## arcrun conformance: NO-GO"
    assert "| push | ❌ | ❌ | ❌ | ❌ | ⏭️ | 💥 |" in lines
    assert "- push: failed" in lines
    assert lines[lines.index("# not a heading <b>") - 2] == "````text"
