"""What the site shows of a conformance report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scripts.website.conformance import newest_report, summed_up

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("python-sync", "python-async", "node18", "node20", "node22", "node24", "deno", "bun")
MORE = ("workerd", "browser", "vercel")


def report(**more: Any) -> dict[str, Any]:
    """Return a report of eleven columns, of which the last did not start and the first has a failure."""
    names = (*COLUMNS, *MORE)
    identity = {"sdk": "arcrun", "version": "0.1.0", "runtime": "CPython 3.11"}
    outcomes = {"hello": "passed", "pages": "passed", "trickle": "skipped"}
    cells = [
        {"sdk": name, "scenario": scenario, "outcome": outcome}
        for name in names
        for scenario, outcome in outcomes.items()
    ]
    cells[1]["outcome"] = "failed"
    sdks = [{"name": name, "started": True, **identity} for name in names[:-1]]
    return {
        "suite": "sdk",
        "started": "2026-11-28T10:00:00Z",
        "interrupted": False,
        "target": {"name": "arcrun-server"},
        "scenarios": [{"id": scenario} for scenario in outcomes],
        "sdks": [*sdks, {"name": names[-1], "started": False}],
        "cells": cells,
        "gate": {"verdict": "NO-GO"},
        **more,
    }


def test_each_column_has_what_it_passed_and_the_scenarios_that_failed() -> None:
    summary = summed_up(report())
    assert len(summary["columns"]) == 11
    assert summary["verdict"] == "NO-GO"
    first, last = summary["columns"][0], summary["columns"][-1]
    assert (first["passed"], first["failed"], first["skipped"]) == (1, 1, 1)
    assert first["failures"] == ["pages"]
    assert first["package"] == "arcrun 0.1.0"
    assert (last["package"], last["runtime"], last["failures"]) == ("", "", [])


def test_the_newest_finished_report_of_the_sdks_counts(tmp_path: Path) -> None:
    for name, more in {
        "old": {"started": "2026-11-01T00:00:00Z"},
        "new": {"gate": None},
        "engine": {"started": "2026-12-01T00:00:00Z", "suite": "engine"},
        "cut": {"started": "2026-12-02T00:00:00Z", "interrupted": True},
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "conformance.json").write_text(json.dumps(report(**more)), "utf-8")
    summary = newest_report(tmp_path)
    assert summary is not None
    assert (summary["date"], summary["verdict"]) == ("2026-11-28", None)
    assert newest_report(tmp_path / "engine") is None
