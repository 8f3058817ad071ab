"""What SDKs, engines and merged reports say is shown by every report for people, and obeyed by none."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from hostile_texts import any_hostile, assert_harmless
from report_document import cell, check, document
from rich.console import Console

from arcrun_conformance.cleaning import well_formed
from arcrun_conformance.report import junit, markdown, terminal

if TYPE_CHECKING:
    from pathlib import Path


def report_of(text: str) -> dict[str, Any]:
    """Return a report that has a text wherever one may come from outside."""
    name = f"{text}sdk"
    row = {"scenario": text, "state": "new", "spec": text, "text": text, "checks": [text]}
    return document(
        target={"name": text, "url": text, "contract": text},
        sdks=[{"name": name, "started": True, "language": text}],
        scenarios=[{"id": text}, {"id": f"{text}2"}, {"id": f"{text}3"}],
        cells=[
            cell(text, name, "failed", check(text, "failed", text), stderr=text),
            cell(f"{text}2", name, "skipped", check(text, "exempt", text), reason=text),
            cell(f"{text}3", name, "passed", check(text, "passed")),
        ],
        deviations=[row],
        leftovers={"created": 1, "left": [text], "problems": [text]},
        crash=text,
        command=text,
    )


def gate_of(text: str) -> dict[str, Any]:
    shown = {"verdict": "NO-GO", "contract": text, "column": text, "needed": 2}
    return {**shown, "reasons": [text], "accepted": [text]}


@any_hostile
def test_the_terminal_shows_any_text_and_obeys_none(hostile: str) -> None:
    for gate in (None, gate_of(hostile)):
        shown = io.StringIO()
        terminal.show({**report_of(hostile), "gate": gate}, Console(file=shown, width=100))
        printed = shown.getvalue()
        assert_harmless(printed)
        verdicts = [line for line in printed.splitlines() if line.startswith(("GO", "PASSED"))]
        assert verdicts == []
        if re.fullmatch("[ -~]+", hostile) and not hostile.startswith(("::", "##")):
            assert printed.count(hostile) > 10


@any_hostile
def test_the_bar_of_a_run_shows_any_name_and_obeys_none(hostile: str) -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=100, force_terminal=True, color_system=None)
    with terminal.progress(console, 1) as ended:
        ended(f"name {hostile}")
    printed = shown.getvalue()
    assert "name " in printed
    for sequence in ("\x1b[2J", "\x1b]0;", "\u202e", "\ud800", "a\rb"):
        assert sequence not in printed


@any_hostile
def test_a_line_of_a_log_shows_any_name_and_obeys_none(hostile: str) -> None:
    shown = io.StringIO()
    with terminal.progress(Console(file=shown), 50) as ended:
        for _ in range(50):
            ended(hostile)
    assert_harmless(shown.getvalue())
    assert len(shown.getvalue().splitlines()) == 10


@any_hostile
def test_the_summary_shows_any_text_and_obeys_none(tmp_path: Path, hostile: str) -> None:
    for gate in (None, gate_of(hostile)):
        markdown.write({**report_of(well_formed(hostile)), "gate": gate}, tmp_path / "summary.md")
        written = (tmp_path / "summary.md").read_text("utf-8")
        assert_harmless(written)
        outside = re.sub("(?ms)^(`{3,})text$.*?^\\1$", "", written)
        assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside)
        rows = [line for line in outside.splitlines() if line.startswith("| ")]
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert columns == {3, 5}, "the matrix and the deviations have as many columns as ever"


@any_hostile
def test_junit_is_xml_whatever_names_and_texts_are(tmp_path: Path, hostile: str) -> None:
    described = report_of(well_formed(hostile))
    junit.write({**described, "interrupted": False, "started": hostile}, tmp_path / "junit.xml")
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert len(root.findall("testsuite/testcase")) == 3 + 2  # what was left, and the crash
