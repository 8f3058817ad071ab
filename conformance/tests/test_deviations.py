"""Deviations: which failures are known, which are new, and which entries can be removed."""

from __future__ import annotations

from typing import Any

from arcrun_conformance.deviations import KnownDeviation, found_in


def cell(scenario: str, sdk: str, outcome: str, *failed: str) -> dict[str, Any]:
    checks = [{"id": "fine", "outcome": "passed"}]
    checks += [{"id": name, "outcome": "failed"} for name in failed]
    return {"scenario": scenario, "sdk": sdk, "outcome": outcome, "checks": checks}


def found(cells: list[dict[str, Any]], *known: str) -> list[dict[str, Any]]:
    names = dict.fromkeys(one["scenario"] for one in cells)
    scenarios = [{"id": name, "title": f"title of {name}", "spec": ["a", "b"]} for name in names]
    entries = [KnownDeviation(name, "contract", f"text of {name}") for name in known]
    return found_in({"scenarios": scenarios, "cells": cells}, entries)


def test_a_failure_is_new_unless_it_is_listed_and_known_ones_come_first() -> None:
    cells = [
        cell("b", "py", "failed", "one", "two"),
        cell("b", "js", "failed", "two", "three"),
        cell("a", "py", "passed"),
        cell("a", "js", "error"),
        cell("c", "py", "failed", "one"),
    ]
    assert found(cells, "c") == [
        {
            "scenario": "c",
            "state": "known",
            "spec": "contract",
            "text": "text of c",
            "sdks": ["py"],
            "checks": ["one"],
        },
        {
            "scenario": "a",
            "state": "new",
            "spec": "a b",
            "text": "title of a",
            "sdks": ["js"],
            "checks": [],
        },
        {
            "scenario": "b",
            "state": "new",
            "spec": "a b",
            "text": "title of b",
            "sdks": ["py", "js"],
            "checks": ["one", "two", "three"],
        },
    ]


def test_an_entry_that_passes_everywhere_is_gone_and_one_that_was_skipped_is_not() -> None:
    cells = [
        cell("everywhere", "py", "passed"),
        cell("everywhere", "js", "passed"),
        cell("half", "py", "passed"),
        cell("half", "js", "skipped"),
        cell("unlisted", "py", "passed"),
    ]
    rows = found(cells, "everywhere", "half", "not-run")
    assert [(row["scenario"], row["state"], row["sdks"]) for row in rows] == [
        ("everywhere", "gone", [])
    ]


def test_an_entry_whose_scenario_has_no_cell_is_not_gone() -> None:
    report = {"scenarios": [{"id": "a", "title": "", "spec": []}], "cells": []}
    assert found_in(report, [KnownDeviation("a", "contract", "text")]) == []
