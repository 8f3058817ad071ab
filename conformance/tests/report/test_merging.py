"""Merging: the cells of all reports, in order, and only of runs that can be compared."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.report import merged, missing_shards


def report(number: int, *cells: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return a report; `number` says when it began and how long it took."""
    return {
        "runner": "1.0",
        "run": f"run{number}",
        "started": f"2026-01-01T12:00:0{number}",
        "seconds": number + 0.5,
        "interrupted": False,
        "target": {"name": "local", "contract": "1.0.0"},
        "suite": "sdk",
        "scenarios": [{"id": name} for name in dict.fromkeys(name for name, _ in cells)],
        "sdks": [{"name": sdk, "started": True} for sdk in dict.fromkeys(sdk for _, sdk in cells)],
        "cells": [{"scenario": name, "sdk": sdk, "of": number} for name, sdk in cells],
        "leftovers": {"created": number, "problems": [f"p{number}"], "left": [f"l{number}"]},
        "deviations": ["a row"],
        "gate": {"verdict": "GO"},
        **more,
    }


def test_the_cells_of_all_are_ordered_by_scenario_and_then_as_the_sdks_were_named() -> None:
    first = report(2, ("b", "py"), ("b", "js"))
    second = report(1, ("a", "js"), ("c", "js"), ("a", "py"))
    found = merged([first, second])
    assert [(cell["scenario"], cell["sdk"], cell["of"]) for cell in found["cells"]] == [
        ("a", "py", 1),
        ("a", "js", 1),
        ("b", "py", 2),
        ("b", "js", 2),
        ("c", "js", 1),
    ]
    assert [scenario["id"] for scenario in found["scenarios"]] == ["a", "b", "c"]
    assert [sdk["name"] for sdk in found["sdks"]] == ["py", "js"]


def test_the_run_lasts_from_the_first_start_and_leaves_what_any_left() -> None:
    target = {"name": "local", "contract": "1.0.0", "url": "http://first"}
    found = merged([report(2, ("b", "py"), target=target), report(1, ("a", "py"))])
    assert found["target"] == target
    assert (found["run"], found["started"], found["seconds"]) == (
        "run2+run1",
        "2026-01-01T12:00:01",
        2.5,
    )
    assert found["leftovers"] == {"created": 3, "problems": ["p2", "p1"], "left": ["l2", "l1"]}
    assert (found["deviations"], found["gate"]) == ([], None)


@pytest.mark.parametrize("which", [0, 1])
def test_one_interrupted_run_is_enough(which: int) -> None:
    reports = [report(2, ("b", "py")), report(1, ("a", "py"))]
    assert merged(reports)["interrupted"] is False
    reports[which]["interrupted"] = True
    assert merged(reports)["interrupted"] is True


@pytest.mark.parametrize("which", [0, 1])
def test_an_sdk_is_described_by_a_report_in_which_it_started(which: int) -> None:
    reports = [report(2, ("b", "py")), report(1, ("a", "py"))]
    reports[which]["sdks"] = [{"name": "py", "started": False}]
    assert merged(reports)["sdks"] == [{"name": "py", "started": True}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"runner": "1.1"}, r"the runners differ: 1\.0 \(a\.json\), 1\.1 \(b\.json\)"),
        ({"suite": "engine"}, r"the suites differ: sdk \(a\.json\), engine \(b\.json\)"),
        (
            {"target": {"name": "local", "contract": None}},
            r"the contracts differ: 1\.0\.0 \(a\.json\), None \(b\.json\)",
        ),
        (
            {"target": {"name": "live", "contract": "1.0.0"}},
            r"the targets differ: local \(a\.json\), live \(b\.json\)",
        ),
        (
            {"target": {"name": "local", "contract": "1.0.0", "health": {"bundle_version": "2"}}},
            r"the versions of the engine differ: None \(a\.json\), 2 \(b\.json\)",
        ),
    ],
)
def test_reports_of_different_kinds_are_not_merged(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        merged([report(1, ("a", "py")), report(2, ("b", "py"), **more)], ["a.json", "b.json"])


def sdk(name: str = "py", **more: Any) -> dict[str, Any]:
    return {"name": name, "started": True, "version": "1.0", "capabilities": ["x"], **more}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"version": "1.1"},
            r"`version` of py differ: 1\.0 \(report 1, report 2\), 1\.1 \(report 3\)",
        ),
        ({"sdk": "arcrun-fork"}, "`sdk` of py differ: None .*, arcrun-fork"),
        ({"language": "python"}, "`language` of py differ: None .*, python"),
        ({"runtime": "PyPy 3.11"}, r"`runtime` of py differ: None .*, PyPy 3\.11"),
        ({"capabilities": []}, r"`capabilities` of py differ: \['x'\] .*, \[\] \(report 3\)"),
    ],
)
def test_reports_of_different_builds_of_an_sdk_are_not_merged(
    other: dict[str, Any], message: str
) -> None:
    reports = [report(n, (name, "py"), sdks=[sdk()]) for n, name in enumerate("abc", 1)]
    assert merged(reports)["sdks"] == [sdk()]
    reports[2]["sdks"] = [sdk(**other)]
    with pytest.raises(ValueError, match=f"^the values of {message}"):
        merged(reports)


