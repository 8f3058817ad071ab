"""`arcrun-conformance parity`: its output, its exit codes, and the reports that it takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from arcrun_conformance.cli import COULD_NOT_RUN, FAILED, GO, main

if TYPE_CHECKING:
    from pathlib import Path

ACCEPT = ["Accept", "application/json"]
DROPPED = "request 1, *, header.accept: nothing instead of *"


def cell(sdk: str, *headers: list[str]) -> dict[str, Any]:
    """A cell in which an SDK sends one request."""
    agent = ["User-Agent", "arcrun-python/0.1.0"]
    request = {"method": "GET", "target": "/health", "headers": [agent, *headers], "body": ""}
    more = {"number": 1, "place": "engine", "step": "s", "started": 0, "seconds": 0}
    traffic = [
        {
            "request": request,
            "answer": None,
            "fault": None,
            "problem": None,
            "further_page": False,
            **more,
        }
    ]
    return {
        "scenario": "health",
        "sdk": sdk,
        "outcome": "passed",
        "reason": "",
        "seconds": 0,
        "checks": [{"id": "sent", "outcome": "passed", "message": "", "traffic": []}],
        "steps": [],
        "traffic": traffic,
        "stderr": "",
    }


def report(*cells: dict[str, Any], run: str = "arcconf_0a1b2c3d") -> dict[str, Any]:
    return {
        "format": 1,
        "runner": "0.1.0",
        "run": run,
        "started": "",
        "seconds": 0,
        "interrupted": False,
        "target": {"name": "t", "url": "u", "contract": None, "health": {}, "remote": False},
        "sdks": [{"name": each["sdk"], "started": True} for each in cells],
        "scenarios": [{"id": "health", "title": "t", "spec": []}],
        "cells": list(cells),
        "leftovers": {"created": 0, "problems": [], "left": []},
        "deviations": [],
        "gate": None,
    }


@pytest.fixture
def dropped() -> dict[str, Any]:
    """The report of a run in which node24-esm leaves a header out."""
    return report(cell("python-sync", ACCEPT), cell("node24-esm"))


def written(folder: Path, run: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "conformance.json").write_text(json.dumps(run), "utf-8")
    return str(folder)


def explained(tmp_path: Path, *entries: dict[str, Any]) -> str:
    path = tmp_path / "parity.yaml"
    path.write_text(yaml.safe_dump({"explained": list(entries)}, allow_unicode=True), "utf-8")
    return str(path)


def test_the_command_ends_with_go_and_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, report(cell("a"), cell("b")))
    assert main(["parity", path, "--explained", explained(tmp_path)]) == GO
    expected = "0 unexplained differences in 1 requests of 1 scenarios between a, b"
    assert expected in capsys.readouterr().out


def test_the_command_counts_what_is_explained_and_fails_for_what_is_unused(
    tmp_path: Path, dropped: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path, reason = written(tmp_path, dropped), {"reason": "so", "differences": [DROPPED]}
    assert main(["parity", path, "--explained", explained(tmp_path, reason)]) == GO
    assert "node24-esm: 1 explained: so" in capsys.readouterr().out
    gone = {"reason": "old", "differences": ["*header.origin: *"], "scenarios": ["health"]}
    assert main(["parity", path, "--explained", explained(tmp_path, reason, gone)]) == FAILED
    expected = "explains nothing, remove it: health: *header.origin: * (old)"
    assert expected in capsys.readouterr().out


def test_the_command_names_what_is_not_explained(
    tmp_path: Path, dropped: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["parity", written(tmp_path, dropped), "--explained", explained(tmp_path)]) == FAILED
    )
    printed = capsys.readouterr().out
    assert "health, node24-esm: request 1, GET /health (engine), header.accept" in printed
    assert "1 unexplained differences" in printed


def test_as_json_the_command_prints_every_difference(
    tmp_path: Path, dropped: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, dropped)
    assert main(["parity", path, "--json", "--explained", explained(tmp_path)]) == FAILED
    document = json.loads(capsys.readouterr().out)
    (difference,) = document.pop("differences")
    assert (difference["sdk"], difference["against"]) == ("node24-esm", "python-sync")
    assert document == {
        "verdict": "NO-GO",
        "sdks": ["python-sync", "node24-esm"],
        "scenarios": 1,
        "requests": 1,
        "unused": [],
    }


def test_the_command_merges_the_reports_of_several_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = written(tmp_path / "one", report(cell("a")))
    other = report(cell("b"), run="arcconf_00000001")
    paths = [one, written(tmp_path / "other", other)]
    assert main(["parity", *paths, "--explained", explained(tmp_path)]) == GO
    assert "between a, b" in capsys.readouterr().out
    assert main(["parity", one, one]) == COULD_NOT_RUN
    assert "can't be merged" in capsys.readouterr().err


def test_an_sdk_of_another_project_need_not_differ_as_ours_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = cell("workerd"), cell("go")
    path = written(tmp_path, report(ours, theirs))
    assert main(["parity", path]) == GO
    assert "between workerd, go" in capsys.readouterr().out
    path = written(tmp_path, report(ours, cell("python-sync")))
    assert main(["parity", path]) == FAILED
    assert "explains nothing, remove it: workerd" in capsys.readouterr().out


def test_one_sdk_alone_can_not_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["parity", written(tmp_path, report(cell("a")))]) == COULD_NOT_RUN
    assert "parity needs two SDKs, and the report has a only" in capsys.readouterr().err
