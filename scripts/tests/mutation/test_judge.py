import json
from pathlib import Path
from typing import Any

import pytest

from scripts.mutation.areas import Area, SuiteRun
from scripts.mutation.commands import Outcome
from scripts.mutation.covering import Covering
from scripts.mutation.generate import Mutant
from scripts.mutation.judge import (
    KILLED,
    NOT_JUDGED,
    SURVIVED,
    TIMED_OUT,
    BaselineFailed,
    Judge,
    Verdict,
)
from scripts.mutation.tree import Tree

PATH = "scripts/some/retry.py"
AREA = Area("a", (PATH,), ("tests",), (SuiteRun("engine"), SuiteRun("sdk", ("x", "y"))))
MUTANT = Mutant("a", PATH, 1, "AddNot", 0)


class Programs:
    """Ends programs with the exit code of the first word that is in their command line."""

    def __init__(self, **exit_codes: int | None) -> None:
        self.exit_codes, self.commands = exit_codes, []

    def run(self, command: list[str], **_: Any) -> Outcome:
        self.commands.append(" ".join(command))
        for word, exit_code in self.exit_codes.items():
            if word in command or any(f"/test_{word}.py" in part for part in command):
                return Outcome(exit_code, 1)
        return Outcome(0, 1)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "tests").mkdir()
    for name in ("retry", "other"):
        (tmp_path / f"tests/test_{name}.py").write_text("")
    return Tree(tmp_path)


def judged(tree: Tree, area: Area = AREA, **exit_codes: int | None) -> tuple[Verdict, list[str]]:
    programs: Any = Programs(**exit_codes)
    verdict = Judge(programs, Path("python"), {}).judge(tree, area, MUTANT, tree.root / "log")
    return verdict, programs.commands


def test_what_passes_everything_survives(tree: Tree) -> None:
    verdict, commands = judged(tree)
    assert (verdict.suite, verdict.tests, verdict.survived) == (SURVIVED, SURVIVED, True)
    related, engine, sdk, first, others = commands
    assert "--suite sdk --jobs 6 --sdk x --scenario retry-*" in related
    assert "--suite engine" in engine
    assert sdk.endswith("--sdk x,y")
    assert first.endswith("tests/test_retry.py")
    assert others.endswith("tests/test_other.py")


def test_the_first_failure_is_enough_and_the_tests_are_run_all_the_same(tree: Tree) -> None:
    verdict, commands = judged(tree, sdk=1, retry=1)
    assert (verdict.suite, verdict.tests, verdict.survived) == (KILLED, KILLED, False)
    assert len(commands) == 2


def test_a_time_out_is_noticed(tree: Tree) -> None:
    verdict, _ = judged(tree, other=None)
    assert (verdict.suite, verdict.tests, verdict.survived) == (SURVIVED, TIMED_OUT, False)


def test_without_a_suite_only_the_tests_judge(tree: Tree) -> None:
    verdict, commands = judged(tree, Area("a", (PATH,), ("tests",)), other=1)
    assert (verdict.suite, verdict.tests) == (NOT_JUDGED, KILLED)
    assert len(commands) == 2


def test_without_tests_only_the_suite_judges(tree: Tree) -> None:
    verdict, commands = judged(tree, Area("a", (PATH,), (), (SuiteRun("engine"),)), engine=1)
    assert (verdict.suite, verdict.tests, verdict.survived) == (KILLED, NOT_JUDGED, False)
    assert len(commands) == 1


@pytest.mark.parametrize("failing", ["engine", "retry", "-c"])
def test_what_fails_without_a_mutant_ends_the_session(tree: Tree, failing: str) -> None:
    programs: Any = Programs(**{failing: 1})
    judge = Judge(programs, Path("python"), {})
    with pytest.raises(BaselineFailed):
        judge.baseline(tree, [AREA], {PATH}, tree.root / "log")


def test_the_baseline_runs_every_suite_and_test_that_judges(tree: Tree) -> None:
    programs: Any = Programs()
    limits: dict[str, float] = {}
    Judge(programs, Path("python"), limits).baseline(tree, [AREA], {PATH}, tree.root / "log")
    assert limits == {"engine suite": 1, "sdk suite x,y": 1, "tests": 1}
    assert "tests/test_other.py tests/test_retry.py" in programs.commands[-1]


def test_what_nothing_was_run_for_is_not_judged(tree: Tree) -> None:
    programs: Any = Programs()
    area = Area("unrelated", ("scripts/some/a.py",), ("tests",), (SuiteRun("engine"),))
    judge = Judge(programs, Path("python"), {}, quick=True)
    assert judge.by_suite(tree, area, "scripts/some/a.py", tree.root / "log") == (NOT_JUDGED, 0.0)


SUITES = (SuiteRun("sdk", ("x", "y")), SuiteRun("engine"))


def judged_fast(
    tree: Tree, covering: Covering, programs: Any = None, **exit_codes: int | None
) -> tuple[Verdict, str]:
    """Judge a mutant of the function in a module the fast way."""
    path = tree.root / PATH
    path.parent.mkdir(parents=True)
    path.write_text("def f():\n    return 1\n")
    programs = programs or Programs(**exit_codes)
    judge = Judge(programs, Path("python"), {}, covering={"a": covering})
    mutant = Mutant("a", PATH, 2, "AddNot", 0)
    area = Area("a", (PATH,), ("tests",), SUITES)
    return judge.judge(tree, area, mutant, tree.root / "log"), "\n".join(programs.commands)


