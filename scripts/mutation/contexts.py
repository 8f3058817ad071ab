"""Pytest's plugin of a traced run: it writes down which tests execute each line, and how long each test takes.

Only what the tests execute in their own process is traced. Loaded with `-p scripts.mutation.contexts`; where to write
to and what to trace is said by the variables below.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER, SOURCES = "GENERATED_MUTANTS_TRACES", "GENERATED_MUTANTS_SOURCES"


class Tracer:
    """Traces the tests of this process.

    Args:
        folder: Receives a folder for each test file, named by `folder_of`; the files in it are those of this process.
        sources: The files to trace.
    """

    def __init__(self, folder: Path, sources: list[str]) -> None:
        self._folder, self._sources = folder, sources
        self._test_file = ""
        self._coverage: coverage.Coverage | None = None
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._written = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what fails without a mutant: it can't judge."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the lines and the seconds of a test, its fixtures included, under its id."""
        tracing = self._tracing(item.nodeid.partition("::")[0])
        tracing.switch_context(item.nodeid)
        begun = time.perf_counter()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = round(time.perf_counter() - begun, 3)
            tracing.switch_context("")

    def pytest_unconfigure(self) -> None:
        """Write what was recorded last."""
        self._write()

    def _tracing(self, test_file: str) -> coverage.Coverage:
        """Return what traces the tests of a file, of which the traces are kept apart."""
        if self._coverage is None or test_file != self._test_file:
            self._write()
            self._test_file = test_file
            self._coverage = coverage.Coverage(
                data_file=str(self._name(".trace")),
                config_file=False,
                include=self._sources,
                messages=False,
            )
            # Tests that execute none of the modules are no mistake.
            self._coverage.set_option("run:disable_warnings", ["no-data-collected"])
            self._coverage.start()
        return self._coverage

    def _write(self) -> None:
        if self._coverage is None:
            return
        self._coverage.stop()
        self._coverage.save()
        passed = {test: s for test, s in self._seconds.items() if test not in self._failed}
        self._name(".json").write_text(json.dumps(passed), "utf-8")
        self._seconds = {}
        self._written += 1

    def _name(self, ending: str) -> Path:
        folder = self._folder / folder_of(self._test_file)
        folder.mkdir(exist_ok=True)
        return folder / f"{os.getpid()}-{self._written}{ending}"


def folder_of(test_file: str) -> str:
    """Return the name of the folder for the traces of a test file."""
    return test_file.replace("/", "+")


def pytest_configure(config: pytest.Config) -> None:
    """Trace this process, unless it leaves the tests to workers."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return
    tracer = Tracer(Path(os.environ[FOLDER]), os.environ[SOURCES].split(os.pathsep))
    config.pluginmanager.register(tracer)
