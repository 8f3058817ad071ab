"""Judge a mutant: by the suite alone, and by the tests of its package.

With `covering` both are done the fast way: of the tests those that execute the line, of the suite one run, which ends
with the first failure that is one also when its scenario is run alone.
"""

from __future__ import annotations

import json
import os
import queue
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.mutation.areas import Area, SuiteRun, related_scenarios
from scripts.mutation.contexts import FOLDER, SOURCES, folder_of
from scripts.mutation.covering import Covering, Traces, keep
from scripts.mutation.related import ordered_tests

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scripts.mutation.commands import Commands
    from scripts.mutation.generate import Mutant
    from scripts.mutation.tree import Tree

KILLED, SURVIVED, TIMED_OUT, NOT_JUDGED = "killed", "survived", "timed out", "not judged"
# A program that takes this many times as long as without a defect never ends.
PATIENCE = 5.0
LEAST_SECONDS, MOST_SECONDS = 60.0, 300.0
# So often a run of the suite is repeated of which everything that failed passes alone.
ATTEMPTS = 3
# How pytest ends when it has run all tests: they passed, some failed, there were none.
TRACED = frozenset({0, 1, 5})
# Enough for a whole package without a defect on a busy machine.
BASELINE_SECONDS = 1800.0


class BaselineFailed(Exception):
    """Something fails without a mutant, so that nothing can be said about mutants."""


@dataclass(frozen=True)
class Verdict:
    """What noticed a mutant.

    Attributes:
        mutant: The mutant.
        suite: Whether the suite alone noticed it: `killed`, `survived`, `timed out`, or `not judged` where there
            is no suite for its area.
        tests: Whether the tests of its package did.
        seconds: How long that took.
    """

    mutant: Mutant
    suite: str
    tests: str
    seconds: float

    @property
    def survived(self) -> bool:
        """Return whether nothing noticed it."""
        return not {self.suite, self.tests} & {KILLED, TIMED_OUT}


