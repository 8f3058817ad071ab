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
        folder: Receives the files; those of other processes have other names.
        sources: The files to trace.
    """

    def __init__(self, folder: Path, sources: list[str]) -> None:
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._times = folder / f"{os.getpid()}.json"
        self._coverage = coverage.Coverage(
            data_file=str(folder / f"{os.getpid()}.trace"),
            config_file=False,
            include=sources,
            messages=False,
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what fails without a mutant: it can't judge."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the lines and the seconds of a test, its fixtures included, under its id."""
        self._coverage.switch_context(item.nodeid)
        begun = time.perf_counter()
        try:
            return (yield)
        finally:
            self._seconds[item.nodeid] = round(time.perf_counter() - begun, 3)
            self._coverage.switch_context("")

    def begin(self) -> None:
        """Begin before the tests import what they test."""
        self._coverage.start()

    def pytest_unconfigure(self) -> None:
        """Write what was recorded."""
        self._coverage.stop()
        self._coverage.save()
        passed = {test: s for test, s in self._seconds.items() if test not in self._failed}
        self._times.write_text(json.dumps(passed), "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Trace this process, unless it leaves the tests to workers."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return
    tracer = Tracer(Path(os.environ[FOLDER]), os.environ[SOURCES].split(os.pathsep))
    config.pluginmanager.register(tracer)
    tracer.begin()
