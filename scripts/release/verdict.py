"""Decide again, from the parts of the evidence, whether a rehearsal was GO: what it says of itself is not believed.

The parts are the steps that it records, the files beside it, whose hashes it has, and those in `reports/`. The
conformance suite's gate is applied to the reports once more, and the figures of the steps are compared with what the
reports show.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts import ROOT, processes
from scripts.fuzz.coverage import OWN_KEY, PHASES, operations
from scripts.fuzz.run import CONTRACT
from scripts.rehearsal import StepFailed
from scripts.release import sbom
from scripts.release.artifacts import sha256
from scripts.release.steps import steps
from scripts.release.suite import conformance_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scripts.rehearsal import Figures

    Evidence = Mapping[str, Any]

_SUITES = {
    "conformance": "conformance/conformance.json",
    "engine_suite": "engine-suite/conformance.json",
}
_FUZZ = "fuzz/fuzz.json"
# Of the figures that a step records, those that its results show.
_FUZZ_FIGURES = ("operations", "cases", "seed")
# The harness's own gate, in a process that can import it; it prints the reasons against GO.
_GATE = """
import datetime, json, pathlib, sys, yaml
from arcrun_conformance import gate
report = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
path = pathlib.Path(sys.argv[2])
# A report has the scenarios of its suite only; one that the gate needs and that did not run is a reason.
contracts = yaml.safe_load(path.read_text("utf-8"))["contracts"].values()
named = [each for columns in contracts for names in columns.values() for each in names]
try:
    needed = gate.load(path, named, report["gate"]["contract"])
except gate.DocumentError as error:
    print(json.dumps([each.message for each in error.problems]))
else:
    print(json.dumps(gate.judge(needed, report, datetime.date.fromisoformat(sys.argv[3])).reasons))
"""


class Verdict(NamedTuple):
    """What the parts of the evidence lead to: GO if there is no reason against it.

    Attributes:
        reasons: Why it is NO-GO, a sentence each.
        files: How many files were compared.
    """

    reasons: list[str]
    files: int


def recompute(evidence: Evidence, folder: Path, work: Path) -> Verdict:
    """Return the verdict that the parts of valid evidence lead to.

    Args:
        evidence: The evidence, as `read_evidence` returns it.
        folder: The folder that has its results; `reports/` is beside it.
        work: A temporary folder.
    """
    listed = [(folder, each) for each in evidence["results"]]
    listed += [(folder.parent / "reports", each) for each in evidence["reports"]]
    reasons = [
        *_steps(evidence),
        *_tree(evidence),
        *(reason for where, each in listed for reason in _changed(where, each)),
    ]
    if not reasons:  # results that were changed, or are not there, show nothing
        reasons = [*_results(evidence, folder, work), *_sboms(evidence, folder)]
    if evidence["decision"] == "GO" and reasons:
        reasons.append("the evidence says GO, and its parts do not")
    if evidence["decision"] != "GO":
        reasons.append(f"the rehearsal of {evidence['version']} ended with {evidence['decision']}")
    return Verdict(reasons, len(listed))


def _steps(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong with the recorded steps: one is missing, did not pass, or is none of this version."""
    expected = [each.name for each in steps(python_only=evidence["scope"] == "python")]
    recorded = [each["name"] for each in evidence["steps"]]
    for name in expected:
        if name not in recorded:
            yield f"the step {name} is not in the evidence: it did not run, or was removed"
    for each in evidence["steps"]:
        if each["status"] != "passed" or each["problem"]:
            yield f"the step {each['name']} did not pass: it {each['status']}"
        if each["name"] not in expected:
            yield (
                f"the step {each['name']} is none of this checkout: "
                f"check out v{evidence['version']}, and verify there"
            )
    if sorted(recorded) == sorted(expected) and recorded != expected:
        yield "the steps are in another order than they run"


def _tree(evidence: Evidence) -> Iterator[str]:
    state = evidence["git"]
    if state["dirty"] or state["changed"]:
        changed = ", ".join(state["changed"]) or "it changed during the rehearsal"
        yield f"the working tree was not the commit {state['commit']}: {changed}"


def _changed(folder: Path, entry: Mapping[str, str]) -> Iterator[str]:
    """Yield that a file is not there, or not as it was."""
    path = folder / entry["file"]
    shown = f"{folder.name}/{entry['file']}"
    if not path.resolve().is_relative_to(folder.resolve()):
        yield f"the evidence names {entry['file']}, which is outside of its folder"
    elif not path.is_file():
        yield f"{shown} is not there, and the evidence lists it"
    elif (found := sha256(path)) != entry["sha256"]:
        yield (
            f"{shown} was changed after the rehearsal: its SHA-256 is {found}, "
            f"and the evidence says {entry['sha256']}"
        )