class Judge:
    """Runs suite and tests on a copy of the repository.

    Args:
        commands: Starts the programs.
        python: The interpreter with the packages, and with what they need.
        limits: The seconds that each stage takes without a mutant, by its name; filled by `baseline`.
        quick: Run only the most related tests and scenarios.
        covering: The tests of each line, by the name of the area.
    """

    def __init__(
        self,
        commands: Commands,
        python: Path,
        limits: dict[str, float],
        *,
        quick: bool = False,
        covering: Mapping[str, Covering] | None = None,
    ) -> None:
        self._covering = covering
        self._commands = commands
        self._python = python
        self._limits = limits
        self._quick = quick

    def baseline(
        self, tree: Tree, areas: Sequence[Area], paths: Collection[str], log: Path
    ) -> None:
        """Run everything that may judge these files without a mutant, and note how long it takes.

        Raises:
            BaselineFailed: Something fails; the message names the log.
        """
        self._imports_from(tree, log)
        stages: dict[str, list[str]] = {}
        for area in areas:
            for suite in () if self._quick else area.suites:
                stages[_stage(suite)] = self._suite_command(suite)
            if not area.tests:
                continue
            files = ordered_tests(tree.root, area.tests, "").others
            if self._quick:
                firsts = [ordered_tests(tree.root, area.tests, path).first for path in paths]
                files = [name for name in files if any(name in first for first in firsts)]
            if files:
                stages[area.tests[0]] = [*self._tests_command(files), "-n", "auto"]
        for stage, command in stages.items():
            outcome = self._commands.run(
                command, tree=tree.root, log=log, timeout=BASELINE_SECONDS, env=tree.environment
            )
            if outcome.exit_code != 0:
                raise BaselineFailed(f"{stage} fails without a mutant; see {log}")
            self._limits[stage] = outcome.seconds

    def _imports_from(self, tree: Tree, log: Path) -> None:
        """Check that programs import from the copy: from the checkout, nothing would be noticed."""
        code = (
            "import sys, arcrun, arcrun_server, arcrun_conformance, scripts\n"
            "modules = (arcrun, arcrun_server, arcrun_conformance, scripts)\n"
            "sys.exit(any(not m.__file__.startswith(sys.argv[1]) for m in modules))"
        )
        command = [str(self._python), "-c", code, str(tree.root)]
        outcome = self._commands.run(
            command, tree=tree.root, log=log, timeout=LEAST_SECONDS, env=tree.environment
        )
        if outcome.exit_code != 0:
            raise BaselineFailed(f"the packages are not imported from {tree.root}")

    def traced(
        self, trees: Sequence[Tree], areas: Sequence[Area], kept: Path, log: Path
    ) -> dict[str, Covering]:
        """Run the tests that are about each area without a mutant; return which of them execute each line.

        Tests that fail are left out: on a busy machine some that measure time do. Test files that were traced before are
        not run again.

        Args:
            trees: Where they are run, as many test files side by side.
            areas: The areas.
            kept: The folder of the traces.
            log: Receives what the tests print.

        Raises:
            BaselineFailed: No test of an area passes, or not all of them were run; the message names the log.
        """
        self._imports_from(trees[0], log)
        traces = Traces(kept, trees[0].root)
        folders = {area.name: traces.of(area) for area in areas}
        free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
        for tree in trees:
            free.put(tree)

        def trace(run: tuple[Area, dict[str, Path]]) -> None:
            tree = free.get()
            try:
                self._trace(tree, *run, log)
            finally:
                free.put(tree)

        with ThreadPoolExecutor(len(trees)) as threads:
            runs = (
                (area, dict(part))
                for area in areas
                for part in _parts(folders[area.name], len(trees))
            )
            list(threads.map(trace, runs))
        found = {name: Covering.read(paths.values()) for name, paths in folders.items()}
        for name, covering in found.items():
            if not covering.passed:
                raise BaselineFailed(f"{name} fails without a mutant; see {log}")
        return found

    def _trace(self, tree: Tree, area: Area, folders: Mapping[str, Path], log: Path) -> None:
        """Trace test files in one process, since each has to import what it tests."""
        modules = (str(tree.root / module) for module in area.modules(tree.root))
        with tempfile.TemporaryDirectory() as traced:
            variables = {FOLDER: traced, SOURCES: os.pathsep.join(modules)}
            command = self._tests_command([*folders, "-p", "scripts.mutation.contexts"])
            command.remove("-x")
            environment = {**tree.environment, **variables}
            outcome = self._commands.run(
                command, tree=tree.root, log=log, timeout=BASELINE_SECONDS, env=environment
            )
            if outcome.exit_code not in TRACED:
                raise BaselineFailed(f"the tests of {area.name} can't be traced; see {log}")
            for path, folder in folders.items():
                keep(Path(traced) / folder_of(path), folder, tree.root)

    def suites_pass(self, tree: Tree, areas: Sequence[Area], log: Path) -> None:
        """Run what `by_suite` runs of the suite for these areas without a mutant, and note its seconds.

        Raises:
            BaselineFailed: Something fails; the message names the log.
        """
        runs = {_stage(run): run for area in areas for run in _one_run(area)}
        for stage, run in runs.items():
            outcome = self._commands.run(
                self._suite_command(run),
                tree=tree.root,
                log=log,
                timeout=BASELINE_SECONDS,
                env=tree.environment,
            )
            if outcome.exit_code != 0:
                raise BaselineFailed(f"{stage} fails without a mutant; see {log}")
            self._limits[stage] = outcome.seconds

    def judge(self, tree: Tree, area: Area, mutant: Mutant, log: Path) -> Verdict:
        """Return what notices a mutant that is in the tree."""
        suite, suite_seconds = self.by_suite(tree, area, mutant.path, log)
        tests, tests_seconds = self._by_tests(tree, area, mutant, log)
        return Verdict(mutant, suite, tests, round(suite_seconds + tests_seconds, 1))

    def by_suite(self, tree: Tree, area: Area, path: str, log: Path) -> tuple[str, float]:
        """Return whether the suite notices what was changed in a file, and the seconds."""
        if not area.suites:
            return NOT_JUDGED, 0.0
        if self._covering is not None:
            return self._by_one_run(tree, area, path, log)
        related = related_scenarios(area, path)
        runs = [
            replace(run, sdks=run.sdks[:1], scenarios=related)
            for run in area.suites
            if related and run.suite == "sdk"
        ]
        runs += [] if self._quick else area.suites
        stages = [(_stage(run), self._suite_command(run)) for run in runs]
        return self._stages(stages, tree, log)

    def _by_one_run(self, tree: Tree, area: Area, path: str, log: Path) -> tuple[str, float]:
        """Judge by the suite that is about the area: with one SDK, the related scenarios first."""
        (whole,) = _one_run(area)
        first = replace(whole, scenarios=related_scenarios(area, path, whole.suite))
        runs = [first] if first.scenarios else []
        runs += [] if self._quick and runs else [whole]
        outcome, seconds = SURVIVED, 0.0
        for run in runs:
            outcome, took = self._to_its_first_failure(tree, run, log)
            seconds += took
            if outcome != SURVIVED:
                break
        return outcome, seconds

    def _to_its_first_failure(self, tree: Tree, run: SuiteRun, log: Path) -> tuple[str, float]:
        """Judge by a run of the suite; what fails beside others and passes alone, fails by the load of the machine."""
        seconds = 0.0
        for _ in range(ATTEMPTS):
            with tempfile.TemporaryDirectory() as folder:
                command = [*self._suite_command(run), "--fail-fast", "--report-dir", folder]
                outcome, took = self._stages([(_stage(run), command)], tree, log)
                failed = failed_scenarios(Path(folder))
            seconds += took
            if outcome == KILLED and failed:
                command = self._suite_command(replace(run, scenarios=failed), jobs=1)
                outcome, took = self._stages([(_stage(run), command)], tree, log)
                seconds += took
                if outcome == SURVIVED:
                    continue
            return outcome, seconds
        return SURVIVED, seconds

    def _by_covering(
        self, tree: Tree, area: Area, covering: Covering, mutant: Mutant, log: Path
    ) -> tuple[str, float]:
        """Judge by the tests that execute the line; if none of the traced ones does, by the most related of all."""
        path = tree.root / mutant.path
        tests = covering.tests(mutant.path, path.read_text("utf-8"), mutant.line)
        self._limits[mutant.area] = LEAST_SECONDS / PATIENCE + covering.seconds(tests)
        if not tests:
            tests = ordered_tests(tree.root, area.tests, mutant.path).first
            self._limits[mutant.area] = MOST_SECONDS
        if not tests:
            return SURVIVED, 0.0
        stages = [(mutant.area, self._tests_command(tests))]
        outcome, seconds = self._stages(stages, tree, log)
        if outcome == KILLED:  # a busy machine may fail a test, but not twice
            outcome, again = self._stages(stages, tree, log)
            seconds += again
        return outcome, seconds

    def _by_tests(self, tree: Tree, area: Area, mutant: Mutant, log: Path) -> tuple[str, float]:
        if not area.tests:
            return NOT_JUDGED, 0.0
        if self._covering is not None:
            return self._by_covering(tree, area, self._covering[area.name], mutant, log)
        first, others = ordered_tests(tree.root, area.tests, mutant.path)
        groups = [first] if self._quick and first else [first, others]
        stages = [(area.tests[0], self._tests_command(files)) for files in groups if files]
        return self._stages(stages, tree, log)

    def _stages(
        self, stages: Sequence[tuple[str, list[str]]], tree: Tree, log: Path
    ) -> tuple[str, float]:
        seconds = 0.0
        if not stages:
            return NOT_JUDGED, seconds
        for name, command in stages:
            limit = PATIENCE * self._limits.get(name, LEAST_SECONDS)
            limit = min(max(LEAST_SECONDS, limit), MOST_SECONDS)
            outcome = self._commands.run(
                command, tree=tree.root, log=log, timeout=limit, env=tree.environment
            )
            seconds += outcome.seconds
            if outcome.exit_code != 0:
                return (TIMED_OUT if outcome.exit_code is None else KILLED), seconds
        return SURVIVED, seconds

    def _suite_command(self, run: SuiteRun, jobs: int | None = None) -> list[str]:
        command = [str(self._python), "-m", "arcrun_conformance", "run", "--suite", run.suite]
        command += ["--jobs", str(jobs or (6 if self._covering is None else 4))]
        command += ["--sdk", ",".join(run.sdks)] if run.sdks else []
        for scenario in run.scenarios:
            command += ["--scenario", scenario]
        return command

    def _tests_command(self, files: Sequence[str]) -> list[str]:
        options = ("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider")
        return [str(self._python), "-m", "pytest", *options, *files]


def failed_scenarios(folder: Path) -> tuple[str, ...]:
    """Return the scenarios that a report of the suite calls failed; none if there is no report."""
    report = folder / "conformance.json"
    if not report.exists():
        return ()
    cells = json.loads(report.read_text("utf-8"))["cells"]
    failed = (cell["scenario"] for cell in cells if cell["outcome"] not in {"passed", "skipped"})
    return tuple(dict.fromkeys(failed))


def _stage(run: SuiteRun) -> str:
    return f"{run.suite} suite {','.join(run.sdks)}".rstrip()


def _one_run(area: Area) -> list[SuiteRun]:
    """Return the run of the suite that is about an area, with one SDK."""
    return [replace(run, sdks=run.sdks[:1]) for run in area.suites[:1]]


def _parts(folders: Mapping[str, Path], count: int) -> list[list[tuple[str, Path]]]:
    """Return the test files that have no traces yet in so many parts; none that is empty."""
    missing = [(path, folder) for path, folder in folders.items() if not folder.exists()]
    return [missing[first::count] for first in range(min(count, len(missing)))]
