"""Decide again, from the parts of the evidence, whether a rehearsal was GO: what it says of itself is not believed.

The parts are the steps that it records, the files beside it, whose hashes it has, and those in `reports/`. The
conformance suite's gate is applied to the reports once more, and the figures of the steps are compared with what the
reports show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scripts import ROOT
from scripts.fuzz.coverage import OWN_KEY, PHASES, operations
from scripts.fuzz.run import CONTRACT
from scripts.rehearsal import StepFailed
from scripts.release import apply_gate, claims, sbom
from scripts.release.artifacts import sha256
from scripts.release.foreign import NotReadable, in_a_line, read_json, read_text
from scripts.release.npm.runtimes import sdks_of_release
from scripts.release.sbom_facts import purl_of
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
        *claims.wrong_steps(evidence),
        *claims.listed_twice(evidence),
        *_tree(evidence),
        *(reason for where, each in listed for reason in _changed(where, each)),
    ]
    if not reasons:  # results that were changed, or are not there, show nothing
        reasons = [
            *claims.wrong_times(evidence, ROOT),
            *claims.wrong_artifacts(evidence),
            *_results(evidence, folder, work),
            *claims.wrong_pages(evidence),
            *_sboms(evidence, folder),
        ]
    if evidence["decision"] == "GO" and reasons:
        reasons.append("the evidence says GO, and its parts do not")
    if evidence["decision"] != "GO":
        reasons.append(f"the rehearsal of {evidence['version']} ended with {evidence['decision']}")
    return Verdict([in_a_line(each) for each in reasons], len(listed))


def _tree(evidence: Evidence) -> Iterator[str]:
    state = evidence["git"]
    if state["dirty"] or state["changed"]:
        changed = ", ".join(state["changed"]) or "it changed during the rehearsal"
        yield f"the working tree was not the commit {state['commit']}: {changed}"


def _changed(folder: Path, entry: Mapping[str, str]) -> Iterator[str]:
    """Yield that a file is not there, or not as it was."""
    path = folder / entry["file"]
    shown = f"{folder.name}/{entry['file']}"
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            yield f"the evidence names {entry['file']}, which is outside of its folder"
        elif not path.is_file():
            yield f"{shown} is not there, and the evidence lists it"
        elif (found := sha256(path)) != entry["sha256"]:
            yield (
                f"{shown} was changed after the rehearsal: its SHA-256 is {found}, "
                f"and the evidence says {entry['sha256']}"
            )
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to themselves
        yield f"{shown} can't be read: {getattr(error, 'strerror', None) or error}"


def _results(evidence: Evidence, folder: Path, work: Path) -> Iterator[str]:
    """Yield how the results of the steps contradict GO, or what the steps record."""
    recorded = {each["name"]: each["figures"] for each in evidence["steps"]}
    files = {each["file"] for each in evidence["results"]}
    for step, name in {**_SUITES, "fuzz": _FUZZ}.items():
        if name not in files:
            yield f"the evidence has no {name}, which the step {step} writes"
            continue
        try:
            shown = _shown(evidence, step, folder / name, work)
        except NotReadable as problem:
            yield str(problem)
        except StepFailed as problem:
            yield f"{name}: {problem}"
        except (LookupError, TypeError, ValueError, AttributeError, StopIteration) as error:
            yield f"{name} is no report of the step {step}: {type(error).__name__} {error}"
        else:
            yield from _other_figures(step, recorded[step], shown)
    if recorded["versions"].get("version") != evidence["version"]:
        yield f"the step versions has found another version than {evidence['version']}"


def _shown(evidence: Evidence, step: str, report: Path, work: Path) -> Figures:
    """Return the figures that the report of a step shows.

    Raises:
        NotReadable: It can't be read.
        StepFailed: It does not lead to GO.
    """
    document = read_json(report)
    if step == "fuzz":
        return _fuzzed(document)
    if document["suite"] != ("engine" if step == "engine_suite" else "sdk"):
        raise StepFailed(f"it is the report of the suite {document['suite']}")
    target = document["target"]
    if target["name"] != "local" or target["remote"] is not False:
        shared = "which others use" if target["remote"] else "no engine of its own"
        raise StepFailed(f"it is about the target {target['name']}, {shared}")
    if step == "conformance":
        _require_sdks(evidence, document)
    _require_same_files(evidence, document)
    _require_gate(evidence, report, work)
    _require_time(evidence, document)
    return conformance_figures(document, evidence["version"])


def _fuzzed(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a report of the fuzzer.

    Raises:
        StepFailed: It has found something, or has not tested everything.
    """
    tested, phases = document["operations"]["tested"], document["phases"]
    if (document["failures"], document["errors"], str(document["exit_code"])) != ([], [], "0"):
        raise StepFailed("the fuzzer has found something")
    if not document["test_cases"]["generated"] > 0:
        raise StepFailed("the fuzzer has sent nothing")
    needed = len(operations(CONTRACT) - OWN_KEY)
    if not document["complete"] or tested != needed:
        raise StepFailed(f"the fuzzer has tested {tested} of {needed} operations of the contract")
    if missing := [name for name in PHASES if phases[name]["status"] != "success"]:
        raise StepFailed(f"the fuzzer did not end its phase {', '.join(missing)}")
    found = (tested, document["test_cases"]["generated"], document["seed"])
    return dict(zip(_FUZZ_FIGURES, found, strict=True))


