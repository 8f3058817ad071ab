"""What the conformance suite compares, as `nox -s parity` shows it."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.parity.parts import ParityFailed, Settings, compare_requests
from scripts.processes import CommandFailed


def cell(sdk: str, *headers: list[str], **changes: Any) -> dict[str, Any]:
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
    } | changes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    nowhere = Path("/nowhere")
    return Settings(
        sdks=(),
        report=tmp_path,
        explained=nowhere,
        adapters=nowhere,
        server_python=nowhere,
        adapter_python=nowhere,
        conformance_python=Path(sys.executable),
        node="node",
        work=tmp_path,
    )


def write_report(folder: Path, *cells: dict[str, Any]) -> None:
    report = {
        "format": 1,
        "runner": "0.1.0",
        "run": "arcconf_0a1b2c3d",
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
    (folder / "conformance.json").write_text(json.dumps(report), "utf-8")


def test_equal_requests_give_the_figures(settings: Settings, tmp_path: Path) -> None:
    write_report(tmp_path, cell("python-sync"), cell("python-async"))
    assert compare_requests(settings, Console(quiet=True)) == {
        "sdks": 2,
        "scenarios": 1,
        "requests": 1,
        "explained": 0,
        "unexplained": 0,
    }


def test_a_difference_with_a_reason_is_shown_and_counted(
    settings: Settings, tmp_path: Path
) -> None:
    write_report(tmp_path, cell("python-sync"), cell("workerd", ["CF-Worker", "x"]))
    console = Console(file=(printed := io.StringIO()), soft_wrap=True)
    assert compare_requests(settings, console)["explained"] == 1
    assert "workerd names the zone of the Worker" in printed.getvalue()
    line = (
        'health, workerd: request 1, GET /health (engine), header.cf-worker: "x" instead of nothing'
    )
    assert f"{line} (against python-sync)" in printed.getvalue()


def test_a_difference_without_a_reason_is_no_go(settings: Settings, tmp_path: Path) -> None:
    skipped = cell("deno", outcome="skipped", reason="lacks x", traffic=[], checks=[])
    write_report(tmp_path, cell("python-sync"), cell("bun", ["X-Extra", "1"]), skipped)
    line = (
        "health, bun: request 1, GET /health (engine), "
        'header.x-extra: "1" instead of nothing (against python-sync)'
    )
    with pytest.raises(ParityFailed) as caught:
        compare_requests(settings, Console(quiet=True))
    assert str(caught.value).splitlines() == [
        "  differs without a reason: health, deno: not compared, skipped: lacks x",
        f"  differs without a reason: {line}",
    ]


def test_a_reason_without_a_difference_is_no_go(settings: Settings, tmp_path: Path) -> None:
    write_report(tmp_path, cell("python-sync"), cell("workerd"))
    with pytest.raises(ParityFailed, match=r"explains nothing, remove it: workerd: .*cf-worker"):
        compare_requests(settings, Console(quiet=True))


def test_a_report_that_can_not_be_compared_is_an_error_with_its_log(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(CommandFailed, match="exit code 2") as caught:
        compare_requests(replace(settings, report=tmp_path / "gone"), Console(quiet=True))
    assert "can't be read" in caught.value.log.read_text("utf-8")
