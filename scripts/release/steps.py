"""The steps of a release's rehearsal, in their order, and what they hand on to each other."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import processes
from scripts.engine import engine_with_accounts
from scripts.fuzz import run as fuzz
from scripts.rehearsal import Figures, Rehearsal, StepFailed
from scripts.release import evidence
from scripts.release.npm import steps as npm_steps
from scripts.release.python import build as artifacts
from scripts.release.python import contents as artifact_files
from scripts.release.python import index as registry
from scripts.release.python import install as clean_install
from scripts.release.versions import PACKAGES, agreed_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.release.npm.build import NpmPackage
    from scripts.release.npm.runtimes import Matrix
    from scripts.release.python.build import Artifact


@dataclass
class Release:
    """What the steps hand on to each other."""

    root: Path
    work: Path
    seed: int
    rehearsal: Rehearsal
    python_only: bool = False
    version: str | None = None
    artifacts: list[artifacts.Artifact] = field(default_factory=list)
    environments: dict[str, clean_install.CleanEnvironment] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    npm_package: NpmPackage | None = None
    matrix: Matrix | None = None

    @property
    def everything_built(self) -> list[Artifact]:
        """All that would be published."""
        return [*self.artifacts, *([self.npm_package.artifact] if self.npm_package else [])]

    @property
    def dist(self) -> Path:
        """Where the artifacts end up."""
        return self.root / "dist"

    @property
    def evidence(self) -> Path:
        """Where the evidence ends up."""
        return self.root / "evidence"

    @property
    def reports(self) -> Path:
        """Where the pages for people end up."""
        return self.root / "reports"

    @property
    def uploads(self) -> Path:
        """What the registry on loopback keeps."""
        return self.work / "registry"

    @property
    def verdaccio(self) -> Path:
        """Where the npm registry on loopback is installed."""
        return self.work / "verdaccio"

    @property
    def npm_uploads(self) -> Path:
        """What the npm registry on loopback keeps."""
        return self.work / "npm-registry"

    @property
    def conformance_reports(self) -> Path:
        """What the suite reports."""
        return self.evidence / "conformance"

    @property
    def runtimes(self) -> Path:
        """Where the JavaScript runtimes are, with the installed SDK."""
        return self.work / "javascript"

    def log(self, name: str) -> Path:
        """The log of one step."""
        path = self.evidence / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@dataclass(frozen=True)
class ReleaseStep:
    """One step: its name, what it does in a few words, and which steps it builds on.

    Those about the npm package are left out where the rehearsal is Python's only.
    """

    name: str
    doing: str
    run: Callable[[Release, Figures], None]
    needs: tuple[str, ...] = ()
    about_npm: bool = False


def versions(release: Release, figures: Figures) -> None:
    """Packages and changelog state one version."""
    release.version = agreed_version(release.root)
    figures["version"] = release.version


def build(release: Release, figures: Figures) -> None:
    """Wheels and sdists, each built twice, bytes equal; reused while their sources are the same."""
    memory = release.root / ".arcrun" / "release" / "build.json"
    fingerprint = artifacts.fingerprint(release.root)
    kept = memory.with_name("python")
    reused = artifacts.built_before(memory, fingerprint, kept)
    built = reused or artifacts.build_all(
        release.root, release.work / "build", kept, release.log("build")
    )
    artifacts.remember(memory, fingerprint, built)
    release.dist.mkdir(exist_ok=True)
    release.artifacts = [replace(each, path=release.dist / each.path.name) for each in built]
    for each in built:
        shutil.copyfile(each.path, release.dist / each.path.name)
    figures["artifacts"] = len(release.artifacts)
    figures["built_twice_and_identical"] = "reused, sources unchanged" if reused else "now"
    figures["kilobytes"] = round(sum(each.size for each in release.artifacts) / 1000, 1)


def check(release: Release, figures: Figures) -> None:
    """The artifacts are well-formed, in their budgets, and hold nothing but what belongs there."""
    log = release.log("check")
    files = [str(each.path) for each in release.artifacts]
    wheels = [str(each.path) for each in release.artifacts if each.is_wheel]
    processes.run([sys.executable, "-m", "twine", "check", "--strict", *files], log=log)
    processes.run([sys.executable, "-m", "check_wheel_contents", *wheels], log=log)
    counts = [artifact_files.check(each, release.root) for each in release.artifacts]
    figures["artifacts"] = len(files)
    figures["files"] = sum(counts)
    figures["fullest_budget"] = artifact_files.check_budgets(release.artifacts)


def publish(release: Release, figures: Figures) -> None:
    """Publish just these bytes to a registry on loopback."""
    with registry.python_registry(release.uploads, release.log("registry")) as url:
        registry.upload(release.artifacts, url, release.log("publish"))
    stored = {path.name: artifacts.sha256(path) for path in release.uploads.iterdir()}
    sent = {each.path.name: each.sha256 for each in release.artifacts}
    if stored != sent:
        raise StepFailed(f"the registry holds other files than were sent: {sorted(stored)}")
    figures["files"] = len(stored)


def install(release: Release, figures: Figures) -> None:
    """Install from that registry into clean environments, one for each package."""
    log = release.log("install")
    with registry.python_registry(release.uploads, release.log("registry")) as url:
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
            installed = release.versions[package].get(package)
            if installed != release.artifacts[0].version:
                raise StepFailed(f"{package} {installed} was installed, not what was built")
            evidence.write_sbom(
                release.root, package, release.evidence / f"sbom-{package}.json", log
            )
    figures["environments"] = len(release.environments)
    figures["distributions"] = sum(len(each) for each in release.versions.values())


def fuzzing(release: Release, figures: Figures) -> None:
    """Fuzz the engine that was installed from its wheel."""
    python = release.environments["arcrun-server"].python
    with (
        tempfile.TemporaryDirectory() as private,
        engine_with_accounts(python, Path(private), release.log("fuzz-engine")) as running,
    ):
        report = release.evidence / "fuzz"
        found = fuzz.fuzz(running, work=Path(private), report=report, seed=release.seed)
        figures.update(found)


def conformance(release: Release, figures: Figures) -> None:
    """Run the suite on what was installed, and hold it against the gate."""
    harness = release.environments["arcrun-conformance"].script("arcrun-conformance")
    reports = release.conformance_reports
    command = [str(harness), "run", "--target", "local", "--gate", "--jobs", "2"]
    command += ["--server-python", str(release.environments["arcrun-server"].python)]
    command += ["--adapter-python", str(release.environments["arcrun"].python)]
    command += ["--report-dir", str(reports)]
    if release.matrix:
        command += ["--sdk", ",".join(release.matrix.sdks)]
        command += ["--adapter-runtimes", str(release.runtimes)]
    try:
        processes.run(command, log=release.log("conformance"))
    finally:
        _show_reports(reports, release.reports)
    document = json.loads((reports / "conformance.json").read_text("utf-8"))
    figures.update(conformance_figures(document, str(release.artifacts[0].version)))
    release.versions["runtimes"] = {sdk["name"]: sdk["runtime"] for sdk in document["sdks"]}
    if release.matrix:
        figures["not_on_this_machine"] = release.matrix.told_missing


def conformance_figures(document: dict[str, Any], version: str) -> Figures:
    """Read the figures of a run from the suite's own report.

    Raises:
        StepFailed: The report does not say GO, though the suite's exit code did; or an SDK was of
            another version than the one that was built.
    """
    gate = document["gate"]
    if gate["verdict"] != "GO" or not document["cells"]:
        raise StepFailed(f"the suite's report says {gate['verdict']}: {gate['reasons']}")
    others = [
        f"{each['name']} {each['version']}"
        for each in document["sdks"]
        if each["version"] != version
    ]
    if others:
        raise StepFailed(f"the suite ran {', '.join(others)}, and {version} was built")
    return {
        "scenarios": len(document["scenarios"]),
        "sdks": len(document["sdks"]),
        "cells": len(document["cells"]),
        "skipped": sum(cell["outcome"] == "skipped" for cell in document["cells"]),
        "checks": sum(len(cell["checks"]) for cell in document["cells"]),
        "gate": gate["verdict"],
    }


def _show_reports(written: Path, shown: Path) -> None:
    """Put the page for people, and the summary for the job, where they are looked for."""
    shown.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "summary.md"):
        if (written / name).is_file():
            shutil.copyfile(written / name, shown / name)


STEPS = (
    ReleaseStep("versions", "packages and changelog state one version", versions),
    ReleaseStep("build", "each package twice, in two places", build),
    ReleaseStep(
        "npm_build", "the npm package twice, in two places", npm_steps.build, about_npm=True
    ),
    ReleaseStep("check", "metadata, contents, files, budgets", check, ("build",)),
    ReleaseStep(
        "npm_check",
        "contents, budget, publint, attw",
        npm_steps.check,
        ("npm_build",),
        about_npm=True,
    ),
    ReleaseStep("publish", "to a registry on loopback", publish, ("build",)),
    ReleaseStep(
        "npm_publish", "to verdaccio on loopback", npm_steps.publish, ("npm_build",), about_npm=True
    ),
    ReleaseStep("install", "from there, by version and hash", install, ("publish",)),
    ReleaseStep(
        "npm_install",
        "from there, by version and hash; the runtimes",
        npm_steps.install,
        ("npm_publish", "install"),
        about_npm=True,
    ),
    ReleaseStep("fuzz", "the contract, against the installed engine", fuzzing, ("install",)),
    ReleaseStep(
        "conformance",
        "every scenario, every SDK; the gate",
        conformance,
        ("install", "npm_install"),
    ),
    ReleaseStep(
        "parity",
        "what the SDKs offer, send and seal",
        npm_steps.parity,
        ("conformance",),
        about_npm=True,
    ),
)


def steps(*, python_only: bool) -> list[ReleaseStep]:
    """Return the steps of a rehearsal, in their order.

    Example:
        >>> [step.name for step in steps(python_only=True)][:3]
        ['versions', 'build', 'check']
    """
    return [step for step in STEPS if not (python_only and step.about_npm)]


def chosen(only: str | None, *, python_only: bool = False) -> list[ReleaseStep]:
    """Return the steps to run: all of them, or one with those that it builds on.

    Example:
        >>> [step.name for step in chosen("fuzz")]
        ['build', 'publish', 'install', 'fuzz']
    """
    possible = steps(python_only=python_only)
    if only is None:
        return possible
    wanted: set[str] = {only}
    for step in reversed(possible):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in possible if step.name in wanted]
