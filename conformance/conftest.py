"""Lets `pytest conformance/` run the scenarios: one item for each scenario and SDK.

-k, -x and xdist work as usual: `pytest conformance/scenarios/sdk -k "workflow and python-sync"`. The
target is a local engine unless ARCRUN_CONFORMANCE_TARGET names another (with
ARCRUN_CONFORMANCE_API_KEY); ARCRUN_CONFORMANCE_SDK selects the SDKs, as --sdk does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_conformance.adapters.registry import RegisteredAdapter, read_registry
from arcrun_conformance.cli.run import select_adapters
from arcrun_conformance.report import describe, failed
from arcrun_conformance.resources import data_directory
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.scenarios.scenario import Scenario, load
from arcrun_conformance.target import Target, open_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = data_directory()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Return a collector for a scenario's file; `None` for other files."""
    if file_path.suffix == ".yaml" and file_path.is_relative_to(DATA / "scenarios/sdk"):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A scenario's file: an item for each SDK."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each SDK."""
        for sdk in _sdks():
            yield ScenarioItem.from_parent(
                self, name=f"[{sdk.name}]", scenario=load(self.path), sdk=sdk
            )


@functools.cache
def _sdks() -> list[RegisteredAdapter]:
    python = os.environ.get("ARCRUN_CONFORMANCE_ADAPTER_PYTHON", sys.executable)
    known = read_registry(DATA / "adapters/adapters.yaml", python)
    return select_adapters(known, os.environ.get("ARCRUN_CONFORMANCE_SDK"))


class CellFailed(Exception):
    """Checks of a scenario failed; the message names them."""


class ScenarioItem(pytest.Item):
    """A scenario with an SDK."""

    def __init__(self, *, scenario: Scenario, sdk: RegisteredAdapter, **more: Any) -> None:
        super().__init__(**more)
        self.scenario, self.sdk = scenario, sdk

    def runtest(self) -> None:
        """Run the cell, remove what it has created, and raise if a check failed."""
        report = _Engine.of(self.config).run(self.scenario, self.sdk)
        (cell,) = report["cells"]
        if cell["outcome"] == "skipped":
            pytest.skip(cell["reason"])
        if failed(report):
            failing = [check for check in cell["checks"] if check["outcome"] == "failed"]
            lines = [f"{check['id']}: {check['message']}" for check in failing]
            lines += report["leftovers"]["problems"] + report["leftovers"]["left"]
            raise CellFailed("\n".join([*lines, cell["stderr"]]).rstrip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failed checks, without a traceback."""
        if isinstance(excinfo.value, CellFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the path and the name of the item for reports."""
        return self.path, 0, f"{self.scenario.id} with {self.sdk.name}"


class _Engine:
    """The target, opened for the first scenario and closed with the session."""

    _KEY = pytest.StashKey["_Engine"]()

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = contextlib.AsyncExitStack()
        self._target: Target | None = None

    @classmethod
    def of(cls, config: pytest.Config) -> _Engine:
        if cls._KEY not in config.stash:
            config.stash[cls._KEY] = engine = cls()
            config.add_cleanup(engine.close)
        return config.stash[cls._KEY]

    def run(self, scenario: Scenario, sdk: RegisteredAdapter) -> dict[str, Any]:
        return self._loop.run_until_complete(self._run(scenario, sdk))

    async def _run(self, scenario: Scenario, sdk: RegisteredAdapter) -> dict[str, Any]:
        if self._target is None:
            name = os.environ.get("ARCRUN_CONFORMANCE_TARGET", "local")
            key = os.environ.get("ARCRUN_CONFORMANCE_API_KEY")
            python = os.environ.get("ARCRUN_CONFORMANCE_SERVER_PYTHON", sys.executable)
            self._target = await self._stack.enter_async_context(open_target(name, key, python))
        return describe(await execute(RunConfig(self._target, [scenario], {sdk.name: sdk.open})))

    def close(self) -> None:
        self._loop.run_until_complete(self._stack.aclose())
        self._loop.close()