def _results(evidence: Evidence, folder: Path, work: Path) -> Iterator[str]:
    """Yield how the results of the steps contradict GO, or what the steps record."""
    recorded = {each["name"]: each["figures"] for each in evidence["steps"]}
    files = {each["file"] for each in evidence["results"]}
    for step, name in {**_SUITES, "fuzz": _FUZZ}.items():
        if name not in files:
            yield f"the evidence has no {name}, which the step {step} writes"
            continue
        document = json.loads((folder / name).read_text("utf-8"))
        try:
            if step == "fuzz":
                shown: Figures = _fuzzed(document)
            else:
                if (document["suite"] == "engine") != (step == "engine_suite"):
                    raise StepFailed(f"it is the report of the suite {document['suite']}")  # noqa: TRY301
                _require_gate(evidence, document, folder / name, work)
                shown = conformance_figures(document, evidence["version"])
        except StepFailed as problem:
            yield f"{name}: {problem}"
        except (KeyError, TypeError, StopIteration) as error:
            yield f"{name} is no report of the step {step}: {type(error).__name__} {error}"
        else:
            yield from _other_figures(step, recorded[step], shown)
    if recorded["versions"].get("version") != evidence["version"]:
        yield f"the step versions has found another version than {evidence['version']}"


def _fuzzed(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a report of the fuzzer.

    Raises:
        StepFailed: It has found something, or has not tested everything.
    """
    tested, phases = document["operations"]["tested"], document["phases"]
    if document["failures"] or document["errors"] or document["exit_code"] != 0:
        raise StepFailed("the fuzzer has found something")
    needed = len(operations(CONTRACT) - OWN_KEY)
    if not document["complete"] or tested != needed:
        raise StepFailed(f"the fuzzer has tested {tested} of {needed} operations of the contract")
    if missing := [name for name in PHASES if phases[name]["status"] != "success"]:
        raise StepFailed(f"the fuzzer did not end its phase {', '.join(missing)}")
    found = (tested, document["test_cases"]["generated"], document["seed"])
    return dict(zip(_FUZZ_FIGURES, found, strict=True))


def _require_gate(
    evidence: Evidence, document: Mapping[str, Any], report: Path, work: Path
) -> None:
    """Apply the gate to a report once more, and check that it is about the files of the release.

    Raises:
        StepFailed: It is NO-GO, or about other files.
    """
    ours = {each["file"]: each["sha256"] for each in evidence["artifacts"]}
    tested = {each["file"]: each["sha256"] for each in document["artifacts"]}
    if others := sorted(name for name, digest in ours.items() if tested.get(name) != digest):
        raise StepFailed(f"it is not about these bytes of {', '.join(others)}")
    day = str(evidence["finished_at"])[:10]
    gate = ROOT / "conformance" / "gate.yaml"
    try:
        printed = processes.run(
            [sys.executable, "-c", _GATE, str(report), str(gate), day],
            log=work / "gate.log",
            env={"PYTHONPATH": str(ROOT / "conformance" / "src")},
        )
    except processes.CommandFailed as failed:
        raise StepFailed(f"the gate can't be applied to it: {failed}") from None
    reasons: list[str] = json.loads(printed)
    if reasons:
        more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        raise StepFailed(f"the gate says NO-GO: {'; '.join(reasons[:3])}{more}")


def _other_figures(step: str, recorded: Figures, shown: Figures) -> Iterator[str]:
    for name, value in shown.items():
        if recorded.get(name) != value:
            yield (
                f"the step {step} records {name} = {recorded.get(name)}, "
                f"and its results show {value}"
            )


def _sboms(evidence: Evidence, folder: Path) -> Iterator[str]:
    """Yield which package has no bill of materials, or one that is not about its files."""
    results = {each["file"] for each in evidence["results"]}
    for package in dict.fromkeys(each["package"] for each in evidence["artifacts"]):
        name = evidence["sboms"].get(package)
        if name not in results:
            yield f"{package} has no bill of materials in the evidence"
            continue
        try:
            bom = sbom.require_valid((folder / name).read_text("utf-8"), name)
        except sbom.SbomInvalid as problem:
            yield str(problem)
            continue
        ours = {
            each["file"]: each["sha256"]
            for each in evidence["artifacts"]
            if each["package"] == package
        }
        if sbom.subjects(bom) != ours:
            yield f"{name} is not about the files of {package} that the evidence lists"