def test_what_an_sdk_that_did_not_start_has_not_said_differs_from_nothing() -> None:
    reports = [report(1, ("a", "py"), sdks=[sdk()]), report(2, ("b", "py"), sdks=[])]
    reports[1]["sdks"] = [{"name": "py", "started": False}]
    assert merged(reports)["sdks"] == [sdk()]


def artifact(name: str, digest: str) -> dict[str, str]:
    return {"file": name, "sha256": digest * 64}


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"artifacts": [artifact("sdk.whl", "b")]},
            "the SHA-256 digests of sdk.whl differ: a{64} .report 1., b{64} .report 2.",
        ),
        (
            {"artifacts": [artifact("sdk.whl", "a"), artifact("more.whl", "b")]},
            "the artifacts tested with py differ: sdk.whl .report 1., more.whl, sdk.whl .report 2.",
        ),
        ({}, "the artifacts tested with py differ: sdk.whl .report 1., none .report 2."),
    ],
)
def test_reports_of_different_artifacts_are_not_merged(
    second: dict[str, Any], message: str
) -> None:
    first = report(1, ("a", "py"), artifacts=[artifact("sdk.whl", "a")])
    with pytest.raises(ValueError, match=f"^{message}$"):
        merged([first, report(2, ("b", "py"), **second)])


def test_sdks_may_have_artifacts_of_their_own_and_the_merged_report_has_all_of_them() -> None:
    engine, wheel, package = (artifact(name, "a") for name in ("engine.whl", "py.whl", "js.tgz"))
    first = report(1, ("a", "py"), artifacts=[engine, wheel])
    second = report(2, ("a", "js"), artifacts=[engine, package])
    assert merged([first, second])["artifacts"] == [engine, wheel, package]


def test_a_report_without_a_suite_is_of_the_sdk_suite() -> None:
    old = report(1, ("a", "py"))
    del old["suite"]
    assert len(merged([old, report(2, ("b", "py"))])["cells"]) == 2


def test_a_cell_that_two_reports_contain_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^two of them contain b with py$"):
        merged([report(1, ("a", "py"), ("b", "py")), report(2, ("b", "py"))])


@pytest.mark.parametrize(
    ("shards", "missing"),
    [
        ([("py", 1, 2), ("py", 2, 2)], ""),
        ([("py", 1, 3), ("py", 3, 3)], "shard 2/3 of py"),
        ([("py", 1, 2), ("js", 1, 2), ("js", 2, 2)], "shard 2/2 of py"),
        ([("py", 2, 2), ("js", 2, 2)], "shard 1/2 of py, js"),
        ([("py", 1, 1), ("js", 1, 2), ("js", 2, 2)], ""),
        ([("py", 1, 9)], "".join(f"shard {n}/9 of py, " for n in range(2, 9)) + "and 1 more"),
        ([("py", 9, 9)], "".join(f"shard {n}/9 of py, " for n in range(1, 8)) + "and 1 more"),
        (
            [("py", 1, 10**9)],
            "".join(f"shard {n}/1000000000 of py, " for n in range(2, 9)) + "and 999999992 more",
        ),
    ],
)
def test_shards_are_complete_for_each_sdk(shards: list, missing: str) -> None:
    reports = [report(1, ("a", sdk), shard={"index": i, "of": n}) for sdk, i, n in shards]
    assert missing_shards(reports) == missing
    assert missing_shards([report(1, ("a", "py"))]) == "", "a report of a whole run names no shard"
