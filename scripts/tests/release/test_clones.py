import sys
from pathlib import Path

import pytest

from scripts.release.clones import Ended, leave_old_results, nox, run, wrong_results


def test_how_a_program_ends_is_returned_also_if_it_fails(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print('壞了', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-X", "utf8", "-c", code]
    ended = run(command, tmp_path)
    assert ended == Ended(3, f"{tmp_path}\n", "壞了\n")
    assert ended.printed == f"{tmp_path}\n壞了\n"


def test_only_variables_that_are_given_reach_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; print(os.environ.get('HOME'), os.environ['A'])"]
    assert run(command, tmp_path, {"A": "b"}).out == "None b\n"


def test_old_results_must_not_outlive_a_whole_rehearsal(tmp_path: Path) -> None:
    leave_old_results(tmp_path)
    (tmp_path / "evidence/release.json").write_text("of this one")
    wrong = wrong_results(tmp_path, whole=True)
    assert "reports/index.html of an earlier rehearsal is still there" in wrong
    assert not [each for each in wrong if each.startswith("evidence/")]
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.unlink()
    assert wrong_results(tmp_path, whole=True) == []


def test_old_results_must_outlive_a_single_step(tmp_path: Path) -> None:
    leave_old_results(tmp_path)
    assert wrong_results(tmp_path, whole=False) == []
    (tmp_path / "reports/index.html").write_text("of this one")
    (tmp_path / "dist/arcrun-0.0.0.tar.gz").unlink()
    assert wrong_results(tmp_path, whole=False) == [
        "dist/arcrun-0.0.0.tar.gz of an earlier rehearsal is gone",
        "reports/index.html of an earlier rehearsal is gone",
    ]


def test_nox_is_the_one_that_runs_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCRUN_NOX_PYTHON", "/nox/python")
    assert nox() == ["/nox/python", "-m", "nox"]
    monkeypatch.delenv("ARCRUN_NOX_PYTHON")
    assert nox() == ["nox"]
