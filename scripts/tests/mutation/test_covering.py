import os
import subprocess
import sys
from pathlib import Path

from scripts import ROOT
from scripts.mutation.areas import Area
from scripts.mutation.contexts import FOLDER, SOURCES, folder_of
from scripts.mutation.covering import SECONDS, Covering, Traces, executed_with, keep

SOURCE = """\
LIMIT = 3

@decorated(
    LIMIT
)
def twice(
    number=LIMIT,
):
    if (
        number
        > LIMIT
    ):
        return (
            number
        )
    return number * 2


class Thing:
    size = 3

    def grow(self):
        self.size += 1
"""


def test_a_statement_is_executed_as_a_whole_and_without_its_block() -> None:
    assert executed_with(SOURCE, 11) == range(9, 13)
    assert executed_with(SOURCE, 14) == range(13, 16)
    assert executed_with(SOURCE, 16) == range(16, 17)
    assert executed_with(SOURCE, 23) == range(23, 24)


def test_what_an_import_executes_has_no_lines_of_its_own() -> None:
    for line in (1, 4, 7, 20):
        assert executed_with(SOURCE, line) is None


def test_the_fastest_tests_of_a_line_are_first() -> None:
    covering = Covering(
        {"a.py": {1: (), 16: ("slow", "fast"), 23: ("other",)}},
        {"slow": 2.0, "fast": 0.1, "other": 1.0},
    )
    assert covering.passed == 3
    assert covering.tests("a.py", SOURCE, 16) == ["fast", "slow"]
    assert covering.tests("a.py", SOURCE, 14) == []
    assert covering.tests("a.py", SOURCE, 1) == ["fast", "other", "slow"]
    assert covering.seconds(["fast", "slow"]) == 2.1


def test_the_users_of_what_an_import_defines_are_first() -> None:
    covering = Covering({"a.py": {11: ("slow",), 23: ("other",)}}, {"slow": 2.0, "other": 1.0})
    assert covering.tests("a.py", SOURCE, 1) == ["slow", "other"]
    assert covering.tests("a.py", SOURCE, 20) == ["other", "slow"]


def test_a_test_that_failed_without_a_mutant_judges_none() -> None:
    covering = Covering({"a.py": {16: ("passed", "failed")}}, {"passed": 0.1})
    assert covering.tests("a.py", SOURCE, 16) == ["passed"]


def test_tests_that_take_long_together_are_not_all_run() -> None:
    seconds = {"a": 1.0, "b": SECONDS, "c": SECONDS}
    covering = Covering({"a.py": {16: seconds}}, seconds)
    assert covering.tests("a.py", SOURCE, 16) == ["a"]
    alone = Covering({"a.py": {16: ("c",)}}, {"c": SECONDS + 1})
    assert alone.tests("a.py", SOURCE, 16) == ["c"]


def traced(folder: Path, module: Path) -> int:
    """Trace the tests of a folder; return the exit code."""
    (folder / "traces").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "scripts.mutation.contexts", str(folder)],
        cwd=folder,
        check=False,
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder))),
            FOLDER: str(folder / "traces"),
            SOURCES: str(module),
        },
    )
    return done.returncode


def test_a_traced_run_tells_the_tests_of_each_line_for_each_file(tmp_path: Path) -> None:
    module = tmp_path / "halves.py"
    module.write_text("def half(n):\n    if n % 2:\n        return None\n    return n // 2\n")
    (tmp_path / "test_it.py").write_text(
        "from halves import half\n"
        "def test_odd(): assert half(3) is None\n"
        "def test_even(): assert half(4) == 2\n"
        "def test_wrong(): assert half(6) == 2\n"
    )
    (tmp_path / "test_other.py").write_text(
        "from halves import half\ndef test_zero(): assert half(0) == 0\n"
    )
    (tmp_path / "test_elsewhere.py").write_text("def test_nothing(): assert 1\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error:No data was collected\n")
    assert traced(tmp_path, module) == 1
    for name in ("test_elsewhere.py", "test_it.py", "test_other.py", "test_without_tests.py"):
        keep(tmp_path / "traces" / folder_of(name), tmp_path / "kept" / name, tmp_path)
    covering = Covering.read(
        [tmp_path / "kept/test_it.py", tmp_path / "kept/test_without_tests.py"]
    )
    source = module.read_text()
    both = {"test_it.py::test_even", "test_it.py::test_odd"}
    assert covering.passed == 2
    assert set(covering.tests("halves.py", source, 2)) == both
    assert covering.tests("halves.py", source, 3) == ["test_it.py::test_odd"]
    assert covering.tests("halves.py", source, 4) == ["test_it.py::test_even"]
    assert 0 < covering.seconds(both) < SECONDS
    elsewhere = Covering.read([tmp_path / "kept/test_elsewhere.py"])
    assert (elsewhere.passed, elsewhere.tests("halves.py", source, 2)) == (1, [])
    other = Covering.read([tmp_path / "kept/test_other.py"])
    assert other.tests("halves.py", source, 4) == ["test_other.py::test_zero"]


def test_traces_are_kept_until_the_tests_or_the_modules_change(tmp_path: Path) -> None:
    area = Area("a", ("m.py",), (), (), ("tests", "test_more.py"))
    for name in ("m.py", "tests/test_a.py", "tests/test_b.py", "test_more.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1\n")
    traces = Traces(tmp_path / "kept", tmp_path)
    before = traces.of(area)
    assert sorted(before) == ["test_more.py", "tests/test_a.py", "tests/test_b.py"]
    assert len(set(before.values())) == 3
    (tmp_path / "tests/test_a.py").write_text("2\n")
    after = traces.of(area)
    assert {path for path in before if before[path] != after[path]} == {"tests/test_a.py"}
    (tmp_path / "m.py").write_text("2\n")
    assert not set(traces.of(area).values()) & set(after.values())
