"""The faults of `nox -s release_faults` fit the sources: what they do is found by running it."""

import subprocess
from pathlib import Path

import pytest

from scripts.release import faults
from scripts.release.clones import clone
from scripts.release.interruptions import INTERRUPTED
from scripts.release.planted import FAULTS, Fault
from scripts.release.steps import STEPS, steps


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("faults") / "checkout")


def git(root: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return ran.stdout


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_changes_a_checkout_and_names_a_step_that_runs(
    checkout: Path, fault: Fault
) -> None:
    git(checkout, "reset", "--quiet", "--hard")
    git(checkout, "clean", "--quiet", "--force")
    assert git(checkout, "status", "--porcelain") == ""
    fault.add(checkout)
    assert git(checkout, "status", "--porcelain") != ""
    assert fault.step in {step.name for step in steps(python_only=not fault.with_npm)}


# Those of the first two steps take seconds each. Most others take longer: `nox -s release_faults` has them.
AT_ONCE = [fault.name for fault in FAULTS if fault.step in {"versions", "compatibility"}]


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_rehearsal_with_a_fault_of_the_first_steps_ends_there(name: str, tmp_path: Path) -> None:
    (check,) = (check for each, check in faults.checks().items() if each.startswith(f"{name}: "))
    assert check(tmp_path) == []


def test_rehearsals_are_interrupted_at_steps_that_exist() -> None:
    assert {each.step for each in INTERRUPTED} <= {step.name for step in STEPS}


def test_names_are_listed_and_one_that_nothing_has_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert faults.main(["--list", "--only", "a version"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a version of the npm package that differs: versions",
        "a version that differs: versions",
    ]
    with pytest.raises(SystemExit):
        faults.main(["--only", "no such fault"])
    assert "nothing has 'no such fault' in its name" in capsys.readouterr().err


def test_a_check_that_can_not_be_made_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(work: Path) -> list[str]:
        raise ValueError(f"{work.name} is broken")

    monkeypatch.setattr(faults, "checks", lambda: {"a fault": check})
    judged = faults._judge(("a fault", tmp_path / "0"))
    assert (judged.name, judged.wrong) == ("a fault", ["ValueError: 0 is broken"])


def test_tests_that_failed_are_found_in_the_log_of_their_step(tmp_path: Path) -> None:
    log = tmp_path / ".arcrun/release/runs/run/evidence/logs/tests.log"
    log.parent.mkdir(parents=True)
    assert faults._failed_tests(tmp_path) == ""
    log.write_text("$ pytest\nF\nFAILED a.py::test_a - 壞了\n  FAILED in a text\n", "utf-8")
    assert faults._failed_tests(tmp_path) == "FAILED a.py::test_a - 壞了"
