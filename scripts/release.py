"""The rehearsal of a release: build, check, publish on loopback, install from there, prove.

`nox -s release` runs it. It ends with GO (exit code 0) or NO-GO (1), with `dist/` and
`evidence/release.json`, and with nothing left running.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from scripts import artifact_files, artifacts, clean_install, evidence, fuzz, processes, registry
from scripts.engine_process import engine_with_accounts
from scripts.steps import Figures, Rehearsal, StepFailed
from scripts.versions import PACKAGES, agreed_version

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Release:
    """What the steps hand on to each other."""

    root: Path
    work: Path
    seed: int
    rehearsal: Rehearsal
    version: str | None = None
    artifacts: list[artifacts.Artifact] = field(default_factory=list)
    environments: dict[str, clean_install.CleanEnvironment] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def dist(self) -> Path:
        """Where the artifacts end up."""
        return self.root / "dist"

    @property
    def evidence(self) -> Path:
        """Where the evidence ends up."""
        return self.root / "evidence"

    def log(self, name: str) -> Path:
        """The log of one step."""
        path = self.evidence / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def versions(release: Release) -> None:
    """Packages and changelog state one version."""
    with release.rehearsal.step("versions", "packages and changelog state one version") as figures:
        release.version = agreed_version(release.root)
        figures["version"] = release.version


def build(release: Release) -> None:
    """Wheels and sdists, each built twice, bytes equal."""
    with release.rehearsal.step("build", "each package twice, in two places") as figures:
        release.artifacts = artifacts.build_all(
            release.root, release.work / "build", release.dist, release.log("build")
        )
        figures["artifacts"] = len(release.artifacts)
        figures["identical"] = len(release.artifacts)
        figures["kilobytes"] = round(sum(each.size for each in release.artifacts) / 1000, 1)


def check(release: Release) -> None:
    """The artifacts are well-formed and hold nothing but what belongs there."""
    with release.rehearsal.step("check", "metadata, contents, files") as figures:
        log = release.log("check")
        files = [str(each.path) for each in release.artifacts]
        wheels = [str(each.path) for each in release.artifacts if each.is_wheel]
        processes.run([sys.executable, "-m", "twine", "check", "--strict", *files], log=log)
        processes.run([sys.executable, "-m", "check_wheel_contents", *wheels], log=log)
        counts = [artifact_files.check(each, release.root) for each in release.artifacts]
        figures["artifacts"] = len(files)
        figures["files"] = sum(counts)


def publish_and_install(release: Release) -> None:
    """Publish to a registry on loopback; install from it into clean environments."""
    uploads = release.work / "registry"
    with registry.python_registry(uploads, release.log("registry")) as url:
        with release.rehearsal.step("publish", "to a registry on loopback") as figures:
            registry.upload(release.artifacts, url, release.log("publish"))
            stored = {path.name: artifacts.sha256(path) for path in uploads.iterdir()}
            sent = {each.path.name: each.sha256 for each in release.artifacts}
            if stored != sent:
                raise StepFailed(f"the registry holds other files than were sent: {sorted(stored)}")
            figures["files"] = len(stored)
        with release.rehearsal.step("install", "from there, by version and hash") as figures:
            log = release.log("install")
            for package in PACKAGES:
                environment = clean_install.install(
                    release.root,
                    release.artifacts,
                    package,
                    registry=url,
                    folder=release.work / "env" / package,
                    log=log,
                )
                release.environments[package] = environment
                release.versions[package] = evidence.installed_versions(environment, log)
                if release.versions[package].get(package) != release.version:
                    raise StepFailed(f"{package} {release.version} was asked for, not installed")
            figures["environments"] = len(release.environments)
            figures["distributions"] = sum(len(each) for each in release.versions.values())


def fuzzing(release: Release) -> None:
    """Fuzz the engine that was installed from its wheel."""
    with release.rehearsal.step("fuzz", "the contract, against the installed engine") as figures:
        python = release.environments["arcrun-server"].python
        with (
            tempfile.TemporaryDirectory() as private,
            engine_with_accounts(python, Path(private), release.log("fuzz-engine")) as running,
        ):
            report = release.evidence / "fuzz"
            figures.update(fuzz.fuzz(running, work=Path(private), report=report, seed=release.seed))


def conformance(release: Release) -> None:
    """Run the suite on what was installed, and hold it against the gate."""
    with release.rehearsal.step("conformance", "every scenario, every SDK; the gate") as figures:
        harness = release.environments["arcrun-conformance"].script("arcrun-conformance")
        reports = release.evidence / "conformance"
        command = [str(harness), "run", "--target", "local", "--gate"]
        command += ["--server-python", str(release.environments["arcrun-server"].python)]
        command += ["--adapter-python", str(release.environments["arcrun"].python)]
        command += ["--report-dir", str(reports)]
        processes.run(command, log=release.log("conformance"))
        figures.update(conformance_figures(reports / "conformance.json"))


def rehearse(release: Release) -> None:
    """Run the steps, each of which may end it.

    Raises:
        StepFailed: A step said no; it is told in the evidence as well.
    """
    versions(release)
    build(release)
    check(release)
    publish_and_install(release)
    fuzzing(release)
    conformance(release)


def conformance_figures(report: Path) -> Figures:
    """Read the figures of a run from the suite's own report.

    Raises:
        StepFailed: The report does not say GO, though the suite's exit code did.
    """
    document = json.loads(report.read_text("utf-8"))
    gate = document["gate"]
    if gate["verdict"] != "GO" or not document["cells"]:
        raise StepFailed(f"{report.name} says {gate['verdict']}: {gate['reasons']}")
    return {
        "scenarios": len(document["scenarios"]),
        "sdks": len(document["sdks"]),
        "cells": len(document["cells"]),
        "checks": sum(len(cell["checks"]) for cell in document["cells"]),
        "gate": gate["verdict"],
    }


def main(arguments: list[str] | None = None) -> int:
    """Rehearse the release; return 0 for GO, 1 for NO-GO, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="nox -s release --", description=__doc__)
    parser.add_argument("--seed", type=int, default=20261122, help="for the fuzzer")
    options = parser.parse_args(arguments)
    # Whoever ends us by a signal gets the same cleaning-up as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rehearsal = Rehearsal(Console(soft_wrap=True))
    git = evidence.git_state(ROOT)
    shutil.rmtree(ROOT / "evidence", ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="arcrun-release-") as work:
        release = Release(ROOT, Path(work).resolve(), options.seed, rehearsal)
        code = _rehearse_and_tell(release)
        evidence.write(
            release.evidence / "release.json",
            rehearsal=rehearsal,
            version=release.version,
            git=git,
            artifacts=release.artifacts,
            environments=release.versions,
        )
    return code


def _rehearse_and_tell(release: Release) -> int:
    console, rehearsal = release.rehearsal.console, release.rehearsal
    console.print("[bold]arcrun: rehearsal of a release[/]")
    try:
        rehearse(release)
    except StepFailed as problem:
        console.print(f"\n[bold red]NO-GO[/] at step [bold]{rehearsal.steps[-1].name}[/]:")
        console.print(escape(str(problem)), highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\n[bold red]NO-GO[/]: interrupted; all that was started is stopped")
        return 130
    told = f"{release.version} in {rehearsal.seconds:.0f} s; dist/ and evidence/release.json"
    console.print(f"\n[bold green]GO[/] {told}", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