def _require_sdks(evidence: Evidence, document: Mapping[str, Any]) -> None:
    """Check that a report is about every SDK that a rehearsal tests.

    Raises:
        StepFailed: One is missing that every machine can run, or one is there that belongs to no release.
    """
    registry = ROOT / "conformance" / "adapters" / "adapters.yaml"
    expected = sdks_of_release(registry, python_only=evidence["scope"] == "python")
    tested = [each["name"] for each in document["sdks"]]
    if missing := [name for name, always in expected.items() if always and name not in tested]:
        raise StepFailed(f"it is not about {', '.join(missing)}")
    if others := [name for name in tested if name not in expected]:
        raise StepFailed(f"it is about {', '.join(others)}, which a rehearsal does not test")


def _require_same_files(evidence: Evidence, document: Mapping[str, Any]) -> None:
    """Check that a report is about the files of the release.

    Raises:
        StepFailed: It is about others.
    """
    ours = {each["file"]: each["sha256"] for each in evidence["artifacts"]}
    tested = {each["file"]: each["sha256"] for each in document["artifacts"]}
    if others := sorted({name for name, _ in ours.items() ^ tested.items()}):
        raise StepFailed(f"it is not about these bytes of {', '.join(others)}")


def _require_time(evidence: Evidence, document: Mapping[str, Any]) -> None:
    """Check that a suite ran during the rehearsal.

    Raises:
        StepFailed: It ran at another time.
    """
    began = claims.point_in_time(document["started"])
    if not claims.began(evidence) <= began <= claims.ended(evidence):
        raise StepFailed(
            f"it began at {began}, and the rehearsal took place from {claims.began(evidence)} "
            f"to {claims.ended(evidence)}"
        )


def _require_gate(evidence: Evidence, report: Path, work: Path) -> None:
    """Apply the gate to a report once more.

    Raises:
        StepFailed: It is NO-GO.
    """
    reasons = apply_gate.reasons(report, claims.ended(evidence).date(), work)
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
    packages = dict.fromkeys(each["package"] for each in evidence["artifacts"])
    for package in evidence["sboms"].keys() - packages:
        yield f"the evidence has a bill of materials of {package}, which is no package of it"
    for package in packages:
        name = evidence["sboms"].get(package)
        if name not in results:
            yield f"{package} has no bill of materials in the evidence"
            continue
        try:
            bom = sbom.require_valid(read_text(folder / name), name)
        except (sbom.SbomInvalid, NotReadable) as problem:
            yield str(problem)
            continue
        ours = {
            each["file"]: each["sha256"]
            for each in evidence["artifacts"]
            if each["package"] == package
        }
        expected = purl_of(package, str(evidence["version"]))
        if (found := sbom.released(bom).get("purl")) != expected:
            yield f"{name} is about {found}, not about {expected}"
        if sbom.subjects(bom) != ours:
            yield f"{name} is not about the files of {package} that the evidence lists"
