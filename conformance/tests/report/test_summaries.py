"""What the summary, the JUnit file and the terminal say of one run that has every outcome."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from report_document import cell, check, document
from rich.console import Console

from arcrun_conformance.report import badge, failed, junit, markdown, terminal

KNOWN = {
    "scenario": "one",
    "state": "known",
    "spec": "contract#part",
    "text": "differs [so]",
    "checks": ["a", "b"],
}
GATE = {
    "verdict": "NO-GO",
    "contract": "1.0.0",
    "column": "local",
    "needed": 2,
    "reasons": ["one with js: failed [a]"],
    "accepted": ["two [is] known"],
}
LEFT = {"created": 3, "left": ["credential [x]"], "problems": ["can't list [y]"]}


def summary(tmp_path: Path, **more: Any) -> list[str]:
    markdown.write(document(**more), tmp_path / "summary.md")
    text = (tmp_path / "summary.md").read_text("utf-8")
    assert text.endswith("\n")
    return text.splitlines()


def test_the_summary_has_the_failures_by_cause_before_the_matrix(tmp_path: Path) -> None:
    more = {"cells": [*document()["cells"][:1], *document()["cells"][2:]]}
    assert "\n".join(summary(tmp_path, **more)) == (
        "## arcrun conformance: failed\n"
        "\n"
        "1 passed, 1 error, 1 skipped, 2 unavailable. Target local, contract 1.0.0; run `arcconf_1`, 12.3 s.\n"
        "\n"
        "### Failures by cause\n"
        "\n"
        "The requests and responses of each are in `index.html` of the same report.\n"
        "\n"
        "- **the adapter go can't be started** (2 cells): go is \\[not\\] there\n"
        "\n"
        "#### two: undecided\n"
        "\n"
        "Nothing was checked.\n"
        "\n"
        "```text\n"
        "it broke\n"
        "```\n"
        "\n"
        "In two with js. Repeat it:\n"
        "\n"
        "```text\n"
        "arcrun-conformance run --scenario two --sdk js\n"
        "```\n"
        "\n"
        "### All scenarios\n"
        "\n"
        "| scenario | py | js | go |\n"
        "|---|:-:|:-:|:-:|\n"
        "| one | ✅ |  | 🚫 |\n"
        "| two | ⏭️ | 💥 | 🚫 |\n"
        "\n"
        "### Exempt checks\n"
        "\n"
        "- py is exempt from one/b: lacks \\[x\\]"
    )


def test_the_summary_begins_with_the_verdict_and_its_causes(tmp_path: Path) -> None:
    lines = summary(tmp_path, gate=GATE, leftovers=LEFT, deviations=[KNOWN])
    assert lines[0] == "## arcrun conformance: NO-GO"
    assert lines[2].startswith("1 passed, 1 failed, 1 error, 1 skipped, 2 unavailable. Target")
    # Of the scenario "one" a deviation is known.
    assert lines[4] == "### Failures by cause"
    begin = lines.index("### Problems")
    assert lines[begin - 1 : begin + 12] == [
        "",
        "### Problems",
        "",
        "- can't list \\[y\\]",
        "- left behind: credential \\[x\\]",
        "- one with js: failed \\[a\\]",
        "",
        "### Deviations from the contract",
        "",
        "| | scenario | contract | difference |",
        "|---|---|---|---|",
        "| known | one | contract\\#part | differs \\[so\\] |",
        "",
    ]


def test_a_run_without_failures_and_without_a_gate_passed(tmp_path: Path) -> None:
    lines = summary(tmp_path, cells=document()["cells"][:1])
    assert lines[0] == "## arcrun conformance: passed"
    assert lines[2].startswith("1 passed. Target")


def test_a_summary_is_short_enough_to_be_shown(tmp_path: Path) -> None:
    broken = [cell(f"s{n}", "js", "failed", check("a", "failed", f"m{n}")) for n in range(60)]
    reasons = [f"s{n} was not run" for n in range(70)]
    lines = summary(tmp_path, cells=broken, gate={**GATE, "reasons": reasons})
    assert sum(line.startswith("#### ") for line in lines) == 50
    assert [line for line in lines if line.startswith("…")] == [
        "… and 10 more: see index.html.",
        "… and 20 more: see index.html.",
    ]


def badge_of(tmp_path: Path, **more: Any) -> dict[str, Any]:
    badge.write(document(**more), tmp_path / "badge.json")
    made: dict[str, Any] = json.loads((tmp_path / "badge.json").read_text("utf-8"))
    # What shields.io requires of an endpoint: https://shields.io/badges/endpoint-badge
    assert (made.pop("schemaVersion"), made.pop("label")) == (1, "arcrun conformance")
    return made


PASSING = [cell("one", "py", "passed"), cell("two", "py", "passed"), cell("three", "py", "skipped")]


@pytest.mark.parametrize(
    ("more", "message", "color"),
    [
        ({"cells": PASSING}, "2 passed", "brightgreen"),
        ({"cells": PASSING, "gate": {**GATE, "verdict": "GO"}}, "2 passed", "brightgreen"),
        ({"cells": PASSING, "gate": GATE}, "NO-GO", "red"),
        ({"cells": PASSING, "leftovers": LEFT}, "failed", "red"),
        ({"gate": GATE}, "4 of 6 failed", "red"),
        # What is known of the engine is no failure of the SDK.
        (
            {"cells": [cell("one", "py", "failed"), *PASSING], "deviations": [KNOWN]},
            "2 passed",
            "brightgreen",
        ),
        ({"cells": PASSING, "interrupted": True}, "incomplete", "lightgrey"),
        ({"crash": "the runner crashed: E"}, "incomplete", "lightgrey"),
        ({"cells": PASSING[2:]}, "nothing tested", "lightgrey"),
        ({"cells": []}, "nothing tested", "lightgrey"),
    ],
)
def test_the_badge_says_the_verdict(
    tmp_path: Path, more: dict[str, Any], message: str, color: str
) -> None:
    assert badge_of(tmp_path, **more) == {"message": message, "color": color}


def test_without_a_gate_the_summary_says_what_ended_the_run(tmp_path: Path) -> None:
    lines = summary(tmp_path, interrupted=True, crash="the runner crashed: E")
    begin = lines.index("### Problems")
    assert lines[begin + 2 : begin + 5] == [
        "- the run was interrupted",
        "- the runner crashed: E",
        "",
    ]


def test_a_title_of_the_summary_is_no_html(tmp_path: Path) -> None:
    broken = cell("one", "js", "failed", check("<b>", "failed", "m"))
    assert "#### one: \\<b\\>: SDK js" in summary(tmp_path, cells=[broken])


def test_a_scenario_that_an_sdk_did_not_run_has_an_empty_mark(tmp_path: Path) -> None:
    lines = summary(tmp_path, cells=document()["cells"][:2])
    assert "| two |  |  |  |" in lines


@pytest.mark.parametrize(
    ("message", "fence"), [("``", "```"), ("```", "````"), ("` `````", "``````")]
)
def test_a_message_can_not_end_its_own_block(tmp_path: Path, message: str, fence: str) -> None:
    cells = [cell("one", "js", "failed", check("a", "failed", message))]
    lines = summary(tmp_path, cells=cells)
    begin = lines.index(message)
    assert lines[begin - 1 : begin + 2] == [f"{fence}text", message, fence]


def suites(tmp_path: Path, **more: Any) -> dict[str, ET.Element]:
    junit.write(document(**more), tmp_path / "junit.xml")
    assert (tmp_path / "junit.xml").read_text("utf-8").startswith("<?xml ")
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert (root.tag, root.get("name")) == ("testsuites", "arcrun-conformance")
    return {suite.attrib["name"]: suite for suite in root}


def test_each_sdk_has_its_counts_and_its_time(tmp_path: Path) -> None:
    found = suites(tmp_path)
    names = ("tests", "failures", "errors", "skipped", "time")
    assert {sdk: tuple(suite.get(n) for n in names) for sdk, suite in found.items()} == {
        "py": ("2", "0", "0", "1", "0.5"),
        "js": ("2", "1", "1", "0", "0.751"),
        "go": ("2", "0", "2", "0", "1.0"),
        "run": ("1", "0", None, None, None),
    }
    assert found["py"].get("timestamp") == "2026-01-01T12:00:00"


def test_a_case_has_what_its_cell_says(tmp_path: Path) -> None:
    cases = {
        (case.get("classname"), case.get("name")): [
            (part.tag, part.get("message"), part.text) for part in case
        ]
        for suite in suites(tmp_path).values()
        for case in suite
    }
    assert cases == {
        ("py", "one"): [("system-out", None, "exempt: b: lacks [x]")],
        ("js", "one"): [
            ("failure", "a, b", "a: m1\nm2\nb: `m3`"),
            ("system-err", None, "oops\N{REPLACEMENT CHARACTER}"),
        ],
        ("py", "two"): [("skipped", "needs [y]\nmore", None)],
        ("js", "two"): [("error", "it broke", None)],
        ("go", "one"): [("error", "go is [not] there", None)],
        ("go", "two"): [("error", "go is [not] there", None)],
        ("run", "nothing-left-behind"): [],
    }


def test_what_was_left_behind_fails_a_case_of_its_own(tmp_path: Path) -> None:
    suite = suites(tmp_path, leftovers=LEFT)["run"]
    assert suite.get("failures") == "1"
    ((failure,),) = suite
    assert failure.text == "can't list [y]\nleft behind: credential [x]"


@pytest.mark.parametrize(
    ("more", "message"),
    [({"interrupted": True}, "the run was interrupted"), ({"crash": "it crashed"}, "it crashed")],
)
def test_what_ended_the_run_fails_a_case_of_its_own(
    tmp_path: Path, more: dict[str, Any], message: str
) -> None:
    suite = suites(tmp_path, **more)["end"]
    ((failure,),) = suite
    assert (suite.get("failures"), failure.get("message")) == ("1", message)
    assert "end" not in suites(tmp_path)


def shown(**more: Any) -> list[str]:
    console = Console(file=(out := io.StringIO()), width=120)
    terminal.show(document(**more), console)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_terminal_shows_the_matrix_and_the_failures() -> None:
    lines = shown()
    assert lines[0] == "local http://[::1]:1 · contract 1.0.0 · run arcconf_1"
    assert [line.split() for line in lines[1:4]] == [
        ["scenario", "py", "js", "go"],
        ["one", "✓", "✗", "?"],
        ["two", "–", "!", "?", "needs", "[y]"],
    ]
    assert [line[0] for line in lines[1:4]] == ["s", "o", "t"]
    assert lines[4:] == [
        "py is exempt from one/b: lacks [x]",
        "",
        "3 credentials and workflows created, all removed",
        "",
        "the adapter go can't be started: go is [not] there (2 scenarios)",
        "  again: arcrun-conformance run --scenario one --sdk go",
        "",
        "✗ one: 2 checks with js",
        "  one: a",
        "      m1",
        "      m2",
        "  also one: b: `m3`",
        "  js is at fault: it sent something else than the scenario expects",
        "  again: arcrun-conformance run --scenario one --sdk js",
        "  stderr of the adapter:",
        "      oops\\x00",
        "",
        "✗ two with js",
        "      it broke",
        "  nothing was checked",
        "  again: arcrun-conformance run --scenario two --sdk js",
        "",
        (
            "FAILED 1 passed, 1 failed, 1 error, 1 skipped, 2 unavailable · 5 checks, 1 of them exempt · "
            "12.3 s"
        ),
    ]


def test_the_terminal_ends_with_the_verdict_and_the_reasons_before_it() -> None:
    lines = shown(gate=GATE, leftovers=LEFT, interrupted=True, crash="the runner crashed: [E]")
    assert lines[5:8] == ["", "can't list [y]", "left behind: credential [x]"]
    assert lines[-5:-1] == [
        "interrupted: what is not shown was not run",
        "the runner crashed: [E]",
        "accepted: two [is] known",
        "one with js: failed [a]",
    ]
    assert lines[-1].startswith("NO-GO gate 1.0.0, column local: 2 scenarios needed · 1 passed, ")


@pytest.mark.parametrize(
    ("total", "lines"),
    [
        (49, []),
        (60, [f"{number} of 60: js s{number}" for number in range(6, 61, 6)]),
        (55, [f"{n} of 55: js s{n}" for n in (6, 11, 17, 22, 28, 33, 39, 44, 50, 55)]),
    ],
)
def test_a_log_has_a_line_for_each_tenth_of_a_long_run(total: int, lines: list[str]) -> None:
    out = io.StringIO()
    with terminal.progress(Console(file=out, width=10), total) as ended:
        for number in range(1, total + 1):
            ended(f"js s{number}")
    assert out.getvalue().splitlines() == lines


def test_a_terminal_has_a_bar_that_disappears() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with terminal.progress(console, 60) as ended:
        for _ in range(60):
            ended("js one")
    assert "60/60" in out.getvalue()
    *_, left = out.getvalue().split("\x1b[2K")
    assert left == ""


def test_the_page_of_a_run_is_named_before_the_verdict() -> None:
    out = io.StringIO()
    terminal.show(document(), Console(file=out, width=20), Path("reports") / "index.html")
    *_, page, verdict = out.getvalue().splitlines()
    assert page == f"the page of this run: {Path('reports') / 'index.html'}"
    assert verdict.startswith("FAILED ")


def test_what_the_gate_lacks_is_one_line() -> None:
    reasons = ["one with js: failed (a)", "a with py: was not run", "b with py: was not run"]
    lines = shown(gate={**GATE, "accepted": [], "reasons": reasons})
    assert lines[-3:-1] == [
        "one with js: failed (a)",
        "2 that the gate needs were not run: a with py, b with py",
    ]


def test_a_run_in_which_no_adapter_started_has_a_line_for_each_and_no_matrix() -> None:
    reason = "the adapter exited\nno module x"
    cells = [
        cell(s, "go", "error", check("adapter-crash", "failed", reason)) for s in ("one", "two")
    ]
    lines = shown(cells=cells, sdks=[{"name": "go", "started": False}])
    assert lines[1:] == [
        "",
        "3 credentials and workflows created, all removed",
        "",
        "the adapter go can't be started: the adapter exited: no module x (2 scenarios)",
        "  again: arcrun-conformance run --scenario one --sdk go",
        "",
        "FAILED 2 error · 2 checks · 12.3 s",
    ]


def test_the_last_line_says_that_everything_passed_or_that_nothing_was_checked() -> None:
    assert shown(cells=[cell("one", "py", "passed")])[-1] == "PASSED 1 passed · 0 checks · 12.3 s"
    skipped = shown(cells=[cell("one", "py", "skipped")])[-1]
    assert skipped == "FAILED 1 skipped, so nothing was checked · 0 checks · 12.3 s"


def test_columns_that_do_not_fit_are_numbered_and_wide_characters_are_aligned() -> None:
    sdks = [{"name": f"sdk-{letter}", "started": True} for letter in "abcdef"]
    scenarios = [{"id": "推送"}, {"id": "push"}]
    outcomes = ("passed", "failed", "skipped", "error", "passed", "passed")
    cells = [
        cell(scenario["id"], sdk["name"], outcome)
        for scenario in scenarios
        for sdk, outcome in zip(sdks, outcomes, strict=True)
    ]
    console = Console(file=(out := io.StringIO()), width=40)
    terminal.show(document(sdks=sdks, scenarios=scenarios, cells=cells), console)
    assert out.getvalue().splitlines()[1:5] == [
        "columns: 1 sdk-a, 2 sdk-b, 3 sdk-c, 4 sdk-d, 5 sdk-e, 6 sdk-f",
        "scenario  1  2  3  4  5  6",
        "推送      ✓  ✗  –  !  ✓  ✓",
        "push      ✓  ✗  –  !  ✓  ✓",
    ]


@pytest.mark.parametrize("missing", ["left", "problems"])
def test_nothing_is_called_removed_when_something_is_left(missing: str) -> None:
    lines = shown(leftovers={**LEFT, missing: []})
    assert not any("all removed" in line for line in lines)


@pytest.mark.parametrize(("state", "with_failure"), [("known", False), ("new", True)])
def test_a_known_deviation_is_in_a_table_and_no_failure(state: str, with_failure: bool) -> None:
    lines = shown(deviations=[{**KNOWN, "state": state}])
    assert ("✗ one: 2 checks with js" in lines) is with_failure
    begin = lines.index("deviations from the contract")
    assert lines[begin - 1] == ""
    assert lines[begin + 1] == f"  {state}  one (a, b): differs [so] contract#part"


def test_a_run_of_nothing_says_so() -> None:
    lines = shown(cells=[], target={"name": "local", "url": "http://a", "contract": None})
    assert lines[0] == "local http://a · contract unknown · run arcconf_1"
    assert lines[-1] == "FAILED no scenario was run · 0 checks · 12.3 s"


LONG = "http://127.0.0.1:8787/密 'quoted' 42 True and more than a line has"


@pytest.mark.parametrize(("verdict", "color"), [("GO", 32), ("NO-GO", 31)])
def test_no_line_is_wrapped_or_coloured_by_what_it_contains(verdict: str, color: int) -> None:
    broken = cell("one", "js", "failed", check(LONG, "failed", LONG), stderr=LONG)
    cells = [
        cell("one", "py", "passed", check("b", "exempt", LONG)),
        broken,
        cell("one", "go", "unavailable", reason=LONG),
    ]
    gate = {**GATE, "verdict": verdict, "accepted": [f"2 {LONG}"], "reasons": [f"3 {LONG}"]}
    console = Console(
        file=(out := io.StringIO()), width=20, force_terminal=True, color_system="standard"
    )
    leftovers = {**LEFT, "problems": [f"1 {LONG}"]}
    terminal.show(document(cells=cells, gate=gate, leftovers=leftovers), console)
    text = out.getvalue()
    for line in (
        f"      {LONG}",
        f"\x1b[2m      {LONG}\x1b[0m",
        f"\x1b[1;31mthe adapter go can't be started\x1b[0m\x1b[31m: {LONG} (1 scenario)\x1b[0m",
        f"\x1b[2mpy is exempt from one/b: {LONG}\x1b[0m",
        f"\x1b[31m1 {LONG}\x1b[0m",
        f"\x1b[33maccepted: 2 {LONG}\x1b[0m",
        f"\x1b[31m3 {LONG}\x1b[0m",
        (
            f"\x1b[1;{color}m{verdict}\x1b[0m gate 1.0.0, column local: 2 scenarios needed · 1 passed, "
            "1 failed, 1 unavailable · 2 checks, 1 of them exempt · 12.3 s"
        ),
    ):
        assert f"\n{line}\n" in text


NOTHING_LEFT = {"created": 0, "left": [], "problems": []}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"cells": [cell("one", "js", "failed")]}, True),
        ({"cells": [cell("one", "js", "error")]}, True),
        ({"cells": [cell("one", "js", "unavailable")]}, True),
        ({"cells": [cell("one", "js", "failed")], "deviations": [KNOWN]}, False),
        ({"cells": [cell("two", "js", "failed")], "deviations": [KNOWN]}, True),
        (
            {"cells": [cell("one", "js", "failed")], "deviations": [{**KNOWN, "state": "new"}]},
            True,
        ),
        ({"leftovers": {**NOTHING_LEFT, "left": ["credential x"]}}, True),
        ({"leftovers": {**NOTHING_LEFT, "problems": ["can't list"]}}, True),
        ({"interrupted": True}, True),
        ({"crash": "the runner crashed"}, True),
        ({"cells": [cell("one", "js", "skipped"), cell("two", "js", "skipped")]}, True),
        ({"cells": []}, True),
    ],
)
def test_which_runs_have_failed(more: dict[str, Any], expected: bool) -> None:
    fine = [cell("one", "py", "passed"), cell("two", "py", "skipped")]
    assert failed(document(**{"cells": fine, **more})) is expected
