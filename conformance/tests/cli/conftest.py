"""A folder to run the command line in, and a way to call it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY, MiniEngine
from push_scenario import PUSH

from arcrun_conformance.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parents[1]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a folder with one scenario, its gate, and adapters with and without a defect."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/push.yaml").write_text(PUSH, "utf-8")
    gate = 'contracts: {"1.0.0": {local: [push], live: []}}\n'
    (tmp_path / "gate.yaml").write_text(gate, "utf-8")
    script = json.dumps(str(TESTS / "mini_sdk.py"))
    entry = "- {{name: {0}, language: x, runtime: y, command: ['{{python}}', {1}, '{2}']}}\n"
    defects = {
        "correct": "none",
        "crashing": "crash",
        "plain": "plain-value",
        "incapable": "incapable",
    }
    lines = [entry.format(name, script, defect) for name, defect in defects.items()]
    (tmp_path / "adapters.yaml").write_text("adapters:\n" + "".join(lines), "utf-8")
    return tmp_path


@pytest.fixture
async def call(engine: MiniEngine, workspace: Path) -> Callable:
    async def run(*arguments: str, target: str = engine.origin, key: str = KEY) -> int:
        given = ["run", "--target", target, "--report-dir", f"{workspace}/reports"]
        given += ["--scenarios", f"{workspace}/scenarios"]
        given += ["--adapters", f"{workspace}/adapters.yaml"]
        if "--gate" in arguments:
            given += ["--gate-file", f"{workspace}/gate.yaml"]
        if not {"--target", "--api-key-file"} & set(arguments):
            given += ["--api-key", key]
        # In another thread, since the engine runs in this one.
        return await asyncio.to_thread(main, [*given, *arguments])

    return run
