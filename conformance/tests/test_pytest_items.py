"""`pytest conformance/scenarios/sdk`: one item for each scenario and SDK."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest
from mini_engine import KEY

from arcrun_conformance.resources import data_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mini_engine import MiniEngine


@pytest.fixture
def pytest_on(engine: MiniEngine, tmp_path: Path) -> Callable:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    async def call(scenarios: str, *arguments: str) -> tuple[int, str]:
        environment = {
            **os.environ,
            "ARCRUN_CONFORMANCE_TARGET": engine.origin,
            "ARCRUN_CONFORMANCE_API_KEY": KEY,
            "ARCRUN_CONFORMANCE_SDK": "bash-curl",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what is tested needs none of them
        }
        files = [str(data_directory() / f"scenarios/sdk/{name}.yaml") for name in scenarios.split()]
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "pytest", *files, "-p", "no:cacheprovider"],
            *["-c", str(tmp_path / "pytest.ini"), "--rootdir", str(data_directory()), *arguments],
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    return call


async def test_items_are_named_by_scenario_and_sdk_and_can_be_chosen(pytest_on: Callable) -> None:
    code, out = await pytest_on(
        "health creds-bad-names workflow-lifecycle", "-v", "-k", "not creds-bad-names"
    )
    assert code == 0, out
    assert "health.yaml::[bash-curl] PASSED" in out
    assert "1 passed, 1 skipped, 1 deselected" in out


async def test_a_failing_item_names_the_check(pytest_on: Callable, engine: MiniEngine) -> None:
    engine.lists_nothing = True
    code, out = await pytest_on("creds-plain-push-list")
    assert code == 1
    assert "listed: result:" in out
    assert "Traceback" not in out
