"""The faults of `nox -s release_faults` fit the sources: what they do is found by running it."""

import subprocess
from pathlib import Path

import pytest

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


def test_rehearsals_are_interrupted_at_steps_that_exist() -> None:
    assert {step for step, _, _ in INTERRUPTED} <= {step.name for step in STEPS}