def test_the_fast_way_runs_the_tests_of_the_line_and_one_run_of_the_suite(tree: Tree) -> None:
    seconds = dict.fromkeys(("t.py::a", "t.py::b", "t.py::c"), 0.1)
    covering = Covering({PATH: {1: ("t.py::a",), 2: ("t.py::b", "t.py::c")}}, seconds)
    verdict, commands = judged_fast(tree, covering)
    assert (verdict.suite, verdict.tests) == (SURVIVED, SURVIVED)
    related, whole, tests = commands.splitlines()
    assert "--suite sdk --jobs 4 --sdk x --scenario retry-*" in related
    assert "--sdk x --fail-fast --report-dir" in whole
    assert tests.endswith("t.py::b t.py::c")


def test_the_fast_way_ends_with_the_first_failure(tree: Tree) -> None:
    covering = Covering({PATH: {2: ("t.py::b",)}}, {"t.py::b": 0.1})
    verdict, commands = judged_fast(tree, covering, sdk=1, pytest=1)
    assert (verdict.suite, verdict.tests) == (KILLED, KILLED)
    suite, tests, again = commands.splitlines()
    assert "--fail-fast" in suite
    assert tests == again, "what fails on a busy machine passes the second time"


def test_a_test_that_passes_the_second_time_has_not_noticed_the_mutant(tree: Tree) -> None:
    class BusyTests(Programs):
        def run(self, command: list[str], **options: Any) -> Outcome:
            first = "pytest" in command and " ".join(command) not in self.commands
            return Outcome(1 if first else 0, super().run(command, **options).seconds)

    covering = Covering({PATH: {2: ("t.py::b",)}}, {"t.py::b": 0.1})
    verdict, _ = judged_fast(tree, covering, BusyTests())
    assert (verdict.suite, verdict.tests) == (SURVIVED, SURVIVED)


class BusySuite(Programs):
    """A suite of which one scenario fails beside others, and some times or never when it is run alone."""

    def __init__(self, alone: int) -> None:
        super().__init__()
        self.alone = alone

    def run(self, command: list[str], **_: Any) -> Outcome:
        self.commands.append(" ".join(command))
        if "--report-dir" not in command:
            return Outcome(self.alone, 1)
        outcomes = {"quick": "passed", "timed": "failed", "other": "skipped"}
        cells = [{"scenario": name, "outcome": outcome} for name, outcome in outcomes.items()]
        folder = Path(command[command.index("--report-dir") + 1])
        (folder / "conformance.json").write_text(json.dumps({"cells": cells}))
        return Outcome(1, 1)


@pytest.mark.parametrize(("alone", "outcome", "runs"), [(0, SURVIVED, 6), (1, KILLED, 2)])
def test_what_passes_alone_has_not_noticed_the_mutant(
    tree: Tree, alone: int, outcome: str, runs: int
) -> None:
    suite: Any = BusySuite(alone)
    area = Area("unrelated", ("scripts/some/a.py",), ("tests",), SUITES)
    judge = Judge(suite, Path("python"), {}, covering={})
    found, seconds = judge.by_suite(tree, area, "scripts/some/a.py", tree.root / "log")
    assert (found, seconds, len(suite.commands)) == (outcome, runs, runs)
    assert suite.commands[1].endswith("--suite sdk --jobs 1 --sdk x --scenario timed")


def test_a_line_that_no_traced_test_executes_is_judged_by_the_most_related_tests(
    tree: Tree,
) -> None:
    covering = Covering({PATH: {1: ("t.py::a",)}}, {"t.py::a": 0.1})
    verdict, commands = judged_fast(tree, covering, sdk=1, retry=1)
    assert (verdict.suite, verdict.tests) == (KILLED, KILLED)
    assert commands.splitlines()[-1].endswith("tests/test_retry.py")


def test_a_line_that_no_test_is_related_to_survives_the_tests(tree: Tree) -> None:
    (tree.root / "tests/test_retry.py").unlink()
    verdict, commands = judged_fast(tree, Covering({}, {"t.py::a": 0.1}), sdk=1)
    assert (verdict.suite, verdict.tests) == (KILLED, SURVIVED)
    assert "pytest" not in commands


def test_the_fast_way_begins_with_a_traced_run_of_which_tests_must_pass(tree: Tree) -> None:
    programs: Any = Programs()
    area = Area("a", (PATH,), ("tests",), SUITES, ("tests/test_retry.py",))
    judge = Judge(programs, Path("python"), {}, covering={})
    with pytest.raises(BaselineFailed, match="a fails without a mutant"):
        judge.traced([tree], [area], tree.root / "kept", tree.root / "log")
    assert programs.commands[-1].endswith("tests/test_retry.py -p scripts.mutation.contexts")
    (kept,) = (tree.root / "kept").iterdir()
    programs.exit_codes = {"pytest": 3}
    with pytest.raises(BaselineFailed, match="the tests of a can't be traced"):
        judge.traced([tree], [area], tree.root / "elsewhere", tree.root / "log")
    programs.exit_codes = {}
    (kept / "1.json").write_text('{"tests/test_retry.py::test_a": 0.1}')
    begun = len(programs.commands)
    assert judge.traced([tree], [area], tree.root / "kept", tree.root / "log")["a"].passed == 1
    assert len(programs.commands) == begun + 1, "what was traced is not run again"


def test_the_fast_way_begins_with_one_run_of_the_suite_that_must_pass(tree: Tree) -> None:
    programs: Any = Programs()
    limits: dict[str, float] = {}
    judge = Judge(programs, Path("python"), limits, covering={})
    area = Area("a", (PATH,), ("tests",), SUITES)
    judge.suites_pass(tree, [area, area], tree.root / "log")
    assert limits == {"sdk suite x": 1}
    assert len(programs.commands) == 1
    programs.exit_codes = {"sdk": 1}
    with pytest.raises(BaselineFailed, match="sdk suite x fails without a mutant"):
        judge.suites_pass(tree, [area], tree.root / "log")
