"""What evidence says of itself is compared with what a rehearsal leaves."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from scripts.release import claims, git
from scripts.release.publish import tiny
from scripts.release.steps import steps
from scripts.release.versions import PACKAGES
from scripts.tests.release.test_git import run

NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
STEPS = [each.name for each in steps(python_only=False)]


def evidence(names: list[str]) -> dict[str, Any]:
    """Return evidence with these steps."""
    passed = {"status": "passed", "problem": None, "seconds": 1.0}
    return {
        "scope": "everything",
        "version": "1.2.3",
        "steps": [{"name": name, **passed} for name in names],
    }


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (STEPS[::-1] * 2, "the step versions is in the evidence 2 times, and runs once"),
        (STEPS * 2, "the step tests is in the evidence 2 times, and runs once"),
        ([*STEPS, STEPS[0]], "the step versions is in the evidence 2 times, and runs once"),
        (STEPS[::-1], "the steps are in another order than they run: npm_tests is too early"),
        ([STEPS[1], STEPS[0], *STEPS[2:]], "another order than they run: compatibility is too early"),
        (STEPS[1::-1], "another order than they run: compatibility is too early"),
        (STEPS[1:], "the step versions is not in the evidence: it did not run, or was removed"),
        ([*STEPS, "dance"], "the step dance is none of this checkout: check out v1.2.3"),
    ],
)  # fmt: skip
def test_steps_that_are_not_exactly_those_of_the_checkout_are_named(
    names: list[str], says: str
) -> None:
    found = list(claims.wrong_steps(evidence(names)))
    assert any(says in each for each in found), found


def test_the_steps_of_the_checkout_in_their_order_are_right() -> None:
    assert list(claims.wrong_steps(evidence(STEPS))) == []
    of_python = [each.name for each in steps(python_only=True)]
    assert list(claims.wrong_steps({**evidence(of_python), "scope": "python"})) == []


def times(**given: Any) -> dict[str, Any]:
    """Return evidence of a rehearsal that began a minute ago, and took ten seconds."""
    begin = dt.datetime.now(dt.timezone.utc).replace(microsecond=0) - dt.timedelta(minutes=1)
    recorded = {
        "run": f"{begin:%Y%m%dT%H%M%SZ}-00abcd",
        "finished_at": (begin + dt.timedelta(seconds=10)).isoformat(),
        "seconds": 10.0,
        "git": {"commit": "0" * 40},
    }
    return {**evidence(STEPS[:9]), **recorded, **given}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"finished_at": "1999-12-31T23:59:59+00:00"}, "can't have ended at 1999-12-31 23:59:59+00:00: it began at"),
        ({"finished_at": (NOW + dt.timedelta(days=1)).isoformat()}, "which is in the future"),
        ({"seconds": 1000.0}, "as its id says, and took 1000 s"),
        ({"run": "00010101T000000Z-00abcd"}, "it began at 0001-01-01 00:00:00+00:00, as its id says, and took 10 s"),
        ({"seconds": 7.0}, "the steps took 9 s, and the rehearsal 7 s"),
    ],
)  # fmt: skip
def test_times_that_can_not_be_are_named(given: dict[str, Any], says: str, tmp_path: Path) -> None:
    (found,) = claims.wrong_times(times(**given), tmp_path)
    assert says in found


def test_a_rehearsal_does_not_begin_before_its_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet")
    run(tmp_path, "commit", "--quiet", "--allow-empty", "--message=now")
    commit = git.head_commit(tmp_path)
    assert list(claims.wrong_times(times(git={"commit": commit}), tmp_path)) == []
    early = {"run": "19991231T235900Z-00abcd", "finished_at": "1999-12-31T23:59:59+00:00"}
    (found,) = claims.wrong_times(times(git={"commit": commit}, **early), tmp_path)
    assert found.endswith(f"before its commit {commit[:12]} was made")
    assert (
        list(claims.wrong_times(times(**early), tmp_path)) == []
    )  # a commit of another repository


def test_files_of_a_release_have_the_names_that_the_builds_give_them(tmp_path: Path) -> None:
    made = [write(tmp_path, each) for each in PACKAGES for write in (tiny.wheel, tiny.sdist)]
    made.append(tiny.npm_tarball(tmp_path))
    assert list(claims.release_files(tiny.VERSION, npm=True)) == [each.name for each in made]
    assert len(claims.release_files(tiny.VERSION, npm=False)) == len(made) - 1
