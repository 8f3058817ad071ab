"""Reports of others: they match the schema, and agree with themselves, or are refused with what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from parity_report import cell, report

from arcrun_conformance.cli import COULD_NOT_RUN, GO, main
from arcrun_conformance.report import contradictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def good() -> dict[str, Any]:
    return report(cell("py", []), cell("js", []))


def failed_check() -> dict[str, Any]:
    return {"id": "sealed", "outcome": "failed", "message": "m", "traffic": []}


def check_fails(found: dict[str, Any]) -> None:
    found["cells"][0]["checks"] = [failed_check()]


CONTRADICTIONS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda r: r.update(shard={"index": 3, "of": 2}), "it is of shard 3/2"),
    (lambda r: r["sdks"].append(r["sdks"][0]), "py: is in the report twice"),
    (lambda r: r["scenarios"].append(r["scenarios"][0]), "push: is among the scenarios 2 times"),
    (lambda r: r["cells"].append(r["cells"][1]), "push with js: was run twice"),
    (lambda r: r["sdks"].pop(), "js: has cells, and is not among the SDKs of the run"),
    (
        lambda r: r["scenarios"].clear(),
        "push: has cells, and is not among the scenarios of the run",
    ),
    (check_fails, "push with py: passed, but not passed: sealed"),
    (
        lambda r: r["scenarios"][0].update(source="[" * 100_000),
        "the source of push is no scenario",
    ),
    (lambda r: r["scenarios"][0].update(source="- a"), "the source of push is no scenario"),
    (lambda r: r["scenarios"][0].update(source="steps: 1"), "the source of push is no scenario"),
    (lambda r: r["scenarios"][0].update(source="steps: [1]"), "the source of push is no scenario"),
    (
        lambda r: r["scenarios"][0].update(source="steps: [{id: a, advance: x}]"),
        "the source of push is no scenario",
    ),
]


def test_a_report_that_agrees_with_itself_has_no_contradictions() -> None:
    fine = good()
    fine["shard"] = {"index": 2, "of": 2}
    fine["scenarios"][0]["source"] = "id: push\nsteps: [{id: a, advance: 1.5}]\n"
    assert list(contradictions(fine)) == []


@pytest.mark.parametrize(("damage", "said"), CONTRADICTIONS)
def test_merge_refuses_a_report_that_contradicts_itself_and_says_how(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[dict[str, Any]], object],
    said: str,
) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps(good()), "utf-8")
    assert main(["merge", str(path)]) == GO
    damaged = good()
    damage(damaged)
    path.write_text(json.dumps(damaged), "utf-8")
    capsys.readouterr()
    assert main(["merge", str(path)]) == COULD_NOT_RUN
    printed = capsys.readouterr()
    assert f"conformance.json: contradicts itself: {said}" in printed.err
    assert not printed.out


@pytest.mark.parametrize("shard", [(1, 0), (0, 1), (1, -3), (-1, -1), (1, 10**9), (1.5, 2)])
def test_merge_refuses_a_shard_that_no_run_can_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shard: tuple[float, int]
) -> None:
    path = tmp_path / "conformance.json"
    index, total = shard
    path.write_text(json.dumps(good() | {"shard": {"index": index, "of": total}}), "utf-8")
    assert main(["merge", str(path)]) == COULD_NOT_RUN
    assert "is no report of arcrun-conformance: shard." in capsys.readouterr().err
