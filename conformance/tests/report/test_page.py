"""The page in a browser: failures by cause first, filters and cells in the address, and data that stays data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from page_in_browser import CHROMIUM, page_of
from report_document import cell, check, document

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<img src=x onerror=\"document.body.id='owned'\"></script>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_the_page_begins_with_a_failure_for_each_cause(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert page.texts("h2")[0] == "Failures by cause: 3 likely causes, 2 checks in 2 scenarios"
    found = page.texts("article")
    assert len(found) == 3
    assert found[0].startswith(
        "the adapter go can't be startedadapter2 scenarios could not be run."
    )
    assert found[1].startswith("one: 2 checksSDK jsjs is at fault: it sent something else")


def test_what_was_expected_stands_beside_what_was_found(tmp_path: Path) -> None:
    said = 'result.ok: expected true, got "yes"\nresult.x: expected 1, but it is missing'
    cells = [cell("one", "js", "failed", check("a", "failed", said)), cell("one", "py", "passed")]
    page = page_of(tmp_path, cells=cells)
    (shown,) = page.texts("div", **{"class": "findings"})
    assert shown == 'result.okexpectedtruegot"yes"result.xexpected1gotit is missing'


def test_nothing_of_a_report_becomes_code(tmp_path: Path) -> None:
    cells = [cell("one", "js", "failed", check(HOSTILE, "failed", HOSTILE), stderr=HOSTILE)]
    page = page_of(
        tmp_path, "#cell=one/js", cells=cells, scenarios=[{"id": "one", "title": HOSTILE}]
    )
    assert page.texts("img") == []
    assert page.texts("body", id="owned") == []
    assert HOSTILE in page.texts("dialog")[0]


def test_filters_in_the_address_hide_what_they_leave_out(tmp_path: Path) -> None:
    page = page_of(tmp_path, "#sdk=js&outcome=failing&scenario=tw")
    assert page.shown_rows() == ["two"]
    assert page.texts("th", id="count") == ["1 of 2 scenarios"]
    heads = [found for name, found, _ in page.elements if name == "th" and "data-sdk" in found]
    assert {found["data-sdk"]: "hidden" in found for found in heads} == {
        "py": True,
        "js": False,
        "go": True,
    }
    assert not any("go can't be started" in text for text in page.texts("article"))


def test_each_sdk_has_its_totals_in_its_heading(tmp_path: Path) -> None:
    heads = page_of(tmp_path).texts("th", scope="col")
    assert heads == ["2 scenarios", "py1 ✓ 1 – ", "js1 ✗ 1 ! ", "go2 ? "]


@pytest.mark.parametrize("address", ["#cell=one/js", "#one/js"])
def test_a_link_to_a_cell_opens_it(tmp_path: Path, address: str) -> None:
    page = page_of(tmp_path, address)
    (opened,) = (found for name, found, _ in page.elements if name == "dialog")
    assert "open" in opened
    assert "one with js" in page.texts("h2")


def test_an_interrupted_run_says_so_and_how_much_is_missing(tmp_path: Path) -> None:
    page = page_of(tmp_path, cells=document()["cells"][:2], interrupted=True)
    (banner,) = page.texts("p", role="alert")
    assert banner == "This run was interrupted: 4 cells of the matrix were not run."
    assert page.texts("small", **{"class": "soft"}).count("not run") == 4


@pytest.mark.parametrize(
    ("outcome", "more", "said"),
    [
        ("passed", {}, "Nothing failed"),
        ("passed", {"interrupted": True}, "Nothing that was run failed"),
        ("skipped", {}, "Nothing was checked"),
    ],
)
def test_a_run_without_failures_says_what_that_means(
    tmp_path: Path, outcome: str, more: dict[str, Any], said: str
) -> None:
    page = page_of(tmp_path, cells=[cell("one", "py", outcome)], **more)
    assert page.texts("h2")[0] == said
    assert page.texts("article") == []


def test_checks_that_were_not_reached_are_told_apart_from_those_that_failed(tmp_path: Path) -> None:
    checks = [check("a", "failed", "m"), check("b", "not-reached")]
    page = page_of(tmp_path, "#cell=one/js", cells=[cell("one", "js", "failed", *checks)])
    assert page.texts("p", **{"class": "soft legend"}) == [
        "✗ failed, · not reached, since a step before it had failed"
    ]


def test_a_card_says_what_its_scenario_is_about(tmp_path: Path) -> None:
    cells = [cell("one", "js", "failed", check("a", "failed", "m"))]
    scenarios = [{"id": "one", "title": "What is shown"}]
    (card,) = page_of(tmp_path, cells=cells, scenarios=scenarios).texts("article")
    assert "What is shown" in card


def test_checks_that_failed_in_consequence_are_folded(tmp_path: Path) -> None:
    broken = cell("one", "js", "failed", check("a", "failed", "m"), check("b", "failed", "n"))
    broken["steps"] = [{"id": "a", "command": {"command": "x"}, "answer": {}, "seconds": 0.1}]
    page = page_of(tmp_path, "#cell=one/js", cells=[broken])
    said = "1 check failed in consequence, since a had ended the scenario"
    assert page.texts("summary").count(said) == 2  # in the card, and in the dialog
    assert [text for text in page.texts("li") if text.startswith("✗")] == ["✗ am"]


def test_an_sdk_at_fault_is_named_with_its_language(tmp_path: Path) -> None:
    sdks = [{"name": "js", "started": True, "language": "javascript"}]
    cells = [cell("one", "js", "failed", check("a", "failed", "m"))]
    page = page_of(tmp_path, "#cell=one/js", cells=cells, sdks=sdks)
    # In the card, and in the dialog.
    assert page.texts("span", **{"class": "side SDK"}) == ["SDK js · JavaScript"] * 2


def test_scenarios_that_failed_come_first(tmp_path: Path) -> None:
    cells = [cell("one", "py", "passed"), cell("two", "py", "failed", check("a", "failed", "m"))]
    assert page_of(tmp_path, cells=cells).shown_rows() == ["two", "one"]


def test_one_command_repeats_all_cells_of_a_cause(tmp_path: Path) -> None:
    said = check("a", "failed", "expected a result, got the SDK error network: x")
    failing = [cell(name, sdk, "failed", said) for name in ("one", "two") for sdk in ("js", "py")]
    page = page_of(tmp_path, cells=failing)
    assert page.texts("code", **{"class": "command"}) == [
        "arcrun-conformance run --scenario one --scenario two --sdk js,py"
    ]
    assert page.texts("button", **{"class": "copy"}) == ["Copy"]


def test_scenarios_that_fail_with_several_sdks_have_a_line_each_and_a_card_has_three(
    tmp_path: Path,
) -> None:
    said = check("a", "failed", "expected a result, got the SDK error network: x")
    names = ("one", "two", "three", "four", "five")
    failing = [cell(name, sdk, "failed", said) for name in names for sdk in ("js", "py")]
    page = page_of(tmp_path, cells=failing, scenarios=[{"id": n, "title": n} for n in names])
    assert page.texts("div", **{"class": "chips"})[:3] == [f"{n}: jspy" for n in names[:3]]
    assert "4 more" in page.texts("summary")
    labels = [found.get("aria-label") for name, found, _ in page.elements if name == "button"]
    assert labels[:2] == ["one with js", "one with py"]
    (command,) = page.texts("code", **{"class": "command"})
    assert command.endswith(" --scenario one --scenario two --scenario three --sdk js,py")


def test_scenarios_that_fail_with_one_sdk_are_one_line(tmp_path: Path) -> None:
    said = check("a", "failed", "expected a result, got the SDK error network: x")
    page = page_of(tmp_path, cells=[cell(name, "js", "failed", said) for name in ("one", "two")])
    assert page.texts("div", **{"class": "chips"})[0] == "Look at it: onetwo"


def test_a_cell_that_is_opened_has_the_command_that_repeats_it_alone(tmp_path: Path) -> None:
    said = check("a", "failed", "expected a result, got the SDK error network: x")
    failing = [cell(name, "js", "failed", said) for name in ("one", "two")]
    page = page_of(tmp_path, "#cell=two/js", cells=failing)
    assert page.texts("code", **{"class": "command"}) == [
        "arcrun-conformance run --scenario one --scenario two --sdk js",
        "arcrun-conformance run --scenario two --sdk js",
    ]


def test_an_error_is_not_said_to_be_no_result(tmp_path: Path) -> None:
    said = check("a", "failed", "expected a result, got the SDK error network: x")
    page = page_of(tmp_path, cells=[cell("one", "js", "failed", said)])
    assert page.texts("div", **{"class": "findings"}) == ["gotthe SDK error network: x"]
