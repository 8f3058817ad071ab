import sys
from pathlib import Path

import pytest

from scripts import ROOT, processes
from scripts.rehearsal import StepFailed
from scripts.release import unit_tests
from scripts.release.python.install import CleanEnvironment


def run(tmp_path: Path, tests: str) -> str:
    """Run a file of tests as the step does, with pytest."""
    path = tmp_path / "test_it.py"
    path.write_text(tests, "utf-8")
    variables = unit_tests._programs(CleanEnvironment("tests", Path(sys.prefix)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    log = tmp_path / "log"
    return unit_tests._run(command, tmp_path, variables, log, unit_tests._PYTEST_FAILED)


def test_the_number_of_tests_that_passed_is_counted(tmp_path: Path) -> None:
    printed = run(tmp_path, "def test_a(): pass\ndef test_b(): pass\n")
    assert unit_tests._count(unit_tests._PYTEST_PASSED, printed) == 2


def test_tests_that_fail_are_named(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"1 tests failed:\n +.*test_it\.py::test_b.*\nfull log: "):
        run(tmp_path, "def test_a(): pass\ndef test_b(): assert False\n")


def test_what_tests_leave_is_removed(tmp_path: Path) -> None:
    with unit_tests._temporary_folder() as temporary:
        folder = Path(temporary["TMPDIR"])
        leaving = tmp_path / "leaving.py"
        leaving.write_text("import tempfile; print(tempfile.mkstemp()[1])")
        left = processes.run([sys.executable, str(leaving)], log=tmp_path / "log", env=temporary)
        assert Path(left.strip()).parent == folder
    assert not folder.exists()


def test_where_no_test_passed_nothing_is_proved(tmp_path: Path) -> None:
    skipped = "import pytest\n@pytest.mark.skip\ndef test_a(): pass\n"
    with pytest.raises(StepFailed, match="nothing is proved"):
        unit_tests._count(unit_tests._PYTEST_PASSED, run(tmp_path, skipped))


def test_the_figures_of_vitest_are_those_of_the_tests_not_of_their_files() -> None:
    printed = " Test Files  30 passed (30)\n      Tests  842 passed | 1 skipped (843)\n"
    assert unit_tests._count(unit_tests._VITEST_PASSED, printed) == 842
    failed = " FAIL  tests/core/nearest.test.ts > what is nearest\n"
    assert unit_tests._VITEST_FAILED.findall(failed) == [
        "tests/core/nearest.test.ts > what is nearest"
    ]


def test_the_tests_of_the_javascript_sdk_find_what_they_read_and_what_was_built(
    tmp_path: Path,
) -> None:
    built = tmp_path / "built"
    (built / "dist").mkdir(parents=True)
    (built / "dist" / "index.js").write_text("建")
    (built / "node_modules").mkdir()
    folder = unit_tests._tree(ROOT, built, tmp_path / "tree")
    assert (folder / "dist" / "index.js").read_text() == "建"
    assert (folder / "node_modules").resolve() == built / "node_modules"
    assert (folder / "../../README.md").is_file()
    assert (folder / "../../conformance/vectors/sealing-v1.json").is_file()
    assert (folder / "tests" / "readme.test.ts").is_file()
