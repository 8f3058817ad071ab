"""Run the conformance suite on the packages of a rehearsal: those that will be published, not the sources.

nox -s conformance -- --packages dist/ --target live --gate

Every file is checked against the evidence, installed into clean environments, and compared with what was
installed. Other arguments go to `arcrun-conformance run`. With `--gate`, every SDK of `SDKS` must take part.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT, processes
from scripts.console import exit_code
from scripts.rehearsal import StepFailed, describe
from scripts.release.artifacts import Artifact, InstallMismatch
from scripts.release.environment import for_remote, isolate
from scripts.release.foreign import visible
from scripts.release.npm import runtimes
from scripts.release.npm.install import compare_installed
from scripts.release.python.install import install_packages
from scripts.release.suite import (
    conformance_figures,
    list_artifacts,
    reporting,
    require_version,
    suite_command,
)
from scripts.release.verify import NotProven, read_evidence, require_go, verify
from scripts.release.versions import NPM_NAME, PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

GO, NO_GO = 0, 1
# Both SDKs, and the runtimes that differ most from each other.
SDKS = ("python-sync", "python-async", "node24-esm", "deno", "workerd")
# The files of an earlier run, which nobody may take for those of one that ended before the suite began.
REPORTS = ("conformance.json", "index.html", "junit.xml", "summary.md", "badge.json")
# What the suite reads of its caller's environment; all else stays away from what is tested.
_FOR_SUITE = (
    "ARCRUN_CONFORMANCE_API_KEY",
    "ARCRUN_CONFORMANCE_SECOND_API_KEY",
    "ARCRUN_CONFORMANCE_REVOKED_API_KEY",
)


def main(arguments: list[str] | None = None) -> int:
    """Check, install and test packages; return the exit code of the suite, or 1 for NO-GO before it."""
    options, further = _options(arguments)
    processes.interrupt_on_signals()
    caller = dict(os.environ)
    try:
        _remove_reports(options.report_dir)
        artifacts = released(options.packages, options.evidence)
        with processes.temporary_folder("arcrun-packages-") as work:
            downloads = isolate(work / "home")
            print(f"installing {len(artifacts)} packages of {options.packages}", flush=True)
            command = _installed(artifacts, options, work, downloads)
            code = processes.attached(
                [*command, *further], cwd=ROOT, env=_for_suite(options, caller)
            )
            if code == GO:
                _require_proof(options, artifacts)
            return code
    except (NotProven, StepFailed, InstallMismatch) as problem:
        print(f"NO-GO {visible(str(problem))}", file=sys.stderr)
    except processes.CommandFailed as problem:
        why = visible(describe(problem))
        print(f"NO-GO the packages can't be installed: {why}", file=sys.stderr)
    except KeyboardInterrupt:
        print("NO-GO interrupted", file=sys.stderr)
    return NO_GO


def _options(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Return the options, and the arguments that only the suite knows."""
    parser = argparse.ArgumentParser(
        prog="nox -s conformance --", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--packages", type=Path, required=True, metavar="DIR")
    parser.add_argument("--evidence", type=Path, default=Path("evidence/release.json"))
    parser.add_argument("--report-dir", type=Path, default=Path("reports/packages"))
    parser.add_argument("--sdk", type=_names, default=SDKS, help=f"by default {','.join(SDKS)}")
    parser.add_argument("--target", default="local")
    parser.add_argument("--gate", action="store_true")
    parser.add_argument(
        "--dry-run", action="store_true", help="writes no report, so not with --gate"
    )
    options, further = parser.parse_known_args(arguments)
    if options.gate and options.dry_run:
        parser.error("--dry-run proves nothing; leave out --gate")
    options.packages, options.report_dir = options.packages.resolve(), options.report_dir.resolve()
    absent = [name for name in SDKS if name not in options.sdk]
    if options.gate and absent:
        parser.error(f"the gate needs {', '.join(SDKS)}, and --sdk leaves out {', '.join(absent)}")
    return options, further


def _remove_reports(folder: Path) -> None:
    """Create the folder of the reports, and remove those of an earlier run.

    Raises:
        StepFailed: That is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in REPORTS:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise StepFailed(
            f"reports can't be written to --report-dir {folder}: {error.filename}: {error.strerror}; name another folder"
        ) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def released(folder: Path, evidence: Path) -> list[Artifact]:
    """Return the packages in a folder, all of them proven by the evidence of a rehearsal.

    Raises:
        NotProven: The evidence is not there, or its parts do not lead to GO, a file is missing, differs
            or is not in the evidence, or the evidence does not have all packages.
    """
    try:
        document = read_evidence(evidence)
        artifacts = _proven(folder, evidence, document)
    except OSError as error:
        raise NotProven(f"{error.filename} can't be read: {error.strerror}") from None
    if absent := {*PACKAGES, NPM_NAME} - {each.package for each in artifacts}:
        raise NotProven(
            f"the rehearsal made no {', '.join(sorted(absent))} (its scope is {document['scope']}), "
            "and all packages must be tested before one is published"
        )
    with processes.temporary_folder("arcrun-evidence-") as work:
        require_go(document, evidence, work)
    return artifacts


def _proven(folder: Path, evidence: Path, document: dict[str, Any]) -> list[Artifact]:
    """Return the packages in a folder; each is in the evidence, and each of the evidence is there."""
    names = {path.name for path in folder.iterdir()}
    listed = {each["file"] for each in document["artifacts"]}
    if missing := sorted(listed - names):
        raise NotProven(f"{folder} lacks {', '.join(missing)}, which {evidence} lists")
    artifacts = []
    for name in sorted(names):
        entry = verify(folder / name, document)
        artifacts.append(Artifact(entry["package"], folder / name, entry["sha256"]))
    return artifacts


def _installed(
    artifacts: list[Artifact], options: argparse.Namespace, work: Path, downloads: Mapping[str, str]
) -> list[str]:
    """Install all packages; return the command that runs the suite on them.

    Raises:
        InstallMismatch: What was installed is not what the packages hold.
        processes.CommandFailed: A package or a runtime can't be installed.
    """
    logs = options.report_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    python = [each for each in artifacts if each.package in PACKAGES]
    uploads = work / "index"
    uploads.mkdir()
    for each in python:
        shutil.copyfile(each.path, uploads / each.path.name)
    environments = install_packages(
        ROOT,
        python,
        uploads=uploads,
        folder=work / "env",
        logs=lambda name: logs / f"{name}.log",
        downloads=downloads,
    )
    (tarball,) = (each for each in artifacts if each.package == NPM_NAME)
    folder, log = work / "javascript", logs / "javascript.log"
    registry = runtimes.installed_registry(environments["arcrun-conformance"], log)
    needed = runtimes.runtimes_of(registry, options.sdk)
    runtimes.prepare(registry, tarball.path, folder, needed, log=log, downloads=downloads)
    compare_installed(tarball.path, folder / "node_modules" / NPM_NAME)
    command = suite_command(environments, sdks=options.sdk, runtimes=folder)
    if options.dry_run:  # it writes no reports
        command.append("--dry-run")
    else:
        listed = list_artifacts(artifacts, work / "artifacts.json")
        command += reporting(options.report_dir, listed)
    return [*command, "--target", options.target, *(["--gate"] if options.gate else [])]


def _for_suite(options: argparse.Namespace, caller: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables for the suite: its keys, and how a remote target is reached."""
    keys = {name: caller[name] for name in _FOR_SUITE if name in caller}
    return {**keys, **({} if options.target == "local" else for_remote(caller))}


def _require_proof(options: argparse.Namespace, artifacts: Sequence[Artifact]) -> None:
    """Check that the report is about these packages, and with `--gate` about every SDK.

    Raises:
        StepFailed: It is not.
    """
    report = options.report_dir / "conformance.json"
    if not report.exists():  # as with --dry-run, which proves nothing
        if options.gate:
            raise StepFailed("the suite has written no report, so nothing is proved")
        return
    document = json.loads(report.read_text("utf-8"))
    version = next(each.version for each in artifacts if each.package in PACKAGES)
    require_version(document, version)
    if options.gate:
        conformance_figures(document, version)
        took_part = {each["name"] for each in document["sdks"]}
        if absent := [name for name in SDKS if name not in took_part]:
            raise StepFailed(f"{', '.join(absent)} did not take part")
    tested = ", ".join(each.path.name for each in artifacts)
    print(f"tested as they will be published: {tested}")


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
