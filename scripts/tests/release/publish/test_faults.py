"""The table of steps and faults: it is complete, and each kind of defect in the machine makes an entry fail."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts import ROOT
from scripts.release.npm import tools
from scripts.release.publish import approve, faults, github, machine, npm, pypi
from scripts.release.publish import record as records
from scripts.release.publish.publication import Outcome
from scripts.release.publish.state import TRANSITIONS

OK = Outcome("nobody has looked")


@pytest.mark.parametrize("kind", faults.KINDS)
@pytest.mark.parametrize("step", machine.STEPS)
def test_every_step_meets_every_fault_or_says_why_it_can_not(step: str, kind: str) -> None:
    met = [case.name for case in faults.cases() if (case.step, case.kind) == (step, kind)]
    assert bool(met) is ((step, kind) not in faults.NOT_MET)


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len(faults.checks()) == len(faults.cases())


def test_the_table_says_how_many_were_survived() -> None:
    names = ["names: killed, before", "names: killed, done but not recorded"]
    *_, last = faults.table(names, names[:1])
    assert last == "steps × faults: survived 1 of 2 = 50 %"
    assert [line.split()[1:3] for line in faults.table(names, names) if "names " in line] == [
        ["2/2", "·"]
    ]


class Defect(NamedTuple):
    """A defect of the machine, and the entry that it makes fail."""

    name: str
    plant: Callable[[pytest.MonkeyPatch], None]
    entry: str
    says: str


DEFECTS = (
    Defect(
        "files are sent without asking what is there",
        lambda patch: patch.setattr(pypi, "missing", _everything_once()),
        "pypi_upload: half of it there since yesterday",
        "it does not say 'uploaded 5'",
    ),
    Defect(
        "a stage is made without asking for one",
        lambda patch: patch.setattr(npm, "_staged_before", lambda *_: None),
        "npm_stage: 5xx after it was stored",
        "npm was sent a second stage",
    ),
    Defect(
        "nobody counts the days",
        lambda patch: patch.setattr(pypi, "_require_open", lambda *_: None),
        "pypi_upload: half of it there for 15 days",
        "not stuck",
    ),
    Defect(
        "names are asked for only once",
        lambda patch: patch.setattr(pypi, "ask_names", lambda *_: None),
        "pypi_upload: npm's name taken in between",
        "it does not say",
    ),
    Defect(
        "the approver does not compare the stage",
        lambda patch: patch.setattr(approve, "_compared", lambda *_: None),
        "approval: npm has other bytes in the stage",
        "not staged",
    ),
    Defect(
        "what PyPI gives out is not downloaded",
        lambda patch: patch.setattr(pypi, "_download", lambda *_: None),
        "pypi_verify: PyPI gives out other bytes",
        "not stuck",
    ),
    Defect(
        "an attestation is not asked for",
        lambda patch: patch.setattr(pypi, "_require_provenance", lambda *_: None),
        "pypi_verify: the attestation is about other bytes",
        "not stuck",
    ),
    Defect(
        "what npm gives out is not verified",
        lambda patch: patch.setitem(machine.STEPS, "npm_verify", lambda *_: OK),
        "npm_verify: npm gives out other bytes",
        "not stuck",
    ),
    Defect(
        "the release on GitHub is not made",
        lambda patch: patch.setitem(machine.STEPS, "github_release", lambda *_: OK),
        "github_release: registries down",
        "GitHub has no such release",
    ),
    Defect(
        "a file that GitHub has is not compared",
        lambda patch: patch.setattr(github, "sha256", lambda _: "other"),
        "github_release: GitHub has another file",
        "not stuck",
    ),
    Defect(
        "a failure is taken for success",
        lambda patch: patch.setattr(machine, "PASSING", ()),
        "npm_verify: registries down",
        "",
    ),
    Defect(
        "a stage that is lost ends the publication",
        lambda patch: patch.setitem(TRANSITIONS, ("pypi_verified", "stage_lost"), "stuck"),
        "pypi_upload: the stage expired",
        "",
    ),
    Defect(
        "the record is not written",
        lambda patch: patch.setattr(records, "write", lambda *_: None),
        "names: registries down",
        "not begun",
    ),
)


def _everything_once() -> Callable[..., object]:
    """Return a `missing` that says once that PyPI lacks everything."""
    asked, honest = [], pypi.missing

    def missing(publication: object, there: object) -> object:
        asked.append(there)
        return publication.python if len(asked) == 1 else honest(publication, there)

    return missing


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_of_the_machine_makes_an_entry_fail(
    defect: Defect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    try:
        tools.program("npm")
    except tools.NodeMissing as missing:
        pytest.skip(str(missing))
    check = faults.checks()[defect.entry]
    defect.plant(monkeypatch)
    try:
        wrong = check(tmp_path)
    except Exception as error:  # noqa: BLE001 - `release_faults` takes it for a fault that was missed
        wrong = [repr(error)]
    assert wrong
    assert defect.says in " ".join(wrong)


def test_the_faults_are_a_group_of_the_release_faults() -> None:
    command = [sys.executable, "-m", "scripts.release.faults", "--only", "publish", "--list"]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert ran.stdout.splitlines() == [f"publish: {name}" for name in faults.checks()]
