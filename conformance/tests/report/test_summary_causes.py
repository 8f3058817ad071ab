"""What `summary.md` says of a cause: the SDK, each message once, and what failed before what passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report_document import cell, check, document

from arcrun_conformance.report import markdown

if TYPE_CHECKING:
    from pathlib import Path


def summary(directory: Path, **more: Any) -> list[str]:
    markdown.write(document(**more), directory / "summary.md")
    return (directory / "summary.md").read_text("utf-8").splitlines()


def test_a_cause_names_the_sdk_and_its_language(tmp_path: Path) -> None:
    broken = cell("one", "js", "failed", check("a", "failed", "m"))
    sdks = [{"name": "js", "started": True, "language": "javascript"}]
    lines = summary(tmp_path, cells=[broken], sdks=sdks)
    begin = lines.index("#### one: a: SDK js · JavaScript")
    assert lines[begin + 2].startswith("js is at fault: ")


def test_what_was_skipped_is_folded_below_what_failed_and_what_passed_is_counted(
    tmp_path: Path,
) -> None:
    cells = [
        cell("one", "py", "passed"),
        cell("two", "py", "failed", check("a", "failed", "m")),
        cell("three", "py", "skipped"),
    ]
    scenarios = [{"id": name, "title": "", "spec": []} for name in ("one", "two", "three")]
    sdks = [{"name": "py", "started": True}]
    lines = summary(tmp_path, cells=cells, sdks=sdks, scenarios=scenarios)
    begin = lines.index("### All scenarios")
    head = ["| scenario | py |", "|---|:-:|"]
    folded = "<details><summary>1 scenario not run with every SDK</summary>"
    assert lines[begin + 2 :] == [
        *(*head, "| two | ❌ |", ""),
        *(folded, "", *head, "| three | ⏭️ |", "", "</details>", ""),
        "1 scenario passed with py.",
    ]


def test_a_run_that_passed_lists_no_scenario(tmp_path: Path) -> None:
    cells = [cell(name, sdk, "passed") for name in ("one", "two") for sdk in ("py", "js")]
    sdks = [{"name": name, "started": True} for name in ("py", "js")]
    lines = summary(tmp_path, cells=cells, sdks=sdks)
    assert lines[lines.index("### All scenarios") + 2 :] == [
        "2 scenarios passed with all of 2 SDKs."
    ]
    assert not [line for line in lines if "index.html" in line]


def test_the_same_message_of_several_checks_is_written_once(tmp_path: Path) -> None:
    said = "request {} (GET /{}).headers.a: expected {}, got 0"
    cells = [
        cell("one", "js", "failed", check("a", "failed", said.format(1, "x", 1))),
        cell("two", "js", "failed", check("b", "failed", said.format(1, "x", 1))),
    ]
    lines = summary(tmp_path, cells=cells)
    assert [line for line in lines if "headers.a" in line and "expected" in line] == [
        said.format(1, "x", 1)
    ]
